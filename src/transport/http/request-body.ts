import { MorangoError } from '../../core/errors.ts'
import { malformedMessage } from '../../protocol/decode.ts'
import { unpackRecords } from '../../protocol/packed-records.ts'
import type { Resource } from '../../protocol/paths.ts'
import { collectBytes, tooLarge } from './bytes.ts'
import type { Bytes } from './bytes.ts'
import type { Compressor } from './compressor.ts'
import type { Packing } from './packing.ts'

/** How large a body may be. */
export interface BodyLimits {
  readonly maxBodyBytes: number
  readonly maxUnzippedBytes: number
}

/**
 * Reads the message of a request: JSON, a form where the original takes one, gzipped JSON for buffers
 * (protocol §4). An empty body reads as `{}`.
 *
 * @throws MorangoError `payload-too-large`, `malformed-message`; {@link UnsupportedMediaType}
 */
export async function readMessage(
  request: Request,
  resource: Resource,
  {
    compressor,
    packings,
    ...limits
  }: BodyLimits & {
    readonly compressor: Compressor
    readonly packings: readonly Packing[]
  },
): Promise<unknown> {
  const body = await readBody(request, limits.maxBodyBytes)
  if (body.length === 0) return {}
  const contentType = request.headers.get('content-type') ?? ''
  const mediaType = contentType.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  if (mediaType === 'application/json') return parseJson(body)
  if (mediaType === 'application/gzip' && resource === 'buffers') {
    return parseJson(await compressor.gunzip(body, limits.maxUnzippedBytes))
  }
  const packing = packings.find(({ contentType: packed }) => packed === mediaType)
  if (packing !== undefined && resource === 'buffers') {
    const limit = limits.maxUnzippedBytes
    return unpackRecords(parseJson(await packing.unpack(body, limit)), limit, malformedMessage)
  }
  if (mediaType === 'application/x-www-form-urlencoded' && resource !== 'buffers') {
    return Object.fromEntries(new URLSearchParams(new TextDecoder().decode(body)))
  }
  throw new UnsupportedMediaType(contentType)
}

/** The content type of a request is none that its call knows: 415. */
export class UnsupportedMediaType extends Error {
  override readonly name = 'UnsupportedMediaType'

  constructor(contentType: string) {
    super(`Unsupported media type "${contentType}" in request.`)
  }
}

async function readBody(request: Request, limit: number): Promise<Bytes> {
  if (Number(request.headers.get('content-length') ?? 0) > limit) throw tooLarge(limit)
  return request.body === null ? new Uint8Array() : await collectBytes(request.body, limit)
}

function parseJson(body: Bytes): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch (error) {
    const reason = error instanceof SyntaxError ? jsonProblem(error) : 'the body is not valid UTF-8'
    const detail = `JSON parse error - ${reason}`
    throw new MorangoError('malformed-message', detail, { details: { body: { detail } } })
  }
}

/** V8 quotes the text it stumbles over, which may be a record's content. */
function jsonProblem(error: SyntaxError): string {
  const position = /at position \d+(?: \(line \d+ column \d+\))?/.exec(error.message)?.[0]
  return position === undefined ? 'the text is not valid JSON' : `unexpected text ${position}`
}
