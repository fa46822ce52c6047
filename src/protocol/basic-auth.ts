import { MorangoError } from '../core/errors.ts'
import type { Credentials } from './messages.ts'

/**
 * The value of an `Authorization` header. The user name is not percent-encoded (protocol §4).
 *
 * @throws MorangoError `invalid-argument` for a user name with a colon, which the scheme cannot carry
 */
export function encodeBasicAuth({ username, password }: Credentials): string {
  if (username.includes(':')) {
    throw new MorangoError('invalid-argument', 'A user name must not contain a colon.')
  }
  const bytes = new TextEncoder().encode(`${username}:${password}`)
  return `Basic ${btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))}`
}

/**
 * The credentials in an `Authorization` header; undefined without one, or for another scheme.
 *
 * @throws MorangoError `unauthenticated` when it says Basic and cannot be read
 */
export function decodeBasicAuth(header: string | null | undefined): Credentials | undefined {
  const [scheme = '', token, ...rest] = (header ?? '').trim().split(/\s+/)
  if (scheme.toLowerCase() !== 'basic') return undefined
  if (token === undefined) throw unreadable('No credentials provided.')
  if (rest.length > 0) throw unreadable('Credentials string should not contain spaces.')
  const text = decodeBase64(token)
  const colon = text.indexOf(':')
  // As in the original, what has no colon is all user name.
  if (colon < 0) return { username: text, password: '' }
  return { username: text.slice(0, colon), password: text.slice(colon + 1) }
}

function decodeBase64(token: string): string {
  let latin1: string
  try {
    latin1 = atob(token)
  } catch {
    throw unreadable('Credentials not correctly base64 encoded.')
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
      Uint8Array.from(latin1, (character) => character.charCodeAt(0)),
    )
  } catch {
    // Older clients send Latin-1.
    return latin1
  }
}

function unreadable(reason: string): MorangoError {
  const message = `Invalid basic header. ${reason}`
  return new MorangoError('unauthenticated', message, { details: { body: { detail: message } } })
}
