import { sql } from 'kysely'
import {
  createMorango,
  defineProfile,
  model,
  type Morango,
  type MorangoOptions,
  scope,
} from '../../src/index.ts'
import { listen } from '../../src/node.ts'
import type { Database } from '../../src/storage/dialect.ts'
import { memorySqlite } from '../../src/testing/sqlite.ts'

const survey = defineProfile({
  name: 'survey',
  models: { place: model({ table: 'place', partition: '${dataset}:place' }) },
  scopes: { owner: scope({ root: 'dataset', readWrite: '${dataset}' }) },
})

/** One instance on a database in memory. */
export interface Side {
  readonly database: Database
  readonly morango: Morango
  /** Adds places, and gives their ids. */
  add(...names: string[]): Promise<string[]>
  names(): Promise<string[]>
}

/** A client and a server that listens on a port, with certificates. */
export interface Pair {
  readonly client: Side
  readonly server: Side
  readonly url: string
  readonly filter: string
  close(): Promise<void>
}

/** Two instances that sync over HTTP. */
export async function createHttpPair(
  options: { readonly client?: Partial<MorangoOptions>; readonly server?: Partial<MorangoOptions> } = {},
): Promise<Pair> {
  let dataset = ''
  const open = async (more: Partial<MorangoOptions> = {}): Promise<Side & { close(): Promise<void> }> => {
    const store = memorySqlite()
    const database = await store.open()
    await sql`create table place (id text primary key not null, dataset text not null, name text not null)`.execute(
      database.kysely,
    )
    const morango = await createMorango({ database, profiles: [survey], migrate: true, ...more })
    return {
      database,
      morango,
      async add(...names) {
        const rows = names.map((name) => morango.record('place', { dataset, name }))
        for (const row of rows) {
          await sql`insert into place (${sql.join(Object.keys(row).map((key) => sql.id(key)))})
            values (${sql.join(Object.values(row))})`.execute(database.kysely)
        }
        return rows.map(({ id }) => id)
      },
      names: async () =>
        (await sql<{ name: string }>`select name from place order by name`.execute(database.kysely)).rows.map(
          ({ name }) => name,
        ),
      async close() {
        await morango.close()
        await store.destroy()
      },
    }
  }
  const server = await open(options.server)
  const client = await open(options.client)
  const root = await server.morango.certificates.createRoot('owner')
  dataset = root.id
  const listening = await listen(server.morango, { port: 0, authorize: () => true })
  await client.morango.certificates.request(listening.url, {
    scopeDefinition: 'owner',
    scopeParams: { dataset },
    primaryPartition: dataset,
    credentials: { username: 'ana', password: 'secret' },
  })
  return {
    client,
    server,
    url: listening.url,
    filter: dataset,
    async close() {
      await listening.close()
      await client.close()
      await server.close()
    },
  }
}
