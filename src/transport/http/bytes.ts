import { MorangoError } from '../../core/errors.ts'

/** Bytes as the Web's interfaces take them. */
export type Bytes = Uint8Array<ArrayBuffer>

/**
 * All bytes of a stream, which is given up as soon as there are more than `limit`.
 *
 * @param onBytes - told of each piece
 * @throws MorangoError `payload-too-large`
 */
export async function collectBytes(
  stream: ReadableStream<Uint8Array>,
  limit: number,
  onBytes?: (count: number) => void,
): Promise<Bytes> {
  const reader = stream.getReader()
  const pieces: Uint8Array[] = []
  let size = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return joinBytes(pieces, size)
    size += value.length
    onBytes?.(value.length)
    if (size > limit) {
      // Not awaited: what is behind the stream may not answer, and its failure is of no more interest.
      reader.cancel().catch(() => undefined)
      throw tooLarge(limit)
    }
    pieces.push(value)
  }
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
