import { sql } from 'kysely'
import type { Morango } from '../../src/index.ts'
import { createMorango, defineProfile, model, scope } from '../../src/index.ts'
import type { Peer } from '../../src/protocol/peer.ts'
import { memorySqlite } from '../../src/testing/sqlite.ts'
import { createHttpPeer } from '../../src/transport/http/client.ts'
import { createRoutes } from '../../src/transport/http/server.ts'

const survey = defineProfile({
  name: 'survey',
  models: { place: model({ table: 'place', partition: '${dataset}:place:${owner}' }) },
  scopes: {
    owner: scope({ root: 'dataset', readWrite: '${dataset}' }),
    surveyor: scope({ readWrite: '${dataset}:place:${owner}' }),
  },
})

export const URL_OF_SERVER = 'http://localhost/'

/** Carries a request to the server and brings its answer. */
export type Carry = (request: Request) => Promise<Response>

/** One who syncs with the server under a certificate for places of his own. */
export interface Surveyor {
  readonly morango: Morango
  readonly filter: string
  add(name: string): Promise<void>
  /** Syncs with the server; `carry` stands between. */
  sync(carry?: Carry): Promise<void>
}

/** A served instance without a socket, and those who sync with it. */
export interface World {
  /** What the server failed at, of which clients learn nothing. */
  readonly failures: unknown[]
  /** How requests come to the server. */
  readonly carry: Carry
  surveyor(owner: string): Promise<Surveyor>
  /** The names of an owner's places at the server. */
  placesOf(owner: string): Promise<string[]>
  close(): Promise<void>
}

const MANY = { perCertificate: 100_000, perBranch: 100_000, perAddress: 100_000, inAll: 1_000_000 }
// The event loop has its turn, and no time is lost.
const sleep = async (): Promise<void> => {
  await new Promise((resolve) => setImmediate(resolve))
}

async function open(): Promise<{
  readonly morango: Morango
  readonly execute: (query: ReturnType<typeof sql<{ name: string }>>) => Promise<string[]>
  close(): Promise<void>
}> {
  const store = memorySqlite()
  const database = await store.open()
  await sql`create table place (
    id text primary key not null, dataset text not null, owner text not null, name text not null
  )`.execute(database.kysely)
  const morango = await createMorango({
    database,
    profiles: [survey],
    migrate: true,
    sleep,
    onWarning: () => undefined,
  })
  return {
    morango,
    execute: async (query) => (await query.execute(database.kysely)).rows.map(({ name }) => name),
    async close() {
      await morango.close()
      await store.destroy()
    },
  }
}

/** Serves an instance on a SQLite database in memory. */
export async function createWorld(): Promise<World> {
  const server = await open()
  const sides = [server]
  const failures: unknown[] = []
  const { id: dataset } = await server.morango.certificates.createRoot('owner')
  const service = server.morango.service({
    authorize: () => true,
    limits: { syncSessions: MANY, runningStages: MANY, nonces: MANY, transfersPerSession: 100_000 },
  })
  const app = createRoutes(service, { onError: (error) => failures.push(error) })
  const carry: Carry = async (request) => await app.fetch(request)
  const through = (morango: Morango, way: Carry): Peer =>
    createHttpPeer(URL_OF_SERVER, {
      capabilities: morango.capabilities,
      fetch: async (input, init) => await way(new Request(input, init)),
      sleep,
      retries: 1,
    })
  return {
    failures,
    carry,
    async surveyor(owner) {
      const side = await open()
      sides.push(side)
      const { morango, execute } = side
      await morango.certificates.request(through(morango, carry), {
        scopeDefinition: 'surveyor',
        scopeParams: { dataset, owner },
        primaryPartition: dataset,
        credentials: { username: owner, password: 'secret' },
      })
      const filter = `${dataset}:place:${owner}`
      return {
        morango,
        filter,
        async add(name) {
          const row = morango.record('place', { dataset, owner, name })
          const names = sql.join(Object.keys(row).map((key) => sql.id(key)))
          await execute(sql`insert into place (${names}) values (${sql.join(Object.values(row))})`)
        },
        async sync(way = carry) {
          await morango.sync(through(morango, way), { filter })
        },
      }
    },
    placesOf: async (owner) =>
      await server.execute(sql`select name from place where owner = ${owner} order by name`),
    async close() {
      for (const side of sides) await side.close()
    },
  }
}
