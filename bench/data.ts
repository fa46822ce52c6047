import { type Kysely, sql } from 'kysely'
import { loadCountries, toRows } from '../demo/gazetteer-data.ts'
import { SCHEMA } from '../demo/gazetteer.ts'
import type { Database, Morango } from '../src/index.ts'
import type { PlainRow, Tables } from './databases/database.ts'

/** The tables, in an order that foreign keys allow. */
export const TABLES = ['country', 'region', 'place'] as const

/** Makes the application's tables and their indexes. */
export async function createTables<Schema>(db: Kysely<Schema>): Promise<void> {
  for (const statement of SCHEMA.split(';')) {
    // oxlint-disable-next-line no-await-in-loop
    if (statement.trim() !== '') await sql.raw(statement).execute(db)
  }
}

/** Adds to the tables what the library adds to them, so that a plain copy moves the same columns. */
export async function addLibraryColumns<Schema>(db: Kysely<Schema>): Promise<void> {
  await sql`alter table place add column morango_source_id text`.execute(db)
}

/** Changes every hundredth place. */
export async function changeOnePercent(database: Database | undefined): Promise<{ records: number }> {
  if (database === undefined) throw new Error('Not open')
  const result = await sql`update place set note = 'Changed' where id in (
    select id from (select id, row_number() over (order by id) as number from place) numbered
    where number % 100 = 0)`.execute(database.kysely)
  return { records: Number(result.numAffectedRows ?? 0n) }
}

/** The first `limit` records of the gazetteer, parents first; all when it is undefined. */
export async function buildTables(
  morango: Morango,
  dataset: string,
  limit: number = Infinity,
): Promise<Tables> {
  const tables = { country: [] as PlainRow[], region: [] as PlainRow[], place: [] as PlainRow[] }
  let room = limit
  const add = (table: keyof typeof tables, rows: readonly object[]): void => {
    const fitting = rows.slice(0, room)
    for (const row of fitting) tables[table].push({ ...row })
    room -= fitting.length
  }
  for (const data of await loadCountries()) {
    if (room === 0) break
    const { country, regions, places } = toRows(morango, dataset, data)
    add('country', [country])
    add('region', regions)
    add('place', places)
  }
  return tables
}
