import { DatabaseSync } from 'node:sqlite'
import { sql } from 'kysely'
import { createMorango, type Database, type Morango } from '../../src/index.ts'
import { postgres } from '../../src/postgres.ts'
import { sqlite } from '../../src/sqlite.ts'
import { library, librarySchema } from '../../src/testing/index.ts'

/** A database of the library, with the means to sync it. */
export interface Site {
  readonly database: Database
  readonly morango: Morango
  close(): Promise<void>
}

/** The database that all servers are on, made ready. */
export async function openCloud(url: string): Promise<Site> {
  return await open(postgres(url))
}

/** A device: its database is in memory. */
export async function openDevice(): Promise<Site> {
  const connection = new DatabaseSync(':memory:')
  const site = await open(sqlite(connection))
  return {
    ...site,
    close: async () => {
      await site.close()
      connection.close()
    },
  }
}

async function open(database: Database): Promise<Site> {
  for (const statement of librarySchema) await sql.raw(statement).execute(database.kysely)
  const morango = await createMorango({ database, profiles: [library], migrate: true })
  return { database, morango, close: () => morango.close() }
}

/** Both sides hold the root's key, so that nothing has to be asked for. */
export async function shareCertificate(from: Site, to: Site, id: string): Promise<void> {
  const row = await from.database.kysely
    .selectFrom('morango_certificate')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  await to.database.kysely.insertInto('morango_certificate').values(row).execute()
}

/** Writes new books. */
export async function addBooks(
  { database, morango }: Site,
  at: { readonly root: string; readonly owner: string },
  titles: readonly string[],
): Promise<void> {
  const rows = titles.map((title) => morango.record('book', { ...at, title }))
  const columns = Object.keys(rows[0] ?? {}).map((column) => sql.id(column))
  const values = rows.map((row) => sql`(${sql.join(Object.values(row))})`)
  await sql`insert into book (${sql.join(columns)}) values ${sql.join(values)}`.execute(database.kysely)
}

/** The rows and the records under a root, in a form that is equal when they are. */
export async function contentOf({ database }: Site, root: string): Promise<string> {
  const { kysely } = database
  const rows = await sql<{ id: string }>`select id, owner, title, pages from book
    where root = ${root} order by id`.execute(kysely)
  const store = await sql`select id, partition, serialized, deleted, last_saved_instance, last_saved_counter
    from morango_store where partition like ${`${root}%`} order by id`.execute(kysely)
  return JSON.stringify([rows.rows, store.rows])
}
