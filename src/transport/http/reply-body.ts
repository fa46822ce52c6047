import type { WireReply } from '../../protocol/exchange.ts'
import type { Compressor } from './compressor.ts'

/** Below this many bytes compressing saves less than it costs. */
const WORTH_COMPRESSING = 1024

/** How an answer may be packed. */
export interface Packing {
  /** The client's header. */
  readonly acceptEncoding: string | null | undefined
  /**
   * Whether the content may be gzip itself, to be unpacked by the client in one go. As an encoding `fetch` unpacks
   * it, bit by bit, which takes Node twice the time of all the rest.
   */
  readonly asContent: boolean
}

/** The response for an answer: compact JSON in raw UTF-8, gzipped where the client takes that (protocol §4). */
export async function encodeReply(
  reply: WireReply,
  packing: Packing,
  compressor: Compressor,
  headers: Headers,
): Promise<Response> {
  if (reply.body === undefined) {
    // A client that keeps the connection needs to know that nothing follows.
    if (reply.status !== 204) headers.set('content-length', '0')
    return new Response(null, { status: reply.status, headers })
  }
  headers.set('content-type', 'application/json')
  const body = new TextEncoder().encode(JSON.stringify(reply.body))
  if (body.length < WORTH_COMPRESSING) return sized(body, reply.status, headers)
  if (packing.asContent && reply.status < 300) {
    headers.set('content-type', 'application/gzip')
    return sized(await compressor.gzip(body), reply.status, headers)
  }
  headers.set('vary', 'Accept-Encoding')
  if (!acceptsGzip(packing.acceptEncoding)) return sized(body, reply.status, headers)
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
