import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { CAPABILITIES_HEADER } from '../../src/protocol/capabilities.ts'

/** A request as the malicious server sees it. */
export interface Call {
  /** `POST syncsessions`, `GET buffers`: what is asked for, without ids. */
  readonly name: string
  readonly method: string
  readonly id: string
  readonly url: URL
  readonly headers: Headers
  /** The message, if it was JSON. */
  readonly body: unknown
  /** How often this was asked for until now, from 1. */
  readonly nth: number
}

/** An answer in full. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array
}

/** An answer that is written by hand, for what no honest server could send. */
export interface RawAnswer {
  readonly raw: (response: ServerResponse) => void
}

/** What answers a call; `honest` asks the honest service behind. */
export type Tamper = (
  call: Call,
  honest: () => Promise<Answer>,
) => Answer | RawAnswer | Promise<Answer | RawAnswer>

/** Everything that came over the wire, for what must not be in it. */
export interface Seen {
  readonly method: string
  readonly url: string
  readonly headers: string
  readonly body: string
}

/** A server on loopback that answers as it is told. */
export interface MaliciousServer {
  readonly url: string
  readonly seen: readonly Seen[]
  /** Bytes of answers that were taken by the client. */
  readonly sentBytes: number
  /** What went wrong in an attempt itself, which is no attack. */
  readonly faults: readonly unknown[]
  close(): Promise<void>
}

/** What serves honestly: a Hono app. */
export interface HonestApp {
  fetch(request: Request): Response | Promise<Response>
}

// Far above what any attempt may make a client do: it is a defect, and must end.
const MOST_REQUESTS = 1500
const MOST_BYTES = 512 * 1024 * 1024

const WITHHELD = new Set(['PACKED_BUFFERS', 'PACKED_BUFFERS_ZSTD', 'GZIP_BUFFER_POST'])

/** Serves; `app` is the honest service behind, if there is one. */
export async function serveMalicious(
  tamper: Tamper,
  app?: HonestApp,
  withheld: ReadonlySet<string> = new Set(),
): Promise<MaliciousServer> {
  const seen: Seen[] = []
  const faults: unknown[] = []
  const counts = new Map<string, number>()
  let sentBytes = 0
  const isWithheld = (name: string): boolean => WITHHELD.has(name) || withheld.has(name)

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const bytes = await buffer(request)
    const url = new URL(request.url ?? '/', `http://${request.headers.host ?? 'localhost'}`)
    const method = request.method ?? 'GET'
    const text = bytes.toString()
    seen.push({ method, url: url.href, headers: JSON.stringify(request.headers), body: text })
    // An honest server serves for many attempts.
    if (tamper !== honestly && seen.length > MOST_REQUESTS) {
      response.writeHead(400).end('too many requests in one attempt')
      return
    }
    const [resource = '', id = ''] = url.pathname.replace(/^.*\/v1\//u, '').split('/')
    const name = `${method} ${resource}`
    const nth = (counts.get(name) ?? 0) + 1
    counts.set(name, nth)
    const headers = headersOf(request, isWithheld)
    const honest = async (): Promise<Answer> => {
      if (app === undefined) return { status: 404, headers: {}, body: '' }
      const body = bytes.length > 0 ? new Uint8Array(bytes) : null
      const reply = await app.fetch(new Request(url, { method, headers, body }))
      const told = Object.fromEntries(reply.headers)
      delete told['content-length']
      const answered = { status: reply.status, headers: told, body: await reply.text() }
      return resource === 'morangoinfo' ? withoutCapabilities(answered, isWithheld) : answered
    }
    const call = { name, method, id, url, headers, body: jsonOf(text), nth }
    const given = await Promise.resolve(tamper(call, honest)).catch((error: unknown) => {
      faults.push(error)
      throw error
    })
    if ('raw' in given) {
      given.raw(response)
      return
    }
    response.writeHead(given.status, { ...given.headers })
    response.end(given.body)
  }

  const server = createServer((request, response) => {
    const { socket } = request
    const before = socket.bytesWritten
    response.on('close', () => {
      sentBytes += socket.bytesWritten - before
    })
    answer(request, response).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(500)
      response.end(String(error))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    url: `http://127.0.0.1:${port}/`,
    seen,
    faults,
    get sentBytes() {
      return sentBytes
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** Whether an attempt had a client ask more than any honest server would. */
export function hasRunAway({ seen, sentBytes }: MaliciousServer): boolean {
  return seen.length > MOST_REQUESTS || sentBytes > MOST_BYTES
}

function headersOf(request: IncomingMessage, isWithheld: (name: string) => boolean): Headers {
  const headers = new Headers()
  for (const [name, value] of Object.entries(request.headers)) {
    if (typeof value === 'string') headers.set(name, value)
  }
  // So that answers can be read and altered.
  headers.delete('accept-encoding')
  headers.delete('content-length')
  const able = (headers.get(CAPABILITIES_HEADER) ?? '').split(' ').filter((one) => !isWithheld(one))
  headers.set(CAPABILITIES_HEADER, able.join(' '))
  return headers
}

function withoutCapabilities(answer: Answer, isWithheld: (name: string) => boolean): Answer {
  const info = objectOf(jsonOf(String(answer.body)))
  const { capabilities } = info
  if (!Array.isArray(capabilities)) return answer
  const left = capabilities.filter((one) => typeof one === 'string' && !isWithheld(one))
  return { ...answer, body: JSON.stringify({ ...info, capabilities: left }) }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A JSON object, or an empty one for anything else. */
export function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}
}

/** An answer of JSON. */
export function json(body: unknown, status = 200): Answer {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
}

/** Answers honestly. */
export const honestly: Tamper = (_call, honest) => honest()

/** Answers these calls otherwise, all others honestly. */
export function instead(
  names: string | readonly string[],
  answer: Answer | RawAnswer | ((call: Call, honest: () => Promise<Answer>) => ReturnType<Tamper>),
): Tamper {
  const meant = new Set(typeof names === 'string' ? [names] : names)
  return (call, honest) => {
    if (!meant.has(call.name)) return honest()
    return typeof answer === 'function' ? answer(call, honest) : answer
  }
}

/** Alters what the honest service answers to these calls, where that is JSON. */
export function altering(
  names: string | readonly string[],
  alter: (body: Record<string, unknown>, call: Call) => unknown,
): Tamper {
  return instead(names, async (call, honest) => {
    const answer = await honest()
    const body = jsonOf(String(answer.body))
    if (answer.status >= 300 || body === undefined) return answer
    return { ...answer, body: JSON.stringify(await alter(objectOf(body), call)) }
  })
}

/** The calls whose answers say how a transfer stands. */
export const TRANSFER_CALLS = [
  'POST transfersessions',
  'GET transfersessions',
  'PATCH transfersessions',
] as const
