import { type Kysely, sql } from 'kysely'
import { expect, test } from 'vitest'
import { defineProfile, model, scope } from '../../src/index.ts'
import type { Schema } from '../../src/storage/schema.ts'
import { compileProfiles } from '../../src/storage/check-tracking.ts'
import { migrate } from '../../src/storage/prepare.ts'
import { createTestNetwork, library } from '../../src/testing/index.ts'
import { memorySqlite } from '../../src/testing/sqlite.ts'
import { makeTestDatabase } from '../databases/index.ts'

const clinic = defineProfile({
  name: 'clinic',
  models: {
    ward: model({ table: 'ward', partition: '${root}' }),
    person: model({ table: 'person', partition: '${root}' }),
    visit: model({ table: 'visit', partition: '${root}:visit:${person_id}' }),
  },
  scopes: { all: scope({ root: 'root', readWrite: '${root}' }) },
})

const schemaOf = (id: string): string[] => [
  `create table ward (id ${id} primary key not null, root text not null, name text not null,
    parent_id ${id} references ward (id) on delete cascade)`,
  `create table person (id ${id} primary key not null, root text not null, name text not null unique,
    ward_id ${id} references ward (id) on delete cascade)`,
  `create table visit (id ${id} primary key not null, root text not null, note text,
    person_id ${id} not null references person (id) on delete cascade)`,
]

const ID_TYPES = ['uuid', 'char(32)', 'varchar(32)', 'text', 'text collate "C"']

async function rows(db: Kysely<Schema>, table: string): Promise<unknown[]> {
  const found = await sql<Record<string, unknown>>`select * from ${sql.id(table)}`.execute(db)
  return found.rows
    .map((row) =>
      Object.fromEntries(
        Object.entries(row).map(([key, value]) => [
          key,
          key.endsWith('id') && typeof value === 'string' ? value.replaceAll('-', '') : value,
        ]),
      ),
    )
    .toSorted((a, b) => (String(a['id']) < String(b['id']) ? -1 : 1))
}

test.each(ID_TYPES)('ids and foreign keys of type %s are 32 hex digits on the wire', async (type) => {
  const ours = { schema: schemaOf(type), database: makeTestDatabase }
  const peers = { a: ours, b: { schema: schemaOf('char(32)'), database: memorySqlite }, c: ours }
  const network = await createTestNetwork({ profile: clinic, peers })
  const a = network.peer('a')
  const { root } = network
  const ward = await a.insert('ward', { root, name: 'North', parent_id: null })
  const inner = await a.insert('ward', { root, name: 'Inner', parent_id: ward.id })
  const person = await a.insert('person', { root, name: 'Ada', ward_id: inner.id })
  // What the application has the database say of a key is of its own form.
  const visit = await a.insert('visit', { root, note: 'first', person_id: person.id })
  await network.converge()
  for (const table of ['ward', 'person', 'visit']) {
    const expected = await rows(a.database.kysely, table)
    expect(expected).not.toEqual([])
    for (const name of ['b', 'c'])
      expect(await rows(network.peer(name).database.kysely, table)).toEqual(expected)
  }
  const records = await a.records()
  expect(records.find(({ id }) => id === visit.id)?.partition).toBe(`${root}:visit:${person.id}`)
  expect(records.find(({ id }) => id === inner.id)?.selfRef).toBe(ward.id)

  await network.peer('c').update('visit', visit.id, { note: 'second' })
  await network.peer('b').deleteHard('ward', inner.id)
  await network.converge()
  for (const name of network.names) {
    expect(await rows(network.peer(name).database.kysely, 'visit')).toEqual([])
    expect(await network.peer(name).tablesWith('second')).toEqual([])
    expect((await network.peer(name).morango.status()).pendingChanges).toBe(0)
    expect(await network.peer(name).morango.problems()).toEqual([])
  }
  await network.close()
})

test('a join with the table of a changed record goes by its index, whatever the type of its ids', async () => {
  for (const type of ID_TYPES) {
    const peers = { a: { schema: schemaOf(type), database: makeTestDatabase } }
    const network = await createTestNetwork({ profile: clinic, peers })
    const { kysely, dialect } = network.peer('a').database
    const compiled = await compileProfiles(network.peer('a').database, [clinic])
    const ward = compiled.get('clinic')?.model('ward')
    const plan = await kysely.transaction().execute(async (trx) => {
      await sql`set local enable_seqscan = off`.execute(trx)
      await sql`set local enable_hashjoin = off`.execute(trx)
      await sql`set local enable_mergejoin = off`.execute(trx)
      const join = sql.raw(ward?.id.cast('p.record_id') ?? '')
      const explained = await sql<{ 'QUERY PLAN': string }>`explain select t.id from morango_pending p
        join ward t on t.id = ${join}`.execute(trx)
      return explained.rows.map((row) => row['QUERY PLAN']).join('\n')
    })
    expect(`${type}: ${plan}`).toMatch(/Index (?:Only )?Scan using ward_pkey/)
    expect(dialect.name).toBe('postgres')
    await network.close()
  }
})

test('truncate is refused, with what to do instead', async () => {
  const network = await createTestNetwork({ peers: 1, database: makeTestDatabase })
  const { kysely } = network.peer('a').database
  await network.peer('a').insert('book', { root: network.root, owner: 'u1' })
  await expect(sql`truncate book cascade`.execute(kysely)).rejects.toThrow(
    /delete the rows of "book" instead/,
  )
  expect(await network.peer('a').rows('book')).toHaveLength(1)
  await network.close()
})

test('a trigger that is disabled or gone is found at the start, and mended', async () => {
  const network = await createTestNetwork({ peers: 1, database: makeTestDatabase })
  const { database } = network.peer('a')
  for (const damage of [
    'alter table book disable trigger user',
    'drop trigger morango_log_book_update on book',
    'drop function morango_log_book_delete cascade',
  ]) {
    await sql.raw(damage).execute(database.kysely)
    await expect(compileProfiles(database, [library])).rejects.toMatchObject({ code: 'not-migrated' })
    expect(await migrate(database, [library])).toMatchObject({ tracked: ['book'] })
    await compileProfiles(database, [library])
  }
  const nothing = {
    addedColumns: [],
    changedColumns: [],
    tracked: [],
    filled: 0,
    logged: 0,
    found: [],
    restored: 0,
    held: [],
  }
  expect(await migrate(database, [library])).toEqual(nothing)
  await network.close()
})

test('a partitioned table is one table', async () => {
  const note = defineProfile({
    name: 'notes',
    models: { note: model({ table: 'note', partition: '${root}' }) },
    scopes: { all: scope({ root: 'root', readWrite: '${root}' }) },
  })
  const schema = [
    'create table note (id text primary key not null, root text not null, body text) partition by hash (id)',
    'create table note_0 partition of note for values with (modulus 2, remainder 0)',
    'create table note_1 partition of note for values with (modulus 2, remainder 1)',
  ]
  const network = await createTestNetwork({ profile: note, schema, database: makeTestDatabase })
  const ids: string[] = []
  for (let body = 0; body < 6; body++) {
    ids.push((await network.peer('a').insert('note', { root: network.root, body: String(body) })).id)
  }
  await network.sync('a', 'b')
  expect(await network.peer('b').rows('note')).toEqual(await network.peer('a').rows('note'))
  await network.peer('b').update('note', ids[0] ?? '', { body: 'changed' })
  await network.peer('b').delete('note', ids[1] ?? '')
  await network.sync('a', 'b')
  expect(await network.peer('a').rows('note')).toEqual(await network.peer('b').rows('note'))
  expect(await network.peer('a').rows('note')).toHaveLength(5)
  await network.close()
})

test('foreign keys that are checked at the commit fail their own record only', async () => {
  const schema = schemaOf('text').map((text) =>
    text.replaceAll('on delete cascade', 'deferrable initially deferred'),
  )
  const strict = [...schema, "alter table visit add constraint later check (note <> 'bad')"]
  const peers = {
    a: { schema: schemaOf('text'), database: makeTestDatabase },
    b: { schema: strict, database: makeTestDatabase },
  }
  const network = await createTestNetwork({ profile: clinic, peers })
  const { root } = network
  const a = network.peer('a')
  const person = await a.insert('person', { root, name: 'Ada', ward_id: null })
  await a.insert('visit', { root, note: 'good', person_id: person.id })
  await a.insert('visit', { root, note: 'bad', person_id: person.id })
  await network.sync('a', 'b')
  expect((await network.peer('b').morango.problems()).map(({ code }) => code)).toEqual(['constraint'])
  expect(await network.peer('b').rows('visit')).toHaveLength(1)
  // A visit that only b knows of keeps b from deleting the person.
  await sql`insert into visit (id, root, note, person_id) values ('x', ${root}, 'stays', ${person.id})`.execute(
    network.peer('b').database.kysely,
  )
  await a.delete('person', person.id)
  await network.sync('a', 'b')
  expect((await network.peer('b').morango.problems()).map(({ code }) => code).toSorted()).toContain(
    'still-referenced',
  )
  expect(await network.peer('b').rows('person')).toHaveLength(1)
  await network.close()
})
