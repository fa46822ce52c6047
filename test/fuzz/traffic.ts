import { gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import fc from 'fast-check'
import { hostileText } from './hostile.ts'
import { applyByteEdits, applyEdits, applyTextEdits, edit, textEdits } from './mutate.ts'
import type { Edit, TextEdit } from './mutate.ts'

/** How a request or an answer is changed on its way. */
export interface Change {
  /** Which one of a sync, from 0. */
  readonly nth: number
  readonly edits: readonly Edit[]
  /** Of the bytes as they travel. */
  readonly bytes: readonly TextEdit[]
  readonly path: readonly TextEdit[]
  readonly query: readonly TextEdit[]
  readonly method: string | undefined
  readonly header: readonly [name: string, text: string] | undefined
}

const seldom = <T>(arbitrary: fc.Arbitrary<T>, otherwise: T): fc.Arbitrary<T> =>
  fc.oneof({ weight: 7, arbitrary: fc.constant(otherwise) }, { weight: 1, arbitrary })

export const change: fc.Arbitrary<Change> = fc.record({
  nth: fc.nat(20),
  edits: fc.array(edit, { minLength: 1, maxLength: 3 }),
  bytes: seldom(textEdits([]), []),
  path: seldom(textEdits([]), []),
  query: seldom(textEdits([]), []),
  method: seldom<string | undefined>(
    fc.constantFrom('GET', 'POST', 'PATCH', 'PUT', 'DELETE', 'HEAD'),
    undefined,
  ),
  header: seldom<readonly [string, string] | undefined>(
    fc.tuple(
      fc.constantFrom('content-type', 'x-morango-capabilities', 'authorization', 'host', 'accept-encoding'),
      fc.oneof(hostileText, fc.constantFrom('application/gzip', 'application/json')),
    ),
    undefined,
  ),
})

/** The request, changed; itself stays as it is. */
export async function changedRequest(request: Request, how: Change): Promise<Request> {
  const url = new URL(request.url)
  url.pathname = applyTextEdits(url.pathname, how.path)
  url.search = applyTextEdits(url.search, how.query)
  const headers = changedHeaders(request.headers, how)
  const method = how.method ?? request.method
  const sent = new Uint8Array(await request.clone().arrayBuffer())
  const body = changedBody(sent, request.headers.get('content-type'), how)
  return new Request(url, { method, headers, ...(method !== 'GET' && method !== 'HEAD' && { body }) })
}

/** An answer like this one, changed. */
export async function changedResponse(response: Response, how: Change): Promise<Response> {
  const sent = new Uint8Array(await response.arrayBuffer())
  const headers = changedHeaders(response.headers, how)
  headers.delete('content-length')
  const isGzip = headers.get('content-encoding') === 'gzip'
  headers.delete('content-encoding')
  const body = changedBody(
    isGzip ? Uint8Array.from(gunzipSync(sent)) : sent,
    headers.get('content-type'),
    how,
  )
  return new Response(response.status === 204 ? null : body, { status: response.status, headers })
}

function changedBody(
  sent: Uint8Array<ArrayBuffer>,
  contentType: string | null,
  { edits, bytes }: Change,
): Uint8Array<ArrayBuffer> {
  const [unpack, pack] = packingOf(contentType)
  if (sent.length === 0) return applyByteEdits(sent, bytes)
  const text = JSON.stringify(applyEdits(JSON.parse(Buffer.from(unpack(sent)).toString()), edits))
  return applyByteEdits(pack(Buffer.from(text ?? 'null')), bytes)
}

function packingOf(
  contentType: string | null,
): readonly [unpack: (bytes: Uint8Array) => Uint8Array, pack: (bytes: Uint8Array) => Uint8Array] {
  if (contentType?.endsWith('zstd') === true) return [zstdDecompressSync, zstdCompressSync]
  if (contentType?.endsWith('gzip') === true) return [gunzipSync, gzipSync]
  return [(bytes) => bytes, (bytes) => bytes]
}

function changedHeaders(from: Headers, { header }: Change): Headers {
  const headers = new Headers(from)
  if (header === undefined) return headers
  try {
    headers.set(...header)
  } catch {
    // No header can have this text.
  }
  return headers
}
