import { type Kysely, sql } from 'kysely'
import type { Dialect } from './dialect.ts'
import type { Schema } from './schema.ts'

/** Tables that are filled and emptied in no time, with the columns by which they are read. */
const COLUMNS = {
  morango_pending: ['model_name', 'record_id'],
  morango_incoming: ['transfer_session_id', 'id'],
  morango_dirty: ['model_name', 'store_no', 'deleted'],
  morango_outgoing: ['transfer_session_id', 'position', 'store_no'],
} as const

const MANY = 5000

/**
 * Tells a planner that goes by statistics that a table has just got many rows: the server would notice a minute
 * later, and until then read all of them to find the next few.
 */
export async function noteGrowth(
  trx: Kysely<Schema>,
  dialect: Dialect,
  table: keyof typeof COLUMNS,
  rows: number,
): Promise<void> {
  const statement = dialect.analyze?.(table, COLUMNS[table])
  if (statement !== undefined && rows >= MANY) await sql.raw(statement).execute(trx)
}
