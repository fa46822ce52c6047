import { describe, expect, it } from 'vitest'
import { faultyIds, isFull, isRowFault } from '../../src/storage/postgres/errors.ts'

const [A, B] = ['a'.repeat(32), 'b'.repeat(32)] as [string, string]

function errorOf(code: string, detail?: string): Error {
  return Object.assign(new Error('refused'), { code, ...(detail !== undefined && { detail }) })
}

describe('what an error of PostgreSQL tells', () => {
  it('names the row that breaks a check, whatever form its id has', () => {
    const dashed = 'aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa'
    expect(faultyIds(errorOf('23514', `Failing row contains (${A}, x, -1).`), [A, B])).toEqual(new Set([A]))
    expect(faultyIds(errorOf('23514', `Failing row contains (${dashed}, x, -1).`), [A, B])).toEqual(
      new Set([A]),
    )
    expect(faultyIds(errorOf('23505', 'Key (code)=(taken) already exists.'), [A, B])).toEqual(new Set())
    expect(faultyIds(errorOf('23514'), [A, B])).toEqual(new Set())
  })

  it('tells a full disk from what is wrong with a row', () => {
    expect([isFull(errorOf('53100')), isRowFault(errorOf('53100'))]).toEqual([true, false])
    expect([isFull(errorOf('23514')), isRowFault(errorOf('23514'))]).toEqual([false, true])
  })
})
