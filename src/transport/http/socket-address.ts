import type { Context } from 'hono'

/**
 * An address of the socket that a request came over, as `@hono/node-server` tells it in its bindings; `""` where
 * there is none. A header such as `X-Forwarded-For` is never believed: anyone can send it.
 */
export function socketAddress(context: Context, which: 'remoteAddress' | 'localAddress'): string {
  const address = member(member(member(context.env, 'incoming'), 'socket'), which)
  // IPv4 addresses on a socket that serves both families.
  return typeof address === 'string' ? address.replace(/^::ffff:(?=\d+\.)/i, '') : ''
}

function member(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined
}
