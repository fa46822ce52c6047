import type { Database } from './dialect.ts'
import { foldChangeLog } from './pending.ts'
import { inTurn } from './turn.ts'

/** Folds the change log as it stands, so that what is pending is found by an index. */
export async function foldNow(database: Database): Promise<void> {
  await inTurn(database, { locks: [], fold: true, stamps: 0 }, async ({ trx }) => {
    if (database.dialect.sideBySide === undefined) await foldChangeLog(trx, database.dialect)
  })
}
