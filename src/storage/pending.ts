import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Filter } from '../core/filter.ts'
import type { Dialect } from './dialect.ts'
import { partitionIn } from './ranges.ts'
import type { Schema } from './schema.ts'
import { noteGrowth } from './statistics.ts'

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

/** SQL condition: the pending row may be of a record under the filter. */
export function pendingUnder(
  filter: Filter | undefined,
  partition: RawBuilder<unknown>,
): RawBuilder<boolean> {
  if (filter === undefined) return sql<boolean>`1 = 1`
  return sql<boolean>`(${partition} is null or ${partitionIn(partition, filter)})`
}

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
  readonly kept: readonly KeptPending[]
}

/** Ends a batch: the pending rows that are done with go, those kept take their partition or reason. */
export async function settlePending(
  trx: Kysely<Schema>,
  dialect: Dialect,
  { model, filter, done, kept }: SettledBatch,
  now: string,
): Promise<void> {
  const [first, last] = [done[0], done.at(-1)]
  if (kept.length === 0 && first !== undefined && last !== undefined) {
    // The whole batch: as a range that takes a quarter of the time.
    await sql`delete from morango_pending where model_name = ${model} and record_id >= ${first}
      and record_id <= ${last} and ${pendingUnder(filter, sql`partition`)}`.execute(trx)
  } else if (done.length > 0) {
    await sql`delete from morango_pending where model_name = ${model}
      and record_id in (select value from ${dialect.list(JSON.stringify(done))})`.execute(trx)
  }
  for (const { recordId, partition, failure } of kept) {
    const row = sql`model_name = ${model} and record_id = ${recordId}`
    await (
      failure === undefined
        ? sql`update morango_pending set partition = ${partition}, error_code = null, error_message = null,
            first_failed_at = null, last_failed_at = null, tries = 0 where ${row}`
        : sql`update morango_pending set partition = ${partition}, error_code = ${failure.code},
            error_message = ${failure.message}, first_failed_at = coalesce(first_failed_at, ${now}),
            last_failed_at = ${now}, tries = tries + 1 where ${row}`
    ).execute(trx)
  }
}
