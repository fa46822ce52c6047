import { CompiledQuery, type Kysely, sql } from 'kysely'
import type { SqlValue } from '../models/compiled.ts'
import type { Dialect } from './dialect.ts'
import type { Schema } from './schema.ts'

// More take longer a row in SQLite, whose statement then no longer fits the processor's caches.
const MAX_ROWS_A_STATEMENT = 100

/** Where {@link insertRows} writes. */
export interface InsertTarget {
  readonly table: string
  /** The columns that each row has a value for. */
  readonly columns: readonly string[]
  /** Further columns with the same value in every row. */
  readonly constants?: Readonly<Record<string, string | number | null>>
  /** What follows the rows: `on conflict …`, or nothing. */
  readonly suffix?: string
}

/**
 * Inserts many rows in as few statements as parameters allow. The text depends on the number of rows alone, so
 * that full batches share one prepared statement.
 */
export async function insertRows(
  db: Kysely<Schema>,
  dialect: Dialect,
  target: InsertTarget,
  rows: readonly (readonly SqlValue[])[],
): Promise<void> {
  const { columns, constants = {}, suffix = '' } = target
  const width = columns.length
  const size = Math.min(MAX_ROWS_A_STATEMENT, Math.floor(dialect.maxParameters / width))
  const names = [...columns, ...Object.keys(constants)].map(quote).join(', ')
  // A constant in the text is a value less to hand over, for every row.
  const fixed = Object.values(constants).map((value) =>
    typeof value === 'string' ? `, ${literal(value)}` : `, ${value}`,
  )
  const text = (count: number): string => {
    const list = Array.from({ length: count }, (_, row) =>
      rowValues(dialect, row * width, width, fixed.join('')),
    )
    return `insert into ${quote(target.table)} (${names}) values ${list.join(', ')} ${suffix}`
  }
  const full = rows.length >= size ? text(size) : ''
  for (let start = 0; start < rows.length; start += size) {
    const slice = rows.slice(start, start + size)
    const statement = slice.length === size ? full : text(slice.length)
    await db.executeQuery(CompiledQuery.raw(statement, slice.flat()))
  }
}

function rowValues(dialect: Dialect, before: number, width: number, fixed: string): string {
  const cells = Array.from({ length: width }, (_, cell) => dialect.placeholder(before + cell + 1))
  return `(${cells.join(', ')}${fixed})`
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
