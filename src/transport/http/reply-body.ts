import type { WireReply } from '../../protocol/exchange.ts'
import { packPage } from '../../protocol/buffer-page.ts'
import type { Compressor } from './compressor.ts'
import type { Packing } from './packing.ts'

/** Below this many bytes compressing saves less than it costs. */
const WORTH_COMPRESSING = 1024

/** How an answer may be carried. */
export interface Carriage {
  /** The client's header. */
  readonly acceptEncoding: string | null | undefined
  /** Of our own kind, if the client can unpack it. */
  readonly packing: Packing | undefined
}

/**
 * The response for an answer: compact JSON in raw UTF-8, gzipped where the client takes that (protocol §4);
 * a page of buffers packed where it can unpack it.
 */
export async function encodeReply(
  reply: WireReply,
  { acceptEncoding, packing }: Carriage,
  compressor: Compressor,
  headers: Headers,
): Promise<Response> {
  if (reply.body === undefined) {
    // A client that keeps the connection needs to know that nothing follows.
    if (reply.status !== 204) headers.set('content-length', '0')
    return new Response(null, { status: reply.status, headers })
  }
  const packed = packing === undefined ? undefined : packPage(reply.body)
  if (packing !== undefined && packed !== undefined) {
    headers.set('content-type', packing.contentType)
    const bytes = new TextEncoder().encode(JSON.stringify(packed))
    return sized(await packing.pack(bytes), reply.status, headers)
  }
  headers.set('content-type', 'application/json')
  const body = new TextEncoder().encode(JSON.stringify(reply.body))
  if (body.length < WORTH_COMPRESSING) return sized(body, reply.status, headers)
  headers.set('vary', 'Accept-Encoding')
  if (!acceptsGzip(acceptEncoding)) return sized(body, reply.status, headers)
  headers.set('content-encoding', 'gzip')
  return sized(await compressor.gzip(body), reply.status, headers)
}

/** Whether an `Accept-Encoding` header allows gzip. */
export function acceptsGzip(acceptEncoding: string | null | undefined): boolean {
  const weights = new Map(
    (acceptEncoding ?? '').split(',').map((item) => {
      const [coding = '', ...parameters] = item.split(';').map((part) => part.trim().toLowerCase())
      const quality = parameters.find((parameter) => parameter.startsWith('q='))
      return [coding, quality === undefined ? 1 : Number(quality.slice(2))]
    }),
  )
  return (weights.get('gzip') ?? weights.get('*') ?? 0) > 0
}

function sized(body: Uint8Array<ArrayBuffer>, status: number, headers: Headers): Response {
  headers.set('content-length', String(body.length))
  return new Response(body, { status, headers })
}
