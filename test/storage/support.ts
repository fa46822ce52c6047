import { sql, type SqliteDatabase } from 'kysely'
import { createMorango, defineProfile, type Morango, model, scope } from '../../src/index.ts'
import { sqlite } from '../../src/sqlite.ts'
import type { Database } from '../../src/storage/dialect.ts'
import { createMemoryPeer } from '../../src/transport/memory.ts'

const profile = defineProfile({
  name: 'clinic',
  models: {
    person: model({ table: 'person', id: 'source-id', partition: '${root}:${owner}' }),
    visit: model({ table: 'visit', partition: '${root}:${owner}' }),
  },
  scopes: {
    full: scope({ root: 'root', readWrite: '${root}' }),
    part: scope({ readWrite: '${root}:${owner}' }),
    all: scope({ readWrite: '${root}' }),
  },
})

/** One device of a small clinic. */
export interface Device {
  readonly database: Database
  readonly morango: Morango
  readonly warnings: string[]
}

export async function openDevice(
  opened: string | SqliteDatabase = ':memory:',
  more: readonly string[] = [],
): Promise<Device> {
  const database = sqlite(opened)
  for (const table of ['person', 'visit']) {
    await sql`create table if not exists ${sql.id(table)} (id text primary key not null, root text not null,
      owner text not null, note text not null)`.execute(database.kysely)
  }
  for (const statement of more) await sql.raw(statement).execute(database.kysely)
  const warnings: string[] = []
  const onWarning = ({ code }: { code: string }): void => {
    // Of the profile above, whose owners are of one length.
    if (code !== 'open-scope') warnings.push(code)
  }
  const morango = await createMorango({ database, profiles: [profile], migrate: true, onWarning })
  return { database, morango, warnings }
}

export async function insert({ database }: Device, table: string, row: object): Promise<void> {
  const entries = Object.entries(row)
  await sql`insert into ${sql.id(table)} (${sql.join(entries.map(([name]) => sql.id(name)))})
    values (${sql.join(entries.map(([, value]) => sql`${value}`))})`.execute(database.kysely)
}

export async function notes({ database }: Device, table: string): Promise<string[]> {
  const rows = await sql<{ note: string }>`select note from ${sql.id(table)} order by note`.execute(
    database.kysely,
  )
  return rows.rows.map((row) => row.note)
}

/** The way from one device to another, in one process. */
export function wayTo(from: Device, to: Device): ReturnType<typeof createMemoryPeer> {
  const service = to.morango.service({ authorize: () => true })
  return createMemoryPeer(service, { capabilities: from.morango.capabilities, onError: () => undefined })
}

/** Gives the client a certificate below a new root at the server. @returns the root's id */
export async function certified(client: Device, server: Device, scope: 'part' | 'all'): Promise<string> {
  const { id: root } = await server.morango.certificates.createRoot('full')
  await client.morango.certificates.request(wayTo(client, server), {
    primaryPartition: root,
    scopeDefinition: scope,
    scopeParams: { root, owner: 'u1' },
    credentials: { username: 'someone', password: 'something' },
  })
  return root
}
