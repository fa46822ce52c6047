import { sql, type RawBuilder } from 'kysely'
import { keepHistory } from './counters.ts'
import { type Reach, REACHES_FURTHER } from './deletion-reach.ts'
import type { Dialect } from './dialect.ts'
import type { RecordIdentity } from '../models/compiled.ts'
import { countSaved, forgetEmptyPartitions, savedVersions } from './saved-partitions.ts'
import { snapshotQueued } from './snapshot.ts'
import type { Turn } from './turn.ts'

/**
 * SQL condition: the Store's record `s` is a deletion that waits because it reaches further than its sender may. It is not
 * sent on: the next peer would judge it by this device's certificate, and delete what the sender must not.
 */
export const WITHHELD: RawBuilder<boolean> = sql<boolean>`(s.deleted = 1 and exists (select 1 from morango_dirty d
  where d.store_no = s.no and d.error_code = ${sql.lit(REACHES_FURTHER)}))`

/**
 * Of deletions that are applied now, those that were withheld. To be called before they leave the dirty records.
 *
 * @returns their ids, those left out that this device may not write
 */
export async function releasedOf(
  { trx }: Turn,
  dialect: Dialect,
  labels: readonly RecordIdentity[],
  deleted: readonly string[],
  reach: Reach,
): Promise<string[]> {
  if (deleted.length === 0) return []
  const found = await sql<{ id: string }>`select s.id from morango_store s
    where s.id in (select value from ${dialect.list(JSON.stringify(deleted))}) and ${WITHHELD}`.execute(trx)
  const withheld = new Set(found.rows.map(({ id }) => id))
  return labels.flatMap(({ id, partition }) =>
    withheld.has(id) && reach.refusedBy(partition) !== 'device' ? [id] : [],
  )
}

/**
 * Stamps deletions that were withheld as versions of ours, so that they travel: peers have learned meanwhile that they
 * have everything up to the sender's.
 */
export async function stampReleased(
  turn: Turn,
  dialect: Dialect,
  released: readonly string[],
): Promise<void> {
  if (released.length === 0) return
  const { trx } = turn
  const ids = JSON.stringify(released)
  const { instance, counter } = await turn.stamp()
  await snapshotQueued(trx, dialect, ids)
  await countSaved(trx, dialect, savedVersions(dialect, ids), 'out')
  await keepHistory(trx, dialect, ids, instance)
  await sql`update morango_store set last_saved_instance = ${instance}, last_saved_counter = ${counter}
    where id in (select value from ${dialect.list(ids)})`.execute(trx)
  await countSaved(trx, dialect, savedVersions(dialect, ids), 'in')
  await forgetEmptyPartitions(trx)
}
