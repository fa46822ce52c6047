import { DatabaseSync } from 'node:sqlite'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { createMorango, defineProfile, model, type Morango, scope } from '../../src/index.ts'
import { listen } from '../../src/node.ts'
import { sqlite } from '../../src/sqlite.ts'
import type { Database } from '../../src/storage/dialect.ts'
import { DATABASE, makeTestDatabase } from '../databases/index.ts'

const survey = defineProfile({
  name: 'survey',
  models: { place: model({ table: 'place', partition: '${dataset}:place' }) },
  scopes: {
    owner: scope({ root: 'dataset', readWrite: '${dataset}' }),
    surveyor: scope({ readWrite: '${dataset}:place' }),
  },
})

interface Side {
  readonly database: Database
  readonly morango: Morango
  close(): Promise<void>
}

async function open(database: Database, id: string, close: () => void | Promise<void>): Promise<Side> {
  await sql`create table place (id ${sql.raw(id)} primary key not null, dataset text not null,
    name text not null, seen timestamp)`.execute(database.kysely)
  const morango = await createMorango({ database, profiles: [survey], migrate: true })
  return {
    database,
    morango,
    close: async () => {
      await morango.close()
      await close()
    },
  }
}

async function openSqlite(): Promise<Side> {
  const connection = new DatabaseSync(':memory:')
  return await open(sqlite(connection), 'text', () => connection.close())
}

async function openOurs(): Promise<Side> {
  const store = await makeTestDatabase()
  return await open(await store.open(), 'uuid', () => store.destroy())
}

async function write({ database, morango }: Side, dataset: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const row = morango.record('place', { dataset, name, seen: '2024-05-06T07:08:09Z' })
    await sql`insert into place (${sql.join(Object.keys(row).map((key) => sql.id(key)))})
      values (${sql.join(Object.values(row))})`.execute(database.kysely)
  }
}

async function contents({ database, morango }: Side): Promise<[string[], string[]]> {
  const rows = await sql<{ name: string }>`select name from place`.execute(database.kysely)
  await morango.serialize()
  const store = await sql<{ serialized: string }>`select serialized from morango_store order by id`.execute(
    database.kysely,
  )
  return [rows.rows.map(({ name }) => name).toSorted(), store.rows.map(({ serialized }) => serialized)]
}

test.each([
  ['SQLite', DATABASE, openSqlite, openOurs],
  [DATABASE, 'SQLite', openOurs, openSqlite],
  [DATABASE, DATABASE, openOurs, openOurs],
])(
  'a device on %s and a server on %s, from the certificate to equal data over HTTP',
  async (_a, _b, a, b) => {
    const [client, server] = [await a(), await b()]
    const { id: dataset } = await server.morango.certificates.createRoot('owner')
    const listening = await listen(server.morango, {
      port: 0,
      authorize: ({ username, password }, { scopeDefinition, isWithin }) => {
        if (username !== 'ana' || password !== 'secret') return 'unauthenticated'
        return scopeDefinition === 'surveyor' && isWithin(`${dataset}:place`)
      },
    })
    await client.morango.certificates.request(listening.url, {
      scopeDefinition: 'surveyor',
      scopeParams: { dataset },
      primaryPartition: dataset,
      credentials: { username: 'ana', password: 'secret' },
    })
    const filter = `${dataset}:place`
    const names = Array.from({ length: 1200 }, (_, index) => `Place ${index}`)
    await write(server, dataset, names)
    await write(client, dataset, ['Hafen', 'Ål'])
    expect(await client.morango.sync(listening.url, { filter })).toMatchObject({ pulled: 1200, pushed: 2 })

    await sql`update place set name = 'Harbour' where name = 'Hafen'`.execute(server.database.kysely)
    await sql`delete from place where name = 'Place 7'`.execute(client.database.kysely)
    expect(await client.morango.sync(listening.url, { filter })).toMatchObject({
      pulled: 1,
      pushed: 1,
      conflicts: 0,
    })
    expect(await client.morango.sync(listening.url, { filter })).toMatchObject({ pulled: 0, pushed: 0 })

    expect(await contents(client)).toEqual(await contents(server))
    const [places] = await contents(client)
    expect(places).toHaveLength(1201)
    expect(places).toContain('Harbour')
    expect(await server.morango.problems()).toEqual([])
    await listening.close()
    await client.close()
    await server.close()
  },
)
