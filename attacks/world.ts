import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Kysely, sql } from 'kysely'
import { createMorango, type Morango, type ServeOptions } from '../src/index.ts'
import { listen, zlibCompressor } from '../src/node.ts'
import { sqlite } from '../src/sqlite.ts'
import type { Database } from '../src/storage/dialect.ts'
import type { Schema } from '../src/storage/schema.ts'
import { makeOnServer } from '../test/databases/server.ts'
import { PASSWORD, USERNAME } from '../interop/peer.ts'
import { served, STATEMENTS } from './profile.ts'

/** What a served instance may be on. */
export const DATABASES = ['SQLite', 'PostgreSQL'] as const
export type DatabaseName = (typeof DATABASES)[number]

/** Texts that are in the rows of one part of the data, and that nobody may get who may not read it. */
export const CANARIES = {
  shared: 'CANARY-SHARED',
  sample: 'CANARY-SAMPLE',
  ann: 'CANARY-ANN',
  bob: 'CANARY-BOB',
  other: 'CANARY-OTHER',
} as const
export type Area = keyof typeof CANARIES

type ModelName = 'region' | 'person' | 'visit' | 'sample'
type Row = Readonly<Record<string, string | number | boolean>>

/** A server under attack, with the data of several owners. */
export interface World {
  readonly url: string
  readonly database: Database
  readonly morango: Morango
  readonly kysely: Kysely<Schema>
  /** The root certificates: of the data that is attacked, and of another owner's on the same server. */
  readonly root: string
  readonly other: string
  /** Two users of the first dataset, and one of the second. */
  readonly ann: string
  readonly bob: string
  readonly stranger: string
  /** A region and samples of the first dataset. */
  readonly region: string
  readonly samples: readonly string[]
  /** Visits: of Ann's, of Bob's. */
  readonly visits: { readonly ann: string; readonly bob: string }
  /** What the server answered 500 for. */
  readonly failures: unknown[]
  readonly insert: (model: ModelName, row: Row) => Promise<string>
  readonly update: (model: ModelName, id: string, row: Row) => Promise<void>
  close(): Promise<void>
}

/** The passwords that the server knows. */
export const USERS: Readonly<Record<string, string>> = {
  [USERNAME]: PASSWORD,
  ann: 'ann',
  bob: 'bob',
  sam: 'sam',
  rita: 'rita',
  walt: 'walt',
  bee: 'bee',
}

/** Starts a server with data. */
export async function startWorld(
  name: DatabaseName,
  options: Pick<ServeOptions, 'limits'> = {},
): Promise<World> {
  const { database, destroy } = await makeDatabase(name)
  const { kysely } = database
  for (const statement of STATEMENTS[name]) await sql.raw(statement).execute(kysely)
  const morango = await createMorango({
    database,
    profiles: [served],
    migrate: true,
    compressor: zlibCompressor,
    allowCertificatePushing: true,
    onWarning: () => undefined,
  })
  const root = (await morango.certificates.createRoot('full')).id
  const other = (await morango.certificates.createRoot('full')).id
  const people: Record<string, string> = {}
  const failures: unknown[] = []
  const server = await listen(morango, {
    port: 0,
    ...options,
    authorize: ({ username, password, fields }, { scopeDefinition, isWithin }) => {
      const user = fields['username'] ?? username
      if (password === undefined || password === '' || USERS[user] !== password) return 'unauthenticated'
      // As docs/server.md says: by a list of kinds, and by the prefixes that come of the request.
      const own = `${root}:user:${people[user] ?? 'nobody'}`
      const shared = `${root}:shared`
      if (user === USERNAME) return scopeDefinition === 'full' && isWithin(root)
      if (user === 'ann' || user === 'bob')
        return scopeDefinition === 'one-person' && isWithin({ read: [shared, own], write: own })
      if (user === 'sam') return scopeDefinition === 'sampler' && isWithin(`${shared}:sample`)
      if (user === 'walt') return scopeDefinition === 'writer' && isWithin({ write: `${shared}:sample` })
      if (user === 'rita') return scopeDefinition === 'reader' && isWithin({ read: shared })
      return user === 'bee' && scopeDefinition === 'full' && isWithin(other)
    },
    routes: { onError: (error) => failures.push(error) },
  })

  async function insert(model: ModelName, row: Row): Promise<string> {
    const values: Record<string, unknown> = morango.record(model, row)
    await sql`insert into ${sql.id(model)} (${sql.join(Object.keys(values).map((key) => sql.id(key)))})
      values (${sql.join(Object.values(values))})`.execute(kysely)
    return String(values['id'])
  }

  async function update(model: ModelName, id: string, row: Row): Promise<void> {
    const sets = Object.entries(row).map(([key, value]) => sql`${sql.id(key)} = ${value}`)
    await sql`update ${sql.id(model)} set ${sql.join(sets)} where id = ${id}`.execute(kysely)
  }

  const data = await fill(insert, root, other)
  people['ann'] = data.ann
  people['bob'] = data.bob
  const [gone = '', goneHard = ''] = data.samples.slice(-2)
  await morango.serialize()
  await sql`delete from sample where id = ${gone}`.execute(kysely)
  await morango.deleteHard('sample', [goneHard])
  await morango.serialize()
  return {
    url: server.url,
    database,
    morango,
    kysely,
    root,
    other,
    ...data,
    failures,
    insert,
    update,
    async close() {
      await server.close()
      await morango.close()
      await destroy()
    },
  }
}

type Data = Pick<World, 'ann' | 'bob' | 'stranger' | 'region' | 'samples' | 'visits'>

async function fill(insert: World['insert'], root: string, other: string): Promise<Data> {
  const region = await insert('region', { dataset_id: root, code: 'north', name: CANARIES.shared })
  await insert('region', { dataset_id: root, code: 'village', name: CANARIES.shared, parent_id: region })
  const elsewhere = await insert('region', { dataset_id: other, code: 'south', name: CANARIES.other })
  const ann = await insert('person', { dataset_id: root, name: CANARIES.ann, home_id: region })
  const bob = await insert('person', { dataset_id: root, name: CANARIES.bob, home_id: region })
  const stranger = await insert('person', { dataset_id: other, name: CANARIES.other, home_id: elsewhere })
  const visit = (dataset: string, person: string, at: string, note: string): Promise<string> =>
    insert('visit', { dataset_id: dataset, person_id: person, region_id: at, note })
  const visits = {
    ann: await visit(root, ann, region, CANARIES.ann),
    bob: await visit(root, bob, region, CANARIES.bob),
  }
  await visit(other, stranger, elsewhere, CANARIES.other)
  const samples: string[] = []
  for (let number = 0; number < 8; number++) {
    const row = { dataset_id: root, label: `s${number}`, text: CANARIES.sample, small: number }
    samples.push(await insert('sample', row))
  }
  await insert('sample', { dataset_id: other, label: 's0', text: CANARIES.other })
  return { ann, bob, stranger, region, samples, visits }
}

async function makeDatabase(
  name: DatabaseName,
): Promise<{ readonly database: Database; readonly destroy: () => Promise<void> }> {
  if (name === 'PostgreSQL') {
    const made = await makeOnServer()
    return { database: made.open(), destroy: async () => await made.destroy() }
  }
  const folder = mkdtempSync(join(tmpdir(), 'morango-attacks-'))
  return {
    database: sqlite(join(folder, 'server.db')),
    destroy: async () => rmSync(folder, { recursive: true, force: true }),
  }
}
