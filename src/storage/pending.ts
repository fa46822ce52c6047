import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Filter } from '../core/filter.ts'
import type { Dialect } from './dialect.ts'
import { partitionIn } from './ranges.ts'
import type { Schema } from './schema.ts'
import { noteGrowth } from './statistics.ts'
import type { Turn } from './turn.ts'

/**
 * Folds the change log into one pending row a record, and removes just the log rows it read: where transactions run
 * side by side, one that began earlier may log a lower number later. A record that changed again forgets why it
 * failed before.
 */
export async function foldChangeLog(trx: Kysely<Schema>, dialect: Dialect): Promise<void> {
  const fold = (log: RawBuilder<unknown>): RawBuilder<unknown> =>
    sql`insert into morango_pending (model_name, record_id, hard, tries)
      select model_name, record_id, max(hard), 0 from ${log}
      group by model_name, record_id order by model_name, record_id
      on conflict (model_name, record_id) do update
      set hard = ${dialect.greatest(sql`morango_pending.hard`, sql`excluded.hard`)}`
  if (dialect.deletesInWith) {
    const folded =
      await sql`with log as (delete from morango_change_log returning model_name, record_id, hard)
      ${fold(sql`log`)}`.execute(trx)
    await noteGrowth(trx, dialect, 'morango_pending', Number(folded.numAffectedRows ?? 0n))
    return
  }
  const last = await sql<{ seq: number | null }>`select max(seq) as seq from morango_change_log`.execute(trx)
  const seq = last.rows[0]?.seq ?? null
  if (seq === null) return
  await fold(sql`morango_change_log where seq <= ${seq}`).execute(trx)
  await sql`delete from morango_change_log where seq <= ${seq}`.execute(trx)
}

/**
 * `from`-source: the pending rows. Where turns run side by side the log was folded before this one began, and what
 * was logged since is read as it stands: others read it as well, and who folded it here would be in their way.
 */
export function pendingRows(dialect: Dialect): RawBuilder<unknown> {
  if (dialect.sideBySide === undefined) return sql`morango_pending`
  return sql`(select model_name, record_id, hard, partition from morango_pending union all
    select l.model_name, l.record_id, max(l.hard), null from morango_change_log l
    where not exists (select 1 from morango_pending q
      where q.model_name = l.model_name and q.record_id = l.record_id)
    group by l.model_name, l.record_id)`
}

/** SQL condition: the pending row may be of a record under the filter. */
export function pendingUnder(
  filter: Filter | undefined,
  partition: RawBuilder<unknown>,
): RawBuilder<boolean> {
  if (filter === undefined) return sql<boolean>`1 = 1`
  return sql<boolean>`(${partition} is null or ${partitionIn(partition, filter)})`
}

// Whoever notes a partition may be in the way of the turn on it, so a few are rather found out by each.
const WORTH_NOTING = 50

/** A pending row that stays: outside the filter, or not to be serialized for the reason given. */
export interface KeptPending {
  readonly recordId: string
  readonly partition: string | null
  readonly failure: { readonly code: string; readonly message: string } | undefined
}

/** What a serialization made of a batch of a model's pending rows, which were the next under its filter. */
export interface SettledBatch {
  readonly model: string
  readonly filter: Filter | undefined
  /** The ids of those done with, in order. */
  readonly done: readonly string[]
  /** The ids of those of which there is nothing, whatever the partition: others come across them as well. */
  readonly gone: readonly string[]
  readonly kept: readonly KeptPending[]
}

/** Ends a batch: the pending rows that are done with go, those kept take their partition or reason. */
export async function settlePending(
  { trx, aside }: Pick<Turn, 'trx' | 'aside'>,
  dialect: Dialect,
  { model, filter, done, gone, kept }: SettledBatch,
  now: string,
): Promise<void> {
  const [first, last] = [done[0], done.at(-1)]
  if (kept.length === 0 && gone.length === 0 && first !== undefined && last !== undefined) {
    // The whole batch: as a range that takes a quarter of the time.
    await sql`delete from morango_pending where model_name = ${model} and record_id >= ${first}
      and record_id <= ${last} and ${pendingUnder(filter, sql`partition`)}`.execute(trx)
  } else if (done.length > 0) {
    await sql`delete from morango_pending where model_name = ${model}
      and record_id in (select value from ${dialect.list(JSON.stringify(done))})`.execute(trx)
  }
  if (dialect.sideBySide !== undefined) await forgetLogged({ trx, aside }, dialect, model, done)
  const outside = kept.filter(({ failure }) => failure === undefined)
  if (outside.length >= (dialect.sideBySide === undefined ? 1 : WORTH_NOTING)) {
    await aside((db) => notePartitions(db, dialect, model, outside))
  }
  // Another turn may have stored such a record since, and then its deletion has to be serialized.
  if (gone.length > 0) {
    await aside((db) =>
      sql`delete from morango_pending where model_name = ${model} and record_id in (
        select p.record_id from morango_pending p where p.model_name = ${model}
          and p.record_id in (select value from ${dialect.list(JSON.stringify(gone))})
          and not exists (select 1 from morango_store s where s.id = p.record_id)
        ${sql.raw(dialect.skipLocked)})`.execute(db),
    )
  }
  const failed = kept.filter(({ failure }) => failure !== undefined)
  if (failed.length > 0) await aside((db) => noteFailures(db, dialect, model, failed, now))
}

async function noteFailures(
  db: Kysely<Schema>,
  dialect: Dialect,
  model: string,
  failed: readonly KeptPending[],
  now: string,
): Promise<void> {
  const reasons = JSON.stringify(
    Object.fromEntries(
      failed.map(({ recordId, partition, failure }) => [recordId, { partition, ...failure }]),
    ),
  )
  await sql`update morango_pending set partition = ${dialect.textAt(sql`m.value`, 'partition')},
      error_code = ${dialect.textAt(sql`m.value`, 'code')},
      error_message = ${dialect.textAt(sql`m.value`, 'message')},
      first_failed_at = coalesce(first_failed_at, ${now}), last_failed_at = ${now}, tries = tries + 1
    from ${dialect.members(sql`${reasons}`)} m where model_name = ${model} and record_id = m.key`.execute(db)
}

/**
 * What a turn sees logged of a record is in the version that it made, so it need not be serialized again. It is
 * removed once that version is committed: whoever folds the log meanwhile must not wait. A hard deletion that was
 * logged after the record became pending is more than the turn knew of.
 */
async function forgetLogged(
  { trx, aside }: Pick<Turn, 'trx' | 'aside'>,
  dialect: Dialect,
  model: string,
  ids: readonly string[],
): Promise<void> {
  if (ids.length === 0) return
  const seen = await sql<{ seq: number }>`select seq from morango_change_log
    where model_name = ${model} and hard = 0
      and record_id in (select value from ${dialect.list(JSON.stringify(ids))})`.execute(trx)
  if (seen.rows.length === 0) return
  const numbers = JSON.stringify(seen.rows.map(({ seq }) => String(seq)))
  await aside((db) =>
    sql`delete from morango_change_log where seq in (select l.seq from morango_change_log l
      where l.seq in (select cast(value as bigint) from ${dialect.list(numbers)})
      ${sql.raw(dialect.skipLocked)})`.execute(db),
  )
}

// Every turn that comes across a new record finds out its partition. It is noted so that others need not.
async function notePartitions(
  db: Kysely<Schema>,
  dialect: Dialect,
  model: string,
  records: readonly KeptPending[],
): Promise<void> {
  const known = Object.fromEntries(records.map(({ recordId, partition }) => [recordId, partition]))
  const partitions = dialect.members(sql`${JSON.stringify(known)}`)
  await sql`update morango_pending set partition = m.value, error_code = null, error_message = null,
      first_failed_at = null, last_failed_at = null, tries = 0
    from ${partitions} m where model_name = ${model} and record_id = m.key and record_id in (
      select p.record_id from morango_pending p where p.model_name = ${model}
        and p.record_id in (select n.key from ${partitions} n) ${sql.raw(dialect.skipLocked)})`.execute(db)
}
