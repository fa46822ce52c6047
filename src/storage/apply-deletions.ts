import { type Kysely, sql } from 'kysely'
import type { CompiledModel } from '../models/compiled.ts'
import type { EngineContext } from './context.ts'
import { clearDirty, type Failure, keepDirty } from './dirty.ts'
import { isolateFaults, RowsRefused } from './savepoint.ts'
import type { Schema } from './schema.ts'
import { hardenLog, logPosition, unlog, unlogWaiting, waitingFell } from './tracking.ts'

/**
 * Deletes the application rows of records that arrived as deleted. These are not the application's deletions
 * and leave no trace in the change log; rows of others that fall with them by cascade are, and do.
 *
 * A row of which a later version waits may be elsewhere by that, so what it would fall with is not deleted before that
 * version is applied. What still falls then is no deletion of its record: that waits, with its reason.
 *
 * @param options.hard what falls with these records falls as hard as they did.
 * @param options.last nothing is applied after this: what cannot be deleted is kept with its reason. Otherwise it is
 *   returned, to be tried once more.
 */
export async function applyDeletions(
  trx: Kysely<Schema>,
  context: EngineContext,
  model: CompiledModel,
  ids: readonly string[],
  options: { readonly hard: boolean; readonly last?: boolean },
): Promise<{ deleted: number; failed: readonly Failure[] }> {
  const { dialect } = context.database
  const since = await logPosition(trx)
  const failed: Failure[] = []
  await isolateFaults(
    trx,
    dialect,
    ids,
    async (some) => {
      await sql`delete from ${sql.id(model.table)}
        where id in (select ${sql.raw(model.id.cast('value'))} from ${dialect.list(JSON.stringify(some))})`.execute(
        trx,
      )
      if (options.last !== true && (await waitingFell(trx, since)))
        throw new RowsRefused('Later versions wait')
    },
    (id, error) => {
      failed.push({ id, code: 'still-referenced', message: `The row cannot be deleted: ${error.message}` })
    },
  )
  const refused = new Set(failed.map(({ id }) => id))
  const deleted = ids.filter((id) => !refused.has(id))
  await unlog(trx, dialect, model.name, JSON.stringify(deleted), since)
  if (options.last === true) await unlogWaiting(trx, since)
  if (options.hard) await hardenLog(trx, since)
  await clearDirty(trx, dialect, model, deleted)
  if (options.last === true) {
    await keepDirty(trx, dialect, model, failed, context.clock.now().toISOString())
  }
  return { deleted: deleted.length, failed }
}
