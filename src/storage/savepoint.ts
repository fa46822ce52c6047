import { CompiledQuery, type Kysely, sql } from 'kysely'
import type { Dialect } from './dialect.ts'
import type { Schema } from './schema.ts'

// Compiled once: where rows are bad these are run thousands of times.
const SAVE = CompiledQuery.raw('savepoint morango_rows')
const ROLL_BACK = CompiledQuery.raw('rollback to savepoint morango_rows')
const RELEASE = CompiledQuery.raw('release savepoint morango_rows')

/** What `work` throws when a statement went through, and what it did must not be. */
export class RowsRefused extends Error {
  override readonly name = 'RowsRefused'
}

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
  await trx.executeQuery(SAVE)
  try {
    await work()
    if (dialect.checkNow !== undefined) await sql.raw(dialect.checkNow).execute(trx)
  } catch (error) {
    // With any other error the transaction is lost, and may be gone already.
    if (!(error instanceof Error)) throw error
    if (!(error instanceof RowsRefused) && !dialect.isRowFault(error)) throw error
    await trx.executeQuery(ROLL_BACK)
    await trx.executeQuery(RELEASE)
    return error
  }
  await trx.executeQuery(RELEASE)
  return undefined
}

// An error is about one row: where many are bad, to halve them is quicker than to take them out one by one.
const MOST_GUESSES = 4

/** Which of the items an error is about, as far as it tells. A guess is enough: each is tried alone. */
export type Suspects<T> = (error: Error, items: readonly T[]) => readonly T[]

/**
 * Runs `work` over all items at once, and when a row is at fault once more without those that the error is about, or
 * else halves them until the faulty ones stand alone. A few bad rows among many cost a few statements each.
 *
 * @param failed is told each faulty item.
 * @param suspectsOf where the order of the items does not matter
 */
export async function isolateFaults<T>(
  trx: Kysely<Schema>,
  dialect: Dialect,
  items: readonly T[],
  work: (items: readonly T[]) => Promise<void>,
  failed: (item: T, error: Error) => void,
  suspectsOf?: Suspects<T>,
  guesses: number = MOST_GUESSES,
): Promise<void> {
  if (items.length === 0) return
  const error = await tryRows(trx, dialect, () => work(items))
  if (error === undefined) return
  const [only] = items
  if (items.length === 1 && only !== undefined) {
    failed(only, error)
    return
  }
  const suspects = guesses > 0 ? (suspectsOf?.(error, items) ?? []) : []
  for (const part of partsOf(items, suspects)) {
    await isolateFaults(trx, dialect, part, work, failed, suspectsOf, guesses - 1)
  }
}

function partsOf<T>(items: readonly T[], suspects: readonly T[]): readonly (readonly T[])[] {
  if (suspects.length > 0 && suspects.length < items.length) {
    const suspected = new Set(suspects)
    return [items.filter((item) => !suspected.has(item)), suspects]
  }
  const middle = items.length >> 1
  return [items.slice(0, middle), items.slice(middle)]
}
