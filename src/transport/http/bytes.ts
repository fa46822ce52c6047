import { MorangoError } from '../../core/errors.ts'
import { MAX_UNPACK_RATIO } from '../../core/limits.ts'

/** Bytes as the Web's interfaces take them. */
export type Bytes = Uint8Array<ArrayBuffer>

/** The pieces of a stream, which is given up when nobody asks for the next. */
export async function* piecesOf<T>(stream: ReadableStream<T>): AsyncGenerator<T, undefined> {
  const reader = stream.getReader()
  let ended = false
  try {
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop
      const { done, value } = await reader.read()
      if (done) {
        ended = true
        return undefined
      }
      yield value
    }
  } finally {
    // Not awaited: what is behind the stream may not answer, and its failure is of no more interest.
    if (!ended) reader.cancel().catch(() => undefined)
  }
}

/** Bytes that are there already, as a source. */
export async function* onePiece(bytes: Bytes): AsyncGenerator<Bytes, undefined> {
  yield bytes
  return undefined
}

/**
 * Gives pieces on, and stops as soon as there are more than `limit` bytes.
 *
 * @throws MorangoError `payload-too-large`
 */
export async function* atMost<T extends Uint8Array>(
  pieces: AsyncIterable<T>,
  limit: number,
  onBytes?: (count: number) => void,
): AsyncGenerator<T, undefined> {
  let size = 0
  for await (const piece of pieces) {
    size += piece.length
    onBytes?.(piece.length)
    if (size > limit) throw tooLarge(limit)
    yield piece
  }
  return undefined
}

/** Counts what goes into an unpacking, and bounds what comes out by a multiple of it. */
export interface UnpackBound {
  readonly into: (packed: AsyncIterable<Bytes>) => AsyncGenerator<Bytes, undefined>
  readonly outOf: <T extends Uint8Array>(unpacked: AsyncIterable<T>) => AsyncGenerator<T, undefined>
}

/**
 * A bound on what packed bytes may become: `free` bytes, and beyond that {@link MAX_UNPACK_RATIO} times what went in.
 *
 * @param known - how much goes in, where that is known before
 * @returns `outOf` throws MorangoError `payload-too-large`.
 */
export function boundUnpacking(free: number, known = 0): UnpackBound {
  let packedBytes = known
  return {
    into: (packed) =>
      atMost(packed, Infinity, (count) => {
        packedBytes += count
      }),
    async *outOf(unpacked) {
      let size = 0
      for await (const piece of unpacked) {
        size += piece.length
        if (size > free + packedBytes * MAX_UNPACK_RATIO) {
          throw new MorangoError('payload-too-large', 'The body unpacks to more than is allowed.')
        }
        yield piece
      }
      return undefined
    },
  }
}

/**
 * All bytes of a source, which is given up as soon as there are more than `limit`.
 *
 * @throws MorangoError `payload-too-large`
 */
export async function collectBytes(source: AsyncIterable<Uint8Array>, limit: number): Promise<Bytes> {
  const pieces: Uint8Array[] = []
  let size = 0
  for await (const piece of atMost(source, limit)) {
    pieces.push(piece)
    size += piece.length
  }
  return joinBytes(pieces, size)
}

/** The first bytes of a source, `most` at most; the rest is not read. */
export async function firstBytes(source: AsyncIterable<Uint8Array>, most: number): Promise<Bytes> {
  const pieces: Uint8Array[] = []
  let size = 0
  for await (const piece of source) {
    const taken = piece.subarray(0, most - size)
    pieces.push(taken)
    size += taken.length
    if (size >= most) break
  }
  return joinBytes(pieces, size)
}

/** The error for a body beyond its limit. */
export function tooLarge(limit: number): MorangoError {
  return new MorangoError('payload-too-large', `The body is larger than ${limit} bytes.`, {
    details: { limit },
  })
}

function joinBytes(pieces: readonly Uint8Array[], size: number): Bytes {
  const joined = new Uint8Array(size)
  let offset = 0
  for (const piece of pieces) {
    joined.set(piece, offset)
    offset += piece.length
  }
  return joined
}
