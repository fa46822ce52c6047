import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  addSums,
  HALF,
  HASH_FACTORS,
  HASH_PRIME,
  sumToText,
  versionHash,
} from '../../src/core/version-hash.ts'

const id = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 32)

/** The same by integers of any size. */
function exactly(record: string, counter: number): { high: bigint; low: bigint } {
  const digits = BigInt(`0x${record.slice(0, 8)}${record.slice(25)}`)
  const prime = BigInt(HASH_PRIME)
  const combine = ([upper, lower, factor, added]: readonly number[]): bigint =>
    ((digits >> 30n) * BigInt(upper ?? 0) +
      (digits & 0x3fff_ffffn) * BigInt(lower ?? 0) +
      BigInt(counter) * BigInt(factor ?? 0) +
      BigInt(added ?? 0)) %
    prime
  const [a, b] = [combine(HASH_FACTORS.x), combine(HASH_FACTORS.y)]
  return { high: (a * a + b) % prime, low: (b * b + a) % prime }
}

const sumOf = (versions: readonly (readonly [string, number])[]): string =>
  sumToText(versions.map(([one, counter]) => versionHash(one, counter)).reduce(addSums, { high: 0, low: 0 }))

describe('the hash of a version', () => {
  it('is exact for every id and counter', () => {
    const ids = ['0'.repeat(32), 'f'.repeat(32), ...Array.from({ length: 500 }, (_, n) => id(String(n)))]
    for (const one of ids) {
      for (const counter of [0, 1, 2, 65_535, 65_536, 0x7fff_ffff]) {
        const { high, low } = versionHash(one, counter)
        expect({ high: BigInt(high), low: BigInt(low) }).toEqual(exactly(one, counter))
      }
    }
  })

  it('stays below what a database takes for an integer on its way', () => {
    const most = (1n << 63n) - 1n
    for (const [upper, lower, counter, added] of Object.values(HASH_FACTORS)) {
      const highest =
        BigInt(upper) * 0x3fff_ffffn + BigInt(lower) * 0x3fff_ffffn + BigInt(counter) * 0x7fff_ffffn
      expect(highest + BigInt(added) <= most).toBe(true)
    }
    expect(BigInt(HASH_PRIME) * BigInt(HASH_PRIME) + BigInt(HASH_PRIME) <= most).toBe(true)
  })

  it('differs when a record is missing, another one is there, or versions are exchanged, also for ids in a row', () => {
    const row = (n: number): string => n.toString(16).padStart(32, '0')
    for (const name of [id, (text: string): string => row(Number(text))]) {
      const [one, two, three, four] = ['1', '2', '3', '4'].map(name)
      if (one === undefined || two === undefined || three === undefined || four === undefined)
        throw new Error()
      const sums = [
        sumOf([
          [one, 5],
          [four, 5],
        ]),
        sumOf([
          [two, 5],
          [three, 5],
        ]),
        sumOf([[one, 5]]),
        sumOf([
          [one, 6],
          [four, 4],
        ]),
        sumOf([
          [one, 4],
          [four, 6],
        ]),
        sumOf([
          [one, 5],
          [four, 5],
          [two, 1],
        ]),
      ]
      expect(new Set(sums).size).toBe(sums.length)
    }
  })

  it('does not collide among fifty thousand versions', () => {
    const seen = new Set<string>()
    for (let n = 0; n < 5000; n++) {
      const one = id(String(n))
      for (let counter = 1; counter <= 10; counter++) seen.add(sumToText(versionHash(one, counter)))
    }
    expect(seen.size).toBe(50_000)
  })

  it('sums in any order, and takes out what was put in', () => {
    const [a, b] = [versionHash(id('a'), 1), versionHash(id('b'), 2)]
    expect(addSums(a, b)).toEqual(addSums(b, a))
    expect(addSums(addSums(a, b), { high: HALF - b.high, low: HALF - b.low })).toEqual(a)
    expect(sumToText({ high: 1, low: HALF - 1 })).toBe('00000001ffffffff')
  })
})
