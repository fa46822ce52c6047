import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { defineProfile, model, scope } from '../../src/index.ts'
import { workSizes } from '../../src/storage/context.ts'
import { compileProfiles } from '../../src/storage/check-tracking.ts'
import { serializeIn } from '../../src/storage/serialize.ts'
import { onlyTurn } from '../../src/storage/turn.ts'
import { createTestNetwork } from '../../src/testing/index.ts'
import type { TestNetwork, TestPeer } from '../../src/testing/index.ts'
import { memorySqlite } from '../../src/testing/sqlite.ts'
import { makeTestDatabase } from '../databases/index.ts'

/** A type; a value as an SQL literal; what it is in the record's JSON. */
const CASES: readonly (readonly [type: string, literal: string, json: string])[] = [
  ['boolean', 'true', 'true'],
  ['boolean', 'false', 'false'],
  ['smallint', '-32768', '-32768'],
  ['integer', '2147483647', '2147483647'],
  ['bigint', '9223372036854775807', '9223372036854775807'],
  ['bigint', '-9007199254740993', '-9007199254740993'],
  ['real', '0.1', '0.1'],
  ['double precision', '5', '5.0'],
  ['double precision', '0.30000000000000004', '0.30000000000000004'],
  ['double precision', "'-Infinity'", '-Infinity'],
  ['numeric', '123456789012345678901234567890.123456789', '"123456789012345678901234567890.123456789"'],
  ['numeric(10, 2)', '12.5', '"12.50"'],
  ['text', '\'Grüße "x" 🐘\'', String.raw`"Gr\u00fc\u00dfe \"x\" \ud83d\udc18"`],
  ['varchar(3)', "'abc'", '"abc"'],
  ['char(5)', "'ab'", '"ab"'],
  ['timestamptz', "'2024-05-06 09:08:09.123+02'", '"2024-05-06T07:08:09.123Z"'],
  ['timestamptz', "'0001-01-01 00:00:00+00'", '"0001-01-01T00:00:00Z"'],
  ['timestamptz', "'9999-12-31 23:59:59.999+00'", '"9999-12-31T23:59:59.999Z"'],
  ['timestamp', "'2024-05-06 07:08:09'", '"2024-05-06T07:08:09Z"'],
  ['date', "'2024-02-29'", '"2024-02-29"'],
  ['time', "'07:08:09.5'", '"07:08:09.500"'],
  ['interval', "'1 day 02:03:04'", '"P1DT02H03M04S"'],
  ['interval', "'-1 day -02:03:04.5'", '"-P1DT02H03M04.500000S"'],
  [
    'json',
    `'{"b": [1.0, 12345678901234567890], "a": null}'`,
    '{"b": [1.0, 12345678901234567890], "a": null}',
  ],
  ['jsonb', `'{"b": [1.0], "a": null}'`, '{"a": null, "b": [1.0]}'],
  ['bytea', String.raw`'\x00ff5c'`, '"AP9c"'],
  ['bytea', "''", '""'],
  ['uuid', "'00112233-4455-6677-8899-aabbccddeeff'", '"00112233-4455-6677-8899-aabbccddeeff"'],
  ['mood', "'so so'", '"so so"'],
  ['email', "'a@b.example'", '"a@b.example"'],
  ['integer[]', "'{1,NULL,-3}'", '[1, null, -3]'],
  ['bigint[]', "'{9223372036854775807}'", '[9223372036854775807]'],
  [
    'text[]',
    String.raw`array['a,b', 'c"d\', '', 'NULL', 'é']`,
    String.raw`["a,b", "c\"d\\", "", "NULL", "\u00e9"]`,
  ],
  ['text[]', "'{}'", '[]'],
  ['integer[]', "'{{1,2},{3,4}}'", '[[1, 2], [3, 4]]'],
  ['boolean[]', "'{t,f}'", '[true, false]'],
  ['double precision[]', "'{1,0.5}'", '[1.0, 0.5]'],
  ['numeric[]', "'{1.50}'", '["1.50"]'],
  ['timestamptz[]', "'{2024-05-06 09:08:09.123+02}'", '["2024-05-06T07:08:09.123Z"]'],
  ['uuid[]', "'{00112233-4455-6677-8899-aabbccddeeff}'", '["00112233-4455-6677-8899-aabbccddeeff"]'],
  ['jsonb[]', String.raw`array['{"a": [1]}']::jsonb[]`, '[{"a": [1]}]'],
  ['bytea[]', String.raw`array['\x00ff']::bytea[]`, '["AP8="]'],
  ['mood[]', "'{so so}'", '["so so"]'],
]

/** The same columns as SQLite would have them. */
function sqliteType(type: string): string {
  if (type.endsWith('[]')) return 'json'
  // SQLite keeps numbers to 15 digits only.
  if (type === 'numeric') return 'text'
  if (type === 'interval' || type === 'mood' || type === 'email' || type === 'uuid') return 'text'
  return type
}

const names = CASES.map((_case, index) => `c${index}`)
const durations = names.filter((_name, index) => CASES[index]?.[0] === 'interval')
const decimals = names.filter((_name, index) => CASES[index]?.[0] === 'numeric')
const uuids = names.filter((_name, index) => CASES[index]?.[0] === 'uuid')

function profileOf(columns: Record<string, 'duration' | 'decimal' | { kind: 'uuid'; storage: 'dashed' }>) {
  return defineProfile({
    name: 'kinds',
    models: { thing: model({ table: 'thing', partition: '${root}', columns }) },
    scopes: { all: scope({ root: 'root', readWrite: '${root}' }) },
  })
}

const ofPostgres = profileOf({})
const ofSqlite = profileOf({
  ...Object.fromEntries(durations.map((name) => [name, 'duration' as const])),
  ...Object.fromEntries(decimals.map((name) => [name, 'decimal' as const])),
  ...Object.fromEntries(uuids.map((name) => [name, { kind: 'uuid', storage: 'dashed' } as const])),
})
const table = (typeOf: (type: string) => string): string =>
  `create table thing (id char(32) primary key not null, root text not null,
    ${CASES.map(([type], index) => `c${index} ${typeOf(type)}`).join(', ')})`
const postgresSchema = [
  "create type mood as enum ('happy', 'so so')",
  "create domain email as varchar(40) check (value like '%@%')",
  table((type) => type),
]

async function networkOfBoth(): Promise<TestNetwork> {
  const ours = { profiles: [ofPostgres], schema: postgresSchema, database: makeTestDatabase } as const
  const sqlite = { profiles: [ofSqlite], schema: [table(sqliteType)], database: memorySqlite } as const
  return await createTestNetwork({ profile: ofPostgres, peers: { a: ours, b: sqlite, c: ours } })
}

async function insert(network: TestNetwork, values: readonly string[]): Promise<string> {
  const peer = network.peer('a')
  const row = peer.morango.record('thing', { root: network.root })
  const columns = [...Object.keys(row), ...names].map((name) => sql.id(name))
  await sql`insert into thing (${sql.join(columns)})
    values (${sql.join(Object.values(row))}, ${sql.raw(values.join(', '))})`.execute(peer.database.kysely)
  return row.id
}

async function json(peer: TestPeer, id: string): Promise<string> {
  return (await peer.records()).find((record) => record.id === id)?.serialized ?? ''
}

/** All columns as the server prints them, to compare two rows exactly. */
async function printed(peer: TestPeer, id: string): Promise<unknown> {
  const columns = names.map((name) => sql`cast(${sql.id(name)} as text) as ${sql.id(name)}`)
  return (await sql`select ${sql.join(columns)} from thing where id = ${id}`.execute(peer.database.kysely))
    .rows[0]
}

test('every kind serializes as Django’s encoder has it, and comes back equal, through SQLite as well', async () => {
  const network = await networkOfBoth()
  const id = await insert(
    network,
    CASES.map(([type, literal]) => `cast(${literal} as ${type})`),
  )
  await network.sync('a', 'b')
  const made = await json(network.peer('a'), id)
  for (const [index, [type, , expected]] of CASES.entries()) {
    expect(made, `${type} c${index}`).toContain(`"c${index}": ${expected}`)
  }
  // The record is made anew of SQLite's row.
  await sql`update thing set root = root`.execute(network.peer('b').database.kysely)
  await network.sync('b', 'c')
  expect(await network.peer('b').morango.problems()).toEqual([])
  expect(await network.peer('c').morango.problems()).toEqual([])
  expect(await json(network.peer('b'), id)).toBe(made)
  expect(await printed(network.peer('c'), id)).toEqual(await printed(network.peer('a'), id))
  // As another application may write the same.
  for (const [ours, theirs] of [
    [': "2024-05-06T07:08:09.123Z"', ': "2024-05-06T09:08:09.123000+02:00"'],
    [': 0.1,', ': 1e-1,'],
    [': 5.0,', ': 5,'],
    ['"12.50"', '"12.5"'],
    ['{"a": null, "b": [1.0]}', '{"b":[1.0],"a":null}'],
  ] as const) {
    expect(made).toContain(ours)
    await sql`update morango_store set serialized = replace(serialized, ${ours}, ${theirs})`.execute(
      network.peer('a').database.kysely,
    )
  }
  for (const name of network.names) {
    const { models } = await network.peer(name).morango.rescan({ dryRun: true })
    expect(models).toMatchObject([{ rows: 1, missing: 0, different: 0, extra: 0 }])
  }
  await sql`update thing set root = root`.execute(network.peer('c').database.kysely)
  await network.peer('c').morango.serialize()
  expect(await json(network.peer('c'), id)).toBe(made)
  await network.close()
})

test('null is null in every kind', async () => {
  const network = await networkOfBoth()
  const id = await insert(
    network,
    CASES.map(() => 'null'),
  )
  await network.sync('a', 'b')
  await sql`update thing set root = root`.execute(network.peer('b').database.kysely)
  await network.sync('b', 'c')
  expect(new Set(Object.values(Object(await printed(network.peer('c'), id))))).toEqual(new Set([null]))
  await network.close()
})

test('how the session prints values does not matter', async () => {
  const network = await networkOfBoth()
  const { database } = network.peer('a')
  const id = await insert(
    network,
    CASES.map(([type, literal]) => `cast(${literal} as ${type})`),
  )
  const context = {
    database,
    profiles: await compileProfiles(database, [ofPostgres]),
    clock: { now: () => new Date(0) },
    random: { uuid: () => '0'.repeat(32) },
    sizes: workSizes(),
  }
  await database.kysely.transaction().execute(async (trx) => {
    await sql`set local datestyle to 'German, DMY'`.execute(trx)
    await sql`set local timezone to 'Asia/Kathmandu'`.execute(trx)
    await sql`set local intervalstyle to 'sql_standard'`.execute(trx)
    await sql`set local bytea_output to 'escape'`.execute(trx)
    await serializeIn(onlyTurn(trx), context, { profile: 'kinds', raise: 'always' })
  })
  const made = await json(network.peer('a'), id)
  for (const [index, [type, , expected]] of CASES.entries()) {
    expect(made, `${type} c${index}`).toContain(`"c${index}": ${expected}`)
  }
  await network.close()
})

test('a NaN comes back', async () => {
  const network = await networkOfBoth()
  const at = CASES.findIndex(([type]) => type === 'double precision')
  const id = await insert(
    network,
    names.map((_name, index) => (index === at ? "'NaN'" : 'null')),
  )
  await network.sync('a', 'c')
  expect(await json(network.peer('c'), id)).toContain(`"c${at}": NaN`)
  expect(await printed(network.peer('c'), id)).toMatchObject({ [`c${at}`]: 'NaN' })
  await network.close()
})

test.each([
  ["'infinity'", 'timestamptz', 'invalid-date-time'],
  ["'0044-03-15 BC'", 'date', 'invalid-date'],
  ["'NaN'", 'numeric', 'invalid-decimal'],
])('what Django could not name is a problem of its row: %s', async (literal, type, code) => {
  const column = `c${CASES.findIndex(([known]) => known === type)}`
  const network = await networkOfBoth()
  const id = await insert(
    network,
    names.map((name) => (name === column ? literal : 'null')),
  )
  await network.peer('a').morango.serialize()
  expect(await network.peer('a').morango.problems()).toMatchObject([{ id, code }])
  await network.close()
})
