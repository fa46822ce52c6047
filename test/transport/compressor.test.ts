import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { zlibCompressor } from '../../src/node/zlib-compressor.ts'
import { type Bytes, collectBytes } from '../../src/transport/http/bytes.ts'
import { webCompressor } from '../../src/transport/http/compressor.ts'

const BOMB = gzipSync(Buffer.alloc(20_000_000, '[],'))

/** Lets everything happen that is due. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
}

describe.each([
  ['the Web', webCompressor],
  ['Node', zlibCompressor],
])('unpacking by %s', (_, compressor) => {
  it.each([1, 2, 3, 5, 8])('may be given up after %i pieces', async (pieces) => {
    let given = 0
    let isGivenUp = false
    async function* source(): AsyncGenerator<Bytes, undefined> {
      try {
        for (;;) {
          given++
          yield new Uint8Array(BOMB)
        }
      } finally {
        isGivenUp = true
      }
    }
    const failures: unknown[] = []
    const note = (error: unknown): number => failures.push(error)
    process.on('uncaughtExceptionMonitor', note)
    let taken = 0
    for await (const piece of compressor.gunzip(source())) {
      expect(piece.length).toBeGreaterThan(0)
      if (++taken === pieces) break
      await settle()
    }
    await settle()
    process.off('uncaughtExceptionMonitor', note)
    expect(failures).toEqual([])
    expect(isGivenUp).toBe(true)
    expect(given).toBeLessThan(20)
  })

  it('gives all that was packed, and says what is not in its format', async () => {
    async function* source(bytes: Uint8Array): AsyncGenerator<Bytes, undefined> {
      yield new Uint8Array(bytes)
      return undefined
    }
    expect((await collectBytes(compressor.gunzip(source(BOMB)), Infinity)).length).toBe(20_000_000)
    await expect(
      collectBytes(compressor.gunzip(source(Buffer.from('nonsense'))), Infinity),
    ).rejects.toMatchObject({ code: 'malformed-message' })
  })
})
