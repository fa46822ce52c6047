/** How many records go into a chunk, as a transfer goes on. */
export interface ChunkSizes {
  /** For the next chunk. */
  readonly size: number
  /** What one took: where chunks may grow, the next ones follow it. */
  learn(chunk: { readonly records: number; readonly characters: number; readonly ms: number }): void
}

/** Where chunks may grow, they do so to this many times the size they begin with. */
const MOST_GROWTH = 4
/** A chunk that took less is followed by one twice as large; one that took {@link SLOW_MS}, by one half as large. */
const QUICK_MS = 500
const SLOW_MS = 2000
/** What is lost with a connection, and held in memory some times over. */
const MOST_CHARACTERS = 2_000_000

/**
 * The size of chunks. Each costs both sides a transaction and a way there and back, so between peers that pack them
 * they grow while the link is quick and records are small, and shrink again where it is slow: what is lost with a
 * connection then has to be sent again. They never get smaller than what they begin with.
 */
export function createChunkSizes(first: number, mayGrow: boolean): ChunkSizes {
  let size = first
  return {
    get size() {
      return size
    },
    learn({ records, characters, ms }) {
      if (!mayGrow || records < size) return
      const wanted = ms < QUICK_MS ? size * 2 : ms > SLOW_MS ? Math.floor(size / 2) : size
      const fitting = Math.floor(MOST_CHARACTERS / Math.max(1, characters / records))
      size = Math.max(first, Math.min(wanted, first * MOST_GROWTH, fitting))
    },
  }
}
