import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { createMorango, defineProfile, model, scope } from '../../src/index.ts'
import { sqlite } from '../../src/sqlite.ts'

const profile = defineProfile({
  name: 'kinds',
  models: {
    thing: model({
      table: 'thing',
      id: 'source-id',
      partition: '${root}',
      columns: {
        open: 'boolean',
        at: { kind: 'date-time', storage: 'epoch-milliseconds' },
        took: { kind: 'duration', storage: 'seconds' },
        meta: 'json',
        price: 'decimal',
      },
    }),
  },
  scopes: { all: scope({ root: 'root', readWrite: '${root}' }) },
})

const TABLE = `create table thing (id text primary key not null, root text not null, open integer, size real,
  n integer, at integer, day date, took integer, meta text, price text, raw blob,
  word text default 'it''s', flag boolean default true, amount integer default (1 + 1), late integer default -5)`

/** What the Store has, by field; and whether a row of those values is another. */
const CASES: readonly (readonly [column: string, literal: string, stored: string, different: boolean])[] = [
  ['size', '1', '1', false],
  ['size', '0.5', '5e-1', false],
  ['size', '0.5', '0.25', true],
  ['n', '9223372036854775807', '9223372036854775807', false],
  ['n', '9223372036854775807', '9223372036854775806', true],
  ['open', '1', 'true', false],
  ['open', '1', 'false', true],
  ['open', 'null', 'false', true],
  ['at', '1700000000000', '"2023-11-14T22:13:20.000000Z"', false],
  ['at', '1700000000000', '"2023-11-15T00:13:20+02:00"', false],
  ['at', '1700000000000', '"2023-11-14T22:13:21Z"', true],
  ['day', "'2024-02-29'", '"2024-02-29"', false],
  ['took', '93784', '"P1DT02H03M04S"', false],
  ['took', '93784', '"P1DT02H03M05S"', true],
  ['meta', `'{"a": 1, "b": [1.0]}'`, '{"b":[1],"a":1}', false],
  ['meta', `'{"a": 1, "b": [1.0]}'`, '{"b":[2],"a":1}', true],
  ['price', "'1.50'", '"1.50"', false],
  ['raw', "x'00ff5c'", '"AP9c"', false],
  ['raw', "x'00ff5d'", '"AP9c"', true],
]

function open(): DatabaseSync {
  const db = new DatabaseSync(':memory:')
  db.exec(TABLE)
  return db
}

test.each(CASES)(
  'a row whose %s is %s, of a record that has %s',
  async (column, literal, stored, different) => {
    const db = open()
    const morango = await createMorango({ database: sqlite(db), profiles: [profile], migrate: true })
    db.exec(`insert into thing (id, root, "${column}") values ('${'a'.repeat(32)}', 'r', ${literal})`)
    await morango.serialize()
    const serialized = String(db.prepare('select serialized from morango_store').get()?.['serialized'])
    const before = new RegExp(`"${column}": (?:"[^"]*"|\\{[^}]*\\}|[^,}]*)`, 'u')
    db.prepare('update morango_store set serialized = ?').run(
      serialized.replace(before, `"${column}": ${stored}`),
    )
    const { models } = await morango.rescan({ dryRun: true })
    expect(models[0]).toMatchObject({ rows: 1, missing: 0, different: different ? 1 : 0, extra: 0 })
    await morango.close()
  },
)

test.each([
  ['word', "'it''s'", false],
  ['word', "'its'", true],
  ['flag', '1', false],
  ['flag', '0', true],
  ['late', '-5', false],
  ['late', '5', true],
  ['n', 'null', false],
  ['n', '0', true],
  // What an expression gives cannot be told, and is not called a change.
  ['amount', '2', false],
])('a row whose %s is %s, of a record that lacks it', async (column, literal, different) => {
  const db = open()
  const morango = await createMorango({ database: sqlite(db), profiles: [profile], migrate: true })
  db.exec(`insert into thing (id, root, "${column}") values ('${'a'.repeat(32)}', 'r', ${literal})`)
  await morango.serialize()
  const serialized = String(db.prepare('select serialized from morango_store').get()?.['serialized'])
  const without = serialized.replace(new RegExp(`, "${column}": (?:"[^"]*"|[^,}]*)`, 'u'), '')
  expect(without).not.toBe(serialized)
  db.prepare('update morango_store set serialized = ?').run(without)
  const { models } = await morango.rescan({ dryRun: true })
  expect(models[0]?.different).toBe(different ? 1 : 0)
  await morango.close()
})

test('a record whose JSON cannot be read, and a row that cannot be serialized, are different', async () => {
  const db = open()
  const morango = await createMorango({ database: sqlite(db), profiles: [profile], migrate: true })
  for (const [n, id] of ['a', 'b', 'c'].entries()) {
    db.exec(`insert into thing (id, root, n) values ('${id.repeat(32)}', 'r', ${n})`)
  }
  await morango.serialize()
  db.exec(`update morango_store set serialized = '{' where id like 'a%'`)
  db.exec('update morango_control set tracking = 0')
  db.exec(`update thing set at = 'never' where id like 'b%'`)
  db.exec('update morango_control set tracking = 1')
  const report = await morango.rescan()
  expect(report.models[0]?.samples.different).toEqual(['a'.repeat(32), 'b'.repeat(32)])
  expect(await morango.serialize()).toMatchObject({ failed: 2 })
  await morango.close()
})
