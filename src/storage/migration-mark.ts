import type { Kysely } from 'kysely'
import { getMeta, setMeta } from './migrations.ts'
import type { Schema } from './schema.ts'

/** The key of `morango_meta` that is there while a tool changes the tables: nothing is serialized meanwhile. */
export const MIGRATION_MARK = 'migration'

/** Since when a tool is at work on the tables, undefined when none is. */
export async function markedMigration(db: Kysely<Schema>): Promise<string | undefined> {
  return await getMeta(db, MIGRATION_MARK)
}

/** Notes that a tool is about to change the tables. */
export async function markMigration(db: Kysely<Schema>, since: string): Promise<void> {
  await setMeta(db, MIGRATION_MARK, since)
}

/** Notes that what the tool did has been looked through. */
export async function unmarkMigration(trx: Kysely<Schema>): Promise<void> {
  await trx.deleteFrom('morango_meta').where('key', '=', MIGRATION_MARK).execute()
}
