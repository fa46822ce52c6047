import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { CompiledModel, CompiledProfile } from '../models/compiled.ts'
import type { Database } from './dialect.ts'
import { rowIsGone } from './deletion-brake.ts'
import { markDirty } from './dirty.ts'
import { foldNow } from './fold-now.ts'
import { releaseDeletions } from './held-deletions.ts'
import { locksFor } from './partition-locks.ts'
import type { Schema } from './schema.ts'
import { inTurn } from './turn.ts'

/**
 * {@link takeBackDeletions} on its own; then deserialize.
 *
 * @param dryRun only counts
 */
export async function restoreDeleted(
  database: Database,
  profile: CompiledProfile,
  models: readonly CompiledModel[],
  dryRun: boolean,
): Promise<number> {
  await foldNow(database)
  const needs = { locks: locksFor(undefined, 'exclusive'), fold: false, stamps: 0 }
  return await inTurn(database, needs, async ({ trx }) => {
    if (!dryRun) return await takeBackDeletions(trx, profile, models)
    let records = 0
    for (const model of models) records += await countTakeBack(trx, model)
    return records
  })
}

/**
 * Takes back deletions that were not serialized yet: the records whose rows are gone wait to be deserialized, and
 * so the rows come back. Hard deletions stand. The change log must be folded.
 *
 * @returns how many rows will come back
 */
export async function takeBackDeletions(
  trx: Kysely<Schema>,
  profile: CompiledProfile,
  models: readonly CompiledModel[] = profile.models,
): Promise<number> {
  let restored = 0
  for (const model of models) restored += await takeBack(trx, model)
  if (models.length === profile.models.length) await releaseDeletions(trx, profile.name)
  return restored
}

async function takeBack(trx: Kysely<Schema>, model: CompiledModel): Promise<number> {
  const records = await countTakeBack(trx, model)
  if (records === 0) return 0
  const gone = deletedUnserialized(model)
  await markDirty(trx, sql`select s.model_name, s.no, s.deleted from morango_store s where ${gone}`)
  for (const table of ['morango_pending', 'morango_change_log'] as const) {
    await sql`delete from ${sql.id(table)} where model_name = ${model.name} and hard = 0 and record_id in (
      select s.id from morango_store s join morango_dirty d on d.model_name = s.model_name and d.store_no = s.no
      where ${gone})`.execute(trx)
  }
  return records
}

// Records that wait to be applied have no row either, but nobody has deleted it.
async function countTakeBack(trx: Kysely<Schema>, model: CompiledModel): Promise<number> {
  const counted = await sql<{ records: number }>`select count(*) as records from morango_store s
    where ${deletedUnserialized(model)} and (
      not exists (select 1 from morango_dirty d where d.model_name = s.model_name and d.store_no = s.no)
      or exists (select 1 from morango_pending p where p.model_name = s.model_name and p.record_id = s.id))`.execute(
    trx,
  )
  return Number(counted.rows[0]?.records ?? 0)
}

/** SQL condition: the record \`s\` lives, and its row is gone, but not for good. */
function deletedUnserialized(model: CompiledModel): RawBuilder<boolean> {
  return sql<boolean>`(s.profile = ${model.profile} and s.model_name = ${model.name} and s.deleted = 0
    and ${rowIsGone(model, 's.id')}
    and not exists (select 1 from morango_pending h where h.model_name = s.model_name and h.record_id = s.id
      and h.hard = 1)
    and s.id not in (select l.record_id from morango_change_log l where l.model_name = ${model.name} and l.hard = 1))`
}
