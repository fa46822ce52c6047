import { MorangoError } from '../core/errors.ts'
import type { PeerMethod, WireReply } from './exchange.ts'
import { quotedText } from './quoted-text.ts'

const MEANINGS: ReadonlyMap<number, string> = new Map([
  [400, 'could not accept the request'],
  [401, 'did not accept the credentials'],
  [403, 'refuses'],
  [404, 'knows no such thing, or no longer'],
  [405, 'does not offer this call'],
  [408, 'waited too long for the request'],
  [413, 'finds the request too large'],
  [415, 'does not read this content type'],
  [429, 'asks for fewer requests'],
  [502, 'cannot be reached by its own gateway'],
  [503, 'is not available at the moment'],
  [504, 'did not answer its own gateway in time'],
])

/** One sentence on what a peer's error says, from its status and its body: JSON of any shape, or text. */
export function explainPeerError(status: number, body: unknown): string {
  const meaning = MEANINGS.get(status) ?? statusMeaning(status)
  const quote = typeof body === 'string' && body.trimStart().startsWith('<') ? pageTitle(body) : flatten(body)
  return `The peer ${meaning} (${status})${quote === '' ? '.' : `: ${quotedText(quote)}`}`
}

/** The error for a peer's answer that is one: `peer-error` with `status`, `body` and `call` in its details. */
export function peerError(reply: WireReply, call: PeerMethod): MorangoError {
  return new MorangoError('peer-error', explainPeerError(reply.status, reply.body), {
    details: { status: reply.status, body: reply.body, call },
  })
}

/** Where the title of a page stands, in characters. */
const TITLE_WITHIN = 16_384

function statusMeaning(status: number): string {
  if (status >= 500) return 'failed; its own log knows more'
  return status < 400 ? 'sends elsewhere; use the address it names as base URL' : 'answered with an error'
}

function pageTitle(html: string): string {
  const title = titleOf(html.slice(0, TITLE_WITHIN)).trim()
  return title === '' ? 'a page of HTML' : `a page of HTML, "${title}"`
}

/** Without a pattern: one that looks for the end from each beginning takes time by the square. */
function titleOf(html: string): string {
  const lower = html.toLowerCase()
  const begin = lower.indexOf('<title>')
  const end = begin < 0 ? -1 : lower.indexOf('</title>', begin)
  return end < 0 ? '' : html.slice(begin + '<title>'.length, end)
}

function flatten(body: unknown): string {
  if (typeof body === 'string') return body.trim()
  if (Array.isArray(body)) return body.map(flatten).join(' ')
  if (typeof body !== 'object' || body === null) return ''
  const { detail, error_class, error_message }: { [key: string]: unknown } = { ...body }
  if (typeof detail === 'string') return detail
  if (typeof error_class === 'string') {
    return [error_class, flatten(error_message)].filter((part) => part !== '').join(': ')
  }
  return Object.entries(body)
    .map(([field, messages]) => `${field}: ${flatten(messages)}`)
    .join(' ')
}
