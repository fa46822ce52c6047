import { expect, it } from 'vitest'
import { locksFor } from '../../src/storage/partition-locks.ts'

const A = 'a'.repeat(32)
const B = 'b'.repeat(32)

it('a filter within primary partitions locks these, and shares the whole', () => {
  const [whole, ...parts] = locksFor([`${B}:u1`, A, `${A}:x`, `${B}:u2`], 'exclusive')
  expect(whole?.mode).toBe('shared')
  expect(parts.map(({ mode }) => mode)).toEqual(['exclusive', 'exclusive'])
  expect(locksFor([A, B], 'exclusive')).toEqual(locksFor([B, A], 'exclusive'))
  expect(locksFor([`${A}:x`], 'shared').map(({ mode }) => mode)).toEqual(['shared', 'shared'])
  expect(locksFor([`${A}:x`], 'shared')[1]?.key).toBe(locksFor([`${A}-y`], 'exclusive')[1]?.key)
})

it.each([[undefined], [['']], [['a']], [[A, 'b:']]])('%j locks the whole', (filter) => {
  const [whole] = locksFor([A], 'shared')
  for (const mode of ['shared', 'exclusive'] as const) {
    expect(locksFor(filter, mode)).toEqual([{ key: whole?.key, mode: 'exclusive' }])
  }
})
