import { describe, expect, it } from 'vitest'
import { createChunkSizes } from '../../src/session/chunk-size.ts'

const SMALL = 300

function after(mayGrow: boolean, chunks: readonly { ms: number; each?: number; records?: number }[]): number {
  const sizes = createChunkSizes(500, mayGrow)
  for (const { ms, each = SMALL, records = sizes.size } of chunks) {
    sizes.learn({ records, characters: records * each, ms })
  }
  return sizes.size
}

const quick = { ms: 20 }
const slow = { ms: 5000 }

describe('the size of chunks', () => {
  it('stays as it is where it may not grow', () => {
    expect(after(false, [quick, quick])).toBe(500)
  })

  it('grows while chunks are quick, up to a bound', () => {
    expect(after(true, [quick])).toBe(1000)
    expect(after(true, [quick, quick, quick, quick])).toBe(2000)
  })

  it('stays while they are neither quick nor slow, shrinks when they are slow, to what it was at first', () => {
    expect(after(true, [quick, { ms: 1000 }])).toBe(1000)
    expect(after(true, [quick, quick, slow])).toBe(1000)
    expect(after(true, [quick, slow, slow, slow])).toBe(500)
  })

  it('does not grow with large records, nor by a chunk that was not full', () => {
    expect(after(true, [{ ms: 20, each: 100_000 }])).toBe(500)
    expect(after(true, [{ ms: 20, each: 2500 }])).toBe(800)
    expect(after(true, [{ ms: 20, records: 3 }])).toBe(500)
  })
})
