import { describe, expect, test } from 'vitest'
import { defineProfile, model, scope } from '../../src/index.ts'
import type { AnyRow } from '../../src/models/model.ts'
import { compileIdentity } from '../../src/models/identity.ts'

const ID = 'ab'.repeat(16)

describe('a model whose partition looks at other rows', () => {
  const { elsewhere, identityColumns } = compileIdentity(
    'log',
    model({
      table: 'log',
      id: 'source-id',
      partition: (): string => {
        throw new Error('The other row is not here')
      },
      partitionBegins: '${dataset}',
    }),
    undefined,
  )
  const row: AnyRow = { id: ID, dataset: 'd1' }

  test('holds a row to what its partition begins with, up to a colon', () => {
    expect(identityColumns).toEqual(['id', 'dataset'])
    for (const partition of ['d1', 'd1:user:7']) {
      expect(elsewhere(row, { id: ID, sourceId: ID, partition })).toBeUndefined()
    }
    for (const partition of ['d2', 'd12', 'd12:user', 'D1:user', '']) {
      expect(elsewhere(row, { id: ID, sourceId: ID, partition })).toMatch(/belongs elsewhere/u)
    }
    expect(elsewhere({ ...row, dataset: null }, { id: ID, sourceId: ID, partition: 'd1' })).toMatch(/null/u)
  })
})

test('without that, a function that fails leaves the row waiting', () => {
  const { elsewhere, identityColumns } = compileIdentity(
    'log',
    model({
      table: 'log',
      id: 'source-id',
      partition: (row: AnyRow) => {
        if (row['user'] === undefined) throw new Error('no user')
        return `d:${String(row['user'])}`
      },
    }),
    undefined,
  )
  expect(identityColumns).toBeUndefined()
  const label = { id: ID, sourceId: ID, partition: 'd:7' }
  expect(elsewhere({ id: ID }, label)).toMatch(/no user/u)
  expect(elsewhere({ id: ID, user: 8 }, label)).toMatch(/"d:8".*"d:7"/u)
  expect(elsewhere({ id: ID, user: 7 }, label)).toBeUndefined()
})

test('what a partition begins with is refused where it says nothing', () => {
  const declare = (options: Parameters<typeof model>[0]) => () =>
    defineProfile({
      name: 'p',
      models: { log: model(options) },
      scopes: { all: scope({ root: 'r', readWrite: '${r}' }) },
    })
  const about = { table: 'log', partitionBegins: 'all' }
  expect(declare({ ...about, partition: () => 'x' })).toThrow(/names no column/u)
  expect(declare({ ...about, partition: '${dataset}' })).toThrow(/besides a partition template/u)
})
