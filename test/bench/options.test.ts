import { describe, expect, it } from 'vitest'
import { copyText } from '../../bench/databases/copy-text.ts'
import { readOptions } from '../../bench/options.ts'

const pairs = (...args: string[]): unknown => {
  const options = readOptions(args)
  return options?.vs === 'plain-copy'
    ? options.pairs.map(({ client, server }) => `${client} ${server}`)
    : undefined
}

describe('the benchmark’s databases', () => {
  it('are SQLite where nothing is said', () => {
    expect(pairs()).toEqual(['sqlite sqlite'])
  })

  it('are taken in pairs, each client with each server', () => {
    expect(pairs('--client', 'sqlite,pglite', '--server', 'postgres')).toEqual([
      'sqlite postgres',
      'pglite postgres',
    ])
    expect(pairs('--pairs', 'all')).toHaveLength(9)
  })

  it.each([
    [['--client', 'mysql'], '--client: there is no database mysql, only sqlite, postgres, pglite'],
    [['--server', 'sqlite,'], '--server: there is no database without a name, only sqlite, postgres, pglite'],
    [['--pairs', 'some'], '--pairs is all, or else left out for --client and --server'],
    [['--pairs', 'all', '--server', 'sqlite'], '--pairs all is every pair: leave out --client and --server'],
    [['--vs', 'python', '--pairs', 'all'], '--pairs does not go with --vs python'],
  ])('are refused by %j', (args, message) => {
    expect(() => readOptions(args)).toThrow(message)
  })
})

describe('rows as a text to copy', () => {
  it('keeps nulls, tabs, newlines and backslashes apart', () => {
    const rows = [{ id: 'a\tb\\N\n\r', note: null, size: 1.5 }]
    expect([...copyText(rows)]).toEqual(['a\\tb\\\\N\\n\\r\t\\N\t1.5\n'])
  })
})
