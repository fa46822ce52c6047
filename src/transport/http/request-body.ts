import { MAX_FSIC_TEXT, MAX_MESSAGE_DEPTH } from '../../core/limits.ts'
import { readJson } from '../../protocol/json-reader.ts'
import type { BufferRecord } from '../../protocol/messages.ts'
import type { Resource } from '../../protocol/paths.ts'
import { readChunk } from '../../protocol/record-reader.ts'
import { atMost, boundUnpacking, collectBytes, piecesOf, tooLarge } from './bytes.ts'
import type { Bytes } from './bytes.ts'
import type { Compressor } from './compressor.ts'
import type { Packing } from './packing.ts'

/** How large a chunk may be. */
export interface BodyLimits {
  readonly maxBodyBytes: number
  readonly maxUnzippedBytes: number
  readonly maxRecordBytes: number
}

const KIB = 1024

/** The largest message of each call but chunks, in bytes. Most have a few hundred; a form or JSON may escape all. */
const MESSAGE_BYTES: Readonly<Record<Exclude<Resource, 'buffers'>, number>> = {
  morangoinfo: KIB,
  nonces: KIB,
  publickey: KIB,
  certificates: 256 * KIB,
  // A chain whose texts are JSON in JSON in JSON.
  certificatechain: 1024 * KIB,
  syncsessions: 1024 * KIB,
  // With an FSIC, quotes escaped.
  transfersessions: MAX_FSIC_TEXT + 2048 * KIB,
}

/** Values in such a message; a chain may come as a list. */
const MESSAGE_VALUES = 10_000

/**
 * Reads the message of a request that carries no records: JSON, or a form where the original takes one (protocol §4).
 * An empty body reads as `{}`.
 *
 * @throws MorangoError `payload-too-large`, `malformed-message`; {@link UnsupportedMediaType}
 */
export async function readMessage(
  request: Request,
  resource: Exclude<Resource, 'buffers'>,
  { maxBodyBytes }: Pick<BodyLimits, 'maxBodyBytes'>,
): Promise<unknown> {
  const most = Math.min(maxBodyBytes, MESSAGE_BYTES[resource])
  requireLength(request, most)
  const [contentType, mediaType] = mediaTypeOf(request)
  const isForm = mediaType === 'application/x-www-form-urlencoded'
  const body = await firstPiece(bodyOf(request, most))
  if (body === undefined) return {}
  if (isForm) return formFields(await collectBytes(body, most))
  if (mediaType !== 'application/json') throw new UnsupportedMediaType(contentType)
  return await readJson(body, {
    limits: { bytes: most, values: MESSAGE_VALUES, depth: MAX_MESSAGE_DEPTH },
  })
}

/** What reading a chunk needs. */
export interface ChunkOptions extends BodyLimits {
  readonly compressor: Compressor
  readonly packings: readonly Packing[]
  /** Rejects unless records may come for a transfer. */
  readonly admit: (transferSessionId: string) => Promise<void>
  /** The transfer that was named, and admitted, before the body. */
  readonly admitted: string | undefined
}

/**
 * Reads a chunk of records as it comes: JSON, gzipped JSON (protocol §4), or packed in our own way.
 *
 * @returns undefined when the body is empty
 * @throws MorangoError `payload-too-large`, `malformed-message`; {@link UnsupportedMediaType}; as `admit`
 */
export async function readRecords(
  request: Request,
  options: ChunkOptions,
): Promise<BufferRecord[] | undefined> {
  const { compressor, packings, maxBodyBytes, maxUnzippedBytes, maxRecordBytes, admit, admitted } = options
  requireLength(request, maxBodyBytes)
  const [contentType, mediaType] = mediaTypeOf(request)
  const packing = packings.find(({ contentType: packed }) => packed === mediaType)
  const unpack =
    mediaType === 'application/gzip'
      ? (bytes: AsyncIterable<Bytes>) => compressor.gunzip(bytes)
      : packing && ((bytes: AsyncIterable<Bytes>) => packing.unpack(bytes))
  const body = await firstPiece(bodyOf(request, maxBodyBytes))
  if (body === undefined) return undefined
  if (unpack === undefined && mediaType !== 'application/json') throw new UnsupportedMediaType(contentType)
  const bound = boundUnpacking(maxRecordBytes)
  const limits = { maxChunkBytes: maxUnzippedBytes, maxRecordBytes }
  const source = unpack === undefined ? body : bound.outOf(unpack(bound.into(body)))
  return await readChunk({ source, packed: packing !== undefined, limits }, admit, admitted)
}

/** The content type of a request is none that its call knows: 415. */
export class UnsupportedMediaType extends Error {
  override readonly name = 'UnsupportedMediaType'

  constructor(contentType: string) {
    super(`Unsupported media type "${contentType}" in request.`)
  }
}

function mediaTypeOf(request: Request): [contentType: string, mediaType: string] {
  const contentType = request.headers.get('content-type') ?? ''
  return [contentType, contentType.split(';', 1)[0]?.trim().toLowerCase() ?? '']
}

function requireLength(request: Request, most: number): void {
  if (Number(request.headers.get('content-length') ?? 0) > most) throw tooLarge(most)
}

async function* bodyOf(request: Request, most: number): AsyncGenerator<Bytes, undefined> {
  if (request.body !== null) yield* atMost(piecesOf(request.body), most)
  return undefined
}

/** The same source; undefined when it has no bytes. */
async function firstPiece(
  source: AsyncGenerator<Bytes, undefined>,
): Promise<AsyncIterable<Bytes> | undefined> {
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop
    const first = await source.next()
    if (first.done === true) return undefined
    if (first.value.length > 0) return joined(first.value, source)
  }
}

async function* joined(first: Bytes, rest: AsyncIterable<Bytes>): AsyncGenerator<Bytes, undefined> {
  yield first
  yield* rest
  return undefined
}

function formFields(body: Bytes): unknown {
  return Object.fromEntries(new URLSearchParams(new TextDecoder().decode(body)))
}
