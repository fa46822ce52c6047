import { createAdaptiveSize } from '../core/adaptive-size.ts'

/** How many records go into a chunk, as a transfer goes on. */
export interface ChunkSizes {
  /** For the next chunk. */
  readonly size: number
  /** What one took: where chunks may grow, the next ones follow it. */
  learn(chunk: { readonly records: number; readonly characters: number; readonly ms: number }): void
}

const MOST_GROWTH = 4
const QUICK_MS = 500
const SLOW_MS = 2000
/** What is lost with a connection, and held in memory some times over. */
const MOST_CHARACTERS = 2_000_000

/**
 * The size of chunks. Each costs both sides a transaction and a way there and back, so between peers that pack them
 * they grow while the link is quick and records are small, and shrink again where it is slow: what is lost with a
 * connection then has to be sent again.
 */
export function createChunkSizes(first: number, mayGrow: boolean): ChunkSizes {
  const most = mayGrow ? first * MOST_GROWTH : first
  const sizes = createAdaptiveSize({ first, most, quickMs: QUICK_MS, slowMs: SLOW_MS })
  return {
    get size() {
      return sizes.size
    },
    learn({ records, characters, ms }) {
      if (records === 0) return
      sizes.learn(records, ms, Math.floor((MOST_CHARACTERS * records) / Math.max(1, characters)))
    },
  }
}
