import { CompiledQuery, type Kysely, sql } from 'kysely'
import type { SqlValue } from '../models/compiled.ts'
import type { Dialect } from './dialect.ts'
import type { InsertTarget } from './insertion.ts'
import type { Schema } from './schema.ts'

/** Inserts many rows in few statements. @returns what they return: nothing unless `suffix` says so */
export async function insertRows(
  db: Kysely<Schema>,
  dialect: Dialect,
  target: InsertTarget,
  rows: readonly (readonly SqlValue[])[],
): Promise<unknown[]> {
  if (rows.length === 0) return []
  const returned: unknown[] = []
  const { take, statement } = dialect.insertion(target)
  for (let start = 0; start < rows.length;) {
    const end = start + take(rows.length - start)
    const { text, parameters } = statement(rows.slice(start, end))
    const { rows: some } = await db.executeQuery(CompiledQuery.raw(text, [...parameters]))
    for (const row of some) returned.push(row)
    start = end
  }
  return returned
}

/** An identifier as SQL takes it literally. */
export function quote(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`
}

/** A text as an SQL literal, for the few places where no parameter can stand (triggers). */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/**
 * Deletes a transfer's rows from a Buffer. When no other transfer has any there, the whole table is emptied, which
 * costs nothing, however many they are.
 */
export async function deleteTransferRows(
  db: Kysely<Schema>,
  table: 'morango_incoming' | 'morango_outgoing' | 'morango_outgoing_snapshot',
  transferSessionId: string,
): Promise<void> {
  const own = sql`transfer_session_id = ${transferSessionId}`
  const ends = await sql<{ first: string | null; last: string | null }>`select
    (select min(transfer_session_id) from ${sql.id(table)}) as first,
    (select max(transfer_session_id) from ${sql.id(table)}) as last`.execute(db)
  const { first = null, last = null } = ends.rows[0] ?? {}
  if (first === null) return
  const alone = first === transferSessionId && last === transferSessionId
  await (alone ? sql`delete from ${sql.id(table)}` : sql`delete from ${sql.id(table)} where ${own}`).execute(
    db,
  )
}
