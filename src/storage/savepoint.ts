import { type Kysely, sql } from 'kysely'
import type { Dialect } from './dialect.ts'
import type { Schema } from './schema.ts'

/**
 * Runs a statement so that the transaction survives when the rows are at fault.
 *
 * @returns the error, if it is the rows' own fault; undefined when the statement went through.
 * @throws any other error.
 */
export async function tryRows(
  trx: Kysely<Schema>,
  dialect: Dialect,
  work: () => Promise<void>,
): Promise<Error | undefined> {
  await sql`savepoint morango_rows`.execute(trx)
  try {
    await work()
    if (dialect.checkNow !== undefined) await sql.raw(dialect.checkNow).execute(trx)
  } catch (error) {
    // With any other error the transaction is lost, and may be gone already.
    if (!(error instanceof Error && dialect.isRowFault(error))) throw error
    await sql`rollback to savepoint morango_rows`.execute(trx)
    await sql`release savepoint morango_rows`.execute(trx)
    return error
  }
  await sql`release savepoint morango_rows`.execute(trx)
  return undefined
}

/**
 * Runs `work` over all items at once, and when a row is at fault halves them until the faulty ones stand alone.
 * A few bad rows among many cost a few statements each.
 *
 * @param failed is told each faulty item.
 */
export async function isolateFaults<T>(
  trx: Kysely<Schema>,
  dialect: Dialect,
  items: readonly T[],
  work: (items: readonly T[]) => Promise<void>,
  failed: (item: T, error: Error) => void,
): Promise<void> {
  if (items.length === 0) return
  const error = await tryRows(trx, dialect, () => work(items))
  if (error === undefined) return
  const [only] = items
  if (items.length === 1 && only !== undefined) {
    failed(only, error)
    return
  }
  const middle = items.length >> 1
  await isolateFaults(trx, dialect, items.slice(0, middle), work, failed)
  await isolateFaults(trx, dialect, items.slice(middle), work, failed)
}
