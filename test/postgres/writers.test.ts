import { DatabaseSync } from 'node:sqlite'
import { sql } from 'kysely'
import { describe, expect, inject, test } from 'vitest'
import { createMorango, type Database, defineProfile, model, type Morango, scope } from '../../src/index.ts'
import { sqlite } from '../../src/sqlite.ts'
import { createMemoryPeer } from '../../src/transport/memory.ts'
import { DATABASE, makeTestDatabase } from '../databases/index.ts'

const ROWS = 12
const CLIENTS = 3
const ROUNDS = 3

// Of two versions of a counter the higher one is right, so a write that is lost shows.
const counters = defineProfile({
  name: 'counters',
  models: {
    item: model({
      table: 'item',
      partition: '${dataset}:item',
      merge: (ours, theirs) => ({
        ...ours.value,
        written: Math.max(Number(ours.value['written']), Number(theirs.value['written'])),
      }),
    }),
  },
  scopes: { owner: scope({ root: 'dataset', readWrite: '${dataset}' }) },
})

async function open(database: Database): Promise<Morango> {
  await sql`create table item (id text primary key not null, dataset text not null, written integer not null,
    note text)`.execute(database.kysely)
  return await createMorango({ database, profiles: [counters], migrate: true })
}

async function insert({ kysely }: Database, row: object): Promise<void> {
  await sql`insert into item (${sql.join(Object.keys(row).map((key) => sql.id(key)))})
    values (${sql.join(Object.values(row))})`.execute(kysely)
}

describe.skipIf(DATABASE !== 'postgres' || inject('postgresUrl') === '')('an application that writes', () => {
  test('loses no write, and none of its statements fails, while others pull and push the same rows', async () => {
    const store = await makeTestDatabase()
    const server = await store.open()
    const cloud = await open(server)
    const { id: dataset } = await cloud.certificates.createRoot('owner')
    const rows = Array.from({ length: ROWS }, () => cloud.record('item', { dataset, written: 0, note: '' }))
    for (const row of rows) await insert(server, row)
    const certificate = await server.kysely
      .selectFrom('morango_certificate')
      .selectAll()
      .executeTakeFirstOrThrow()
    const clients: { readonly database: Database; readonly morango: Morango }[] = []
    for (let client = 0; client < CLIENTS; client++) {
      const database = sqlite(new DatabaseSync(':memory:'))
      const morango = await open(database)
      await database.kysely.insertInto('morango_certificate').values(certificate).execute()
      clients.push({ database, morango })
    }
    const sync = async ({ morango }: (typeof clients)[number]): Promise<void> => {
      const peer = createMemoryPeer(cloud.service(), { capabilities: morango.capabilities })
      await morango.sync(peer, { filter: `${dataset}:item` })
    }
    for (const client of clients) await sync(client)

    // The application: each connection counts up rows of its own, and adds and deletes others.
    const last = new Map<string, number>()
    const added = new Set<string>()
    const deleted = new Set<string>()
    let going = true
    const write = async (writer: number): Promise<void> => {
      for (let count = 1; going; count++) {
        const id = rows[(count * 2 + writer) % ROWS]?.id ?? ''
        await sql`update item set written = ${count} where id = ${id}`.execute(server.kysely)
        last.set(id, count)
        if (count % 7 !== 0) continue
        const row = cloud.record('item', { dataset, written: 0, note: 'added' })
        await insert(server, row)
        if (count % 2 === 0) added.add(row.id)
        else {
          await sql`delete from item where id = ${row.id}`.execute(server.kysely)
          deleted.add(row.id)
        }
      }
    }
    const writing = Promise.all([write(0), write(1)])
    await Promise.all(
      clients.map(async (client, index) => {
        for (let round = 0; round < ROUNDS; round++) {
          await sql`update item set note = ${`${index} ${round}`}`.execute(client.database.kysely)
          await sync(client)
        }
      }),
    )
    going = false
    await writing
    for (const client of [...clients, ...clients]) await sync(client)

    const content = async ({ kysely }: Database): Promise<{ id: string; written: number }[]> =>
      (
        await sql<{ id: string; written: number }>`select id, written, note from item order by id`.execute(
          kysely,
        )
      ).rows
    const here = await content(server)
    const found = new Map(here.map(({ id, written }) => [id, written]))
    expect(last.size).toBe(ROWS)
    for (const [id, count] of last) expect([id, found.get(id)]).toEqual([id, count])
    for (const id of added) expect(found.has(id)).toBe(true)
    for (const id of deleted) expect(found.has(id)).toBe(false)
    for (const { database } of clients) expect(await content(database)).toEqual(here)
    expect(await cloud.problems()).toEqual([])
    await store.destroy()
  })
})
