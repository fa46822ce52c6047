import type { WireReply } from '../../protocol/exchange.ts'
import type { Method, Resource } from '../../protocol/paths.ts'

/**
 * Which `Host` a request may name: the names of this server, with a port where it matters; or `loopback`, which is any IP
 * address and any name of the machine itself.
 */
export type Hosts = readonly string[] | 'loopback'

/** What a browser sends across sites without asking first (a "simple" request of the Fetch standard). */
const SIMPLE_TYPES: ReadonlySet<string> = new Set([
  'application/x-www-form-urlencoded',
  'multipart/form-data',
  'text/plain',
])

const HOST = /^(\[[\da-f:.]{2,45}\]|[^\s:/?#@\\[\]]{1,255})(:\d{1,5})?$/iu

/**
 * Refuses a request that names another host. A page whose name was made to lead here (DNS rebinding) names its own.
 *
 * @returns the refusal (421); undefined when the host is one of `hosts`
 */
export function refuseHost(request: Request, hosts: Hosts): WireReply | undefined {
  const host = request.headers.get('host') ?? new URL(request.url).host
  const [, name = '', port = ''] = HOST.exec(host) ?? []
  const called = normalName(name)
  const known =
    hosts === 'loopback'
      ? isIpAddress(called) || called === 'localhost' || called.endsWith('.localhost')
      : hosts.some((own) => called !== '' && [called, called + port].includes(normalName(own)))
  if (known) return undefined
  const detail =
    'This server does not go by the name in the Host header. Its operator lists its names in `hosts`.'
  return { status: 421, body: { detail } }
}

/**
 * Refuses what a page of another site could have a browser send: calls that change something, by their `Sec-Fetch-Site`
 * or `Origin`, or by a content type that browsers send without asking first. Peers send none of these. A signing request
 * may come as a form, as the original takes it: it needs a password besides.
 *
 * @returns the refusal (403 or 415); undefined when there is nothing of the kind
 */
export function refuseCrossSite(request: Request, method: Method, resource: Resource): WireReply | undefined {
  if (method === 'GET') return undefined
  const site = request.headers.get('sec-fetch-site')?.trim().toLowerCase()
  const origin = request.headers.get('origin')
  if (site === 'cross-site' || site === 'same-site' || (origin !== null && !isOwnOrigin(origin, request))) {
    return { status: 403, body: { detail: 'Pages of other sites may not make this call.' } }
  }
  const contentType = request.headers.get('content-type') ?? ''
  const mediaType = contentType.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  if (!SIMPLE_TYPES.has(mediaType)) return undefined
  if (resource === 'certificates' && mediaType === 'application/x-www-form-urlencoded') return undefined
  return { status: 415, body: { detail: `Unsupported media type "${contentType}" in request.` } }
}

function isOwnOrigin(origin: string, request: Request): boolean {
  if (!URL.canParse(origin)) return false
  const { protocol, host } = new URL(origin)
  const own = request.headers.get('host') ?? new URL(request.url).host
  // TLS may end in front of this server, so that the scheme is not known here.
  return (protocol === 'http:' || protocol === 'https:') && host === own.toLowerCase()
}

/** Whether it is an address, IPv6 in its brackets. */
function isIpAddress(name: string): boolean {
  return name.startsWith('[') || /^\d{1,3}(?:\.\d{1,3}){3}$/u.test(name)
}

function normalName(name: string): string {
  return name.toLowerCase().replace(/\.(?=:\d+$|$)/u, '')
}
