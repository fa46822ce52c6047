import type { Kysely, Transaction } from 'kysely'
import { MorangoError } from '../core/errors.ts'
import type { Dialect } from './dialect.ts'
import type { Schema } from './schema.ts'

const MAX_WAIT_MS = 30_000
const FIRST_PAUSE_MS = 5
const LONGEST_PAUSE_MS = 250

/**
 * Runs `work` in one transaction. When another transaction was in the way (it holds the lock, or has changed what
 * this one read) it tries again, without blocking the event loop, so that an application's own connection in the
 * same process can finish what it holds. So `work` may run more than once.
 *
 * @throws what `work` throws; then nothing is changed.
 */
export async function inTransaction<T>(
  db: Kysely<Schema>,
  dialect: Dialect,
  work: (trx: Transaction<Schema>) => Promise<T>,
): Promise<T> {
  const { isolation } = dialect
  return await untilFree(dialect, async () => {
    const transaction = db.transaction()
    return await (isolation === undefined ? transaction : transaction.setIsolationLevel(isolation)).execute(
      work,
    )
  })
}

/**
 * Tries again while another transaction is in the way, for half a minute at most.
 *
 * @throws MorangoError `disk-full`; else what `attempt` throws
 */
export async function untilFree<T>(dialect: Dialect, attempt: () => Promise<T>): Promise<T> {
  const giveUpAt = Date.now() + MAX_WAIT_MS
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    try {
      return await attempt()
    } catch (error) {
      if (dialect.isFull(error)) throw noRoom(error)
      if (!dialect.isBusy(error) || Date.now() > giveUpAt) throw error
    }
    // Those that were in each other's way must not meet again.
    const wait = pause * (0.5 + Math.random())
    await new Promise((resolve) => setTimeout(resolve, wait))
  }
}

function noRoom(cause: unknown): MorangoError {
  return new MorangoError('disk-full', 'The database has no room left: its disk is full.', {
    hint: 'Make room and do the same again: nothing is lost, and a sync goes on where it stopped.',
    cause,
  })
}
