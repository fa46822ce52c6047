import { expect, test } from 'vitest'
import { boundConflictingData } from '../../src/core/conflicting-data.ts'
import { exceedsBytes, utf8Bytes } from '../../src/core/text-bytes.ts'

const versions = (count: number, length = 10): string[] =>
  Array.from({ length: count }, (_, index) => JSON.stringify({ v: index, text: 'x'.repeat(length) }))
const textOf = (list: readonly string[]): string => list.map((version) => `${version}\n`).join('')

test('keeps the newest sixteen versions, and gives the others', () => {
  const all = versions(20)
  expect(boundConflictingData(textOf(all.slice(0, 16)))).toEqual({
    kept: textOf(all.slice(0, 16)),
    dropped: [],
  })
  expect(boundConflictingData(textOf(all))).toEqual({
    kept: textOf(all.slice(0, 16)),
    dropped: all.slice(16),
  })
})

test('keeps 256 kB at most', () => {
  const all = versions(5, 100_000)
  expect(boundConflictingData(textOf(all))).toEqual({ kept: textOf(all.slice(0, 2)), dropped: all.slice(2) })
  const [huge = ''] = versions(1, 300_000)
  expect(boundConflictingData(textOf([huge]))).toEqual({ kept: '', dropped: [huge] })
})

test('gives the oldest of very many as one text, and fewer where each would repeat much', () => {
  const all = versions(300)
  const { kept, dropped } = boundConflictingData(textOf(all))
  expect(kept).toBe(textOf(all.slice(0, 16)))
  expect(dropped).toHaveLength(100)
  expect(dropped.slice(0, 99)).toEqual(all.slice(16, 115))
  expect(dropped[99]).toBe(textOf(all.slice(115)))
  expect(boundConflictingData(textOf(all), 8_000_000).dropped).toEqual([textOf(all.slice(16))])
  expect(boundConflictingData(textOf(all.slice(0, 17)), 8_000_000).dropped).toEqual([all[16]])
  expect(boundConflictingData('1\n'.repeat(4_000_000)).dropped).toHaveLength(100)
})

test('counts UTF-8 bytes', () => {
  for (const text of ['', 'abc', 'äöü', '€', '😀', 'a😀€ä']) {
    const bytes = new TextEncoder().encode(text).length
    expect(utf8Bytes(text)).toBe(bytes)
    expect(exceedsBytes(bytes, text)).toBe(false)
    expect(exceedsBytes(bytes - 1, text)).toBe(true)
  }
})
