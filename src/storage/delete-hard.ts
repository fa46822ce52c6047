import { sql } from 'kysely'
import type { CompiledModel } from '../models/compiled.ts'
import type { Database } from './dialect.ts'
import { hardenLog, logChange, logPosition } from './tracking.ts'
import { inTransaction } from './transaction.ts'

/**
 * Deletes rows so that nothing of their content is left, here and, after syncing, on every peer. Rows that fall
 * with them by cascade are deleted as hard. A row that is gone already is hard-deleted all the same.
 */
export async function deleteHard(
  { kysely, dialect }: Database,
  model: CompiledModel,
  ids: readonly string[],
): Promise<void> {
  await inTransaction(kysely, dialect, async (trx) => {
    const since = await logPosition(trx)
    await sql`delete from ${sql.id(model.table)}
      where id in (select ${sql.raw(model.id.cast('value'))} from ${dialect.list(JSON.stringify(ids))})`.execute(
      trx,
    )
    for (const id of ids) await logChange(trx, model.name, id, true)
    await hardenLog(trx, since)
  })
}
