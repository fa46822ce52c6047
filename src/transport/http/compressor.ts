import { MorangoError } from '../../core/errors.ts'
import { collectBytes } from './bytes.ts'
import type { Bytes } from './bytes.ts'

/**
 * Compression, as the transports use it. Injected where the runtime has a faster one: Node's `node:zlib` at level 1
 * or 2 takes a third of the time of the Web's streams, which know no level.
 */
export interface Compressor {
  gzip(bytes: Bytes): Promise<Bytes>
  /**
   * @throws MorangoError `payload-too-large` as soon as more than `limit` bytes have come out,
   * `malformed-message` when it is no gzip
   */
  gunzip(bytes: Bytes, limit: number): Promise<Bytes>
  /** Zstandard, where there is one: between two that have it records are packed with it. Throws as `gunzip` does. */
  readonly zstd?:
    | { pack(bytes: Bytes): Promise<Bytes>; unpack(bytes: Bytes, limit: number): Promise<Bytes> }
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
    return await collectBytes(streamOf(bytes).pipeThrough(new CompressionStream('gzip')), Infinity)
  },
  async gunzip(bytes, limit) {
    try {
      return await collectBytes(streamOf(bytes).pipeThrough(new DecompressionStream('gzip')), limit)
    } catch (error) {
      if (error instanceof MorangoError) throw error
      const detail = 'Gzip error - the body is not valid gzip.'
      throw new MorangoError('malformed-message', detail, { cause: error, details: { body: { detail } } })
    }
  },
}

// In small pieces, so that what a piece inflates to stays small before the reader's limit is looked at.
const PIECE = 16 * 1024

function streamOf(bytes: Bytes): ReadableStream<Bytes> {
  let offset = 0
  return new ReadableStream({
    pull(controller) {
      if (offset >= bytes.length) {
        controller.close()
        return
      }
      controller.enqueue(bytes.subarray(offset, offset + PIECE))
      offset += PIECE
    },
  })
}
