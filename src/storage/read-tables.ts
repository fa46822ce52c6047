import type { Kysely } from 'kysely'
import type { Profile } from '../models/profile.ts'
import type { TableInfo } from '../models/table-info.ts'
import type { Dialect } from './dialect.ts'
import type { Schema } from './schema.ts'

/** What the database says of a profile's tables, by the names that are declared, and which others it has. */
export async function readTables(
  db: Kysely<Schema>,
  dialect: Dialect,
  profile: Profile,
): Promise<{ tables: Map<string, TableInfo>; names: string[] }> {
  const tables = new Map<string, TableInfo>()
  for (const { table } of Object.values(profile.models)) {
    const info = await dialect.readTable(db, table)
    if (info !== undefined) tables.set(table, info)
  }
  return { tables, names: await dialect.tableNames(db) }
}
