import { gzipSync } from 'node:zlib'
import { isJson } from './transcripts-data.ts'
import type { Exchange } from './transcripts-data.ts'
import type { ReplayServer } from './transcripts-server.ts'

const NOT_SENT = new Set(['host', 'connection', 'content-length', 'accept-encoding'])
const API = '/api/morango/v1/'

/** What our server answered. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The JSON of the body; undefined when it is empty or none. */
  readonly body: unknown
}

/**
 * Sends a recorded request to our server, as it was. Its signatures and ids hold here, and ours can be
 * compared with the recorded ones, because our server makes up what the recorded one made up: the ids of
 * nonces and the salts of certificates. Its instance id is the recorded one, and its counters come out alike.
 *
 * @param next the exchange after it, which may tell what an answer that was kept back had made up
 */
export async function replay(
  server: ReplayServer,
  baseUrl: string,
  exchange: Exchange,
  next: Exchange | undefined,
): Promise<Answer> {
  server.invent(inventedId(exchange, next))
  const { method, request_headers: headers } = exchange
  const query = exchange.query_raw === '' ? '' : `?${exchange.query_raw}`
  const body = requestBody(exchange)
  const response = await server.app.request(new URL(exchange.path + query, baseUrl).href, {
    method,
    headers: Object.entries(headers).filter(([name]) => !NOT_SENT.has(name.toLowerCase())),
    ...(body !== undefined && { body }),
  })
  const text = await response.text()
  const isJsonText = text !== '' && response.headers.get('content-type') === 'application/json'
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: isJsonText ? JSON.parse(text) : undefined,
  }
}

function requestBody(exchange: Exchange): Uint8Array<ArrayBuffer> | string | undefined {
  if (exchange.request_body_encoding === 'gzip')
    return Uint8Array.from(gzipSync(JSON.stringify(exchange.request_body)))
  return exchange.request_body_raw ?? undefined
}

function inventedId({ method, path, response_body: body }: Exchange, next?: Exchange): string | undefined {
  if (method !== 'POST') return undefined
  if (path === `${API}certificates/`) return textIn(body, 'salt')
  return path === `${API}nonces/` ? (textIn(body, 'id') ?? textIn(next?.request_body, 'nonce')) : undefined
}

function textIn(value: unknown, key: string): string | undefined {
  const member = isJson(value) ? value[key] : undefined
  return typeof member === 'string' ? member : undefined
}
