import { MorangoError } from '../../core/errors.ts'
import { collectBytes, onePiece, piecesOf } from './bytes.ts'
import type { Bytes } from './bytes.ts'

/**
 * Compression, as the transports use it. Injected where the runtime has a faster one: Node's `node:zlib` at level 1
 * or 2 takes a third of the time of the Web's streams, which know no level.
 *
 * What unpacks gives pieces as they come out, and stops when nobody asks for more: a few bytes may hold any number. It
 * throws MorangoError `malformed-message` for what is not in its format.
 */
export interface Compressor {
  gzip(bytes: Bytes): Promise<Bytes>
  gunzip(packed: AsyncIterable<Bytes>): AsyncIterable<Uint8Array>
  /** Zstandard, where there is one: between two that have it records are packed with it. */
  readonly zstd?:
    | { pack(bytes: Bytes): Promise<Bytes>; unpack(packed: AsyncIterable<Bytes>): AsyncIterable<Uint8Array> }
    | undefined
}

let fastest: Compressor | undefined

/** Makes a compressor the default of this process. What brings a runtime with it calls this (`morango/sqlite` and
 * `morango/postgres` do). */
export function useCompressor(compressor: Compressor): void {
  fastest = compressor
}

/** The one to use where none is named. */
export function defaultCompressor(): Compressor {
  return fastest ?? webCompressor
}

/** On what every runtime has: `CompressionStream`. */
export const webCompressor: Compressor = {
  async gzip(bytes) {
    return await collectBytes(piecesOf(streamOf(bytes).pipeThrough(new CompressionStream('gzip'))), Infinity)
  },
  async *gunzip(packed) {
    const source = inSmallPieces(packed)
    const reader = streamFrom(source).pipeThrough(new DecompressionStream('gzip')).getReader()
    try {
      for (;;) {
        // oxlint-disable-next-line no-await-in-loop
        const { done, value } = await reader.read()
        if (done) return
        yield value
      }
    } catch (error) {
      throw notInFormat('Gzip', 'gzip', error)
    } finally {
      // Not cancelled: Node's DecompressionStream may then throw where nobody can catch it, and the process ends. What
      // one small piece unpacks to is left in it, and goes with it.
      source.return(undefined).catch(() => undefined)
    }
  },
}

/** The error for bytes that cannot be unpacked; one that came from where they come from stays itself. */
export function notInFormat(title: string, format: string, cause: unknown): MorangoError {
  if (cause instanceof MorangoError) return cause
  const detail = `${title} error - the body is not valid ${format}.`
  return new MorangoError('malformed-message', detail, { cause, details: { body: { detail } } })
}

// In small pieces, so that what a piece inflates to stays small before the reader's limit is looked at.
const PIECE = 16 * 1024

function streamOf(bytes: Bytes): ReadableStream<Bytes> {
  return streamFrom(inSmallPieces(onePiece(bytes)))
}

function streamFrom(small: AsyncGenerator<Bytes, undefined>): ReadableStream<Bytes> {
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await small.next()
      if (done === true) controller.close()
      else controller.enqueue(value)
    },
    async cancel() {
      await small.return(undefined)
    },
  })
}

async function* inSmallPieces(pieces: AsyncIterable<Bytes>): AsyncGenerator<Bytes, undefined> {
  for await (const piece of pieces) {
    for (let at = 0; at < piece.length; at += PIECE) yield piece.subarray(at, at + PIECE)
  }
  return undefined
}
