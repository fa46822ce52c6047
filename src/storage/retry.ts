import { type Kysely, sql } from 'kysely'
import type { Dialect } from './dialect.ts'
import type { Schema } from './schema.ts'

/** How long a record that cannot be applied is left alone, at first and at most, in milliseconds. It doubles each time. */
const FIRST_PAUSE_MS = 60_000
export const LONGEST_PAUSE_MS = 86_400_000
const MOST_DOUBLINGS = 11

// Of those of which nothing says what they wait for, so many are tried when something has changed.
const SOME = 500

/** SQL expression: when to try a record again that has failed `tries` times before now. */
export function nextTry(now: number, tries: string): string {
  return `(${now} + case when ${tries} >= ${MOST_DOUBLINGS} then ${LONGEST_PAUSE_MS}
    else ${FIRST_PAUSE_MS} * (1 << ${tries}) end)`
}

/**
 * Ends the pauses that are over, also those that a clock set back has made longer than a pause can be, and the pauses of
 * some deletions: what keeps them is other rows, which may have gone by now.
 */
export async function wakeDue(trx: Kysely<Schema>, now: number): Promise<void> {
  await sql`update morango_dirty set next_try_at = 0
    where next_try_at > 0 and (next_try_at <= ${now} or next_try_at > ${now + LONGEST_PAUSE_MS})`.execute(trx)
  await sql`update morango_dirty set next_try_at = 0 where store_no in (
    select store_no from morango_dirty where deleted = 1 and next_try_at > 0
    order by next_try_at limit ${SOME})`.execute(trx)
}

/** Ends all pauses of a profile, as who asks for a retry wants it. */
export async function wakeAll(trx: Kysely<Schema>, profile: string): Promise<void> {
  await sql`update morango_dirty set next_try_at = 0 where next_try_at > 0
    and store_no in (select no from morango_store where profile = ${profile})`.execute(trx)
}

/** Ends the pauses of records whose models were not known and are now. */
export async function wakeKnown(db: Kysely<Schema>, models: readonly string[]): Promise<void> {
  if (models.length === 0) return
  await sql`update morango_dirty set next_try_at = 0
    where next_try_at > 0 and error_code = 'unknown-model' and model_name in (${sql.join(models)})`.execute(
    db,
  )
}

/** Whether any record waits for another one. */
export async function anyWaitsFor(trx: Kysely<Schema>): Promise<boolean> {
  const found = await sql`select 1 from morango_dirty where waits_for is not null limit 1`.execute(trx)
  return found.rows.length > 0
}

/** Ends the pauses of records that wait for one of these. */
export async function wakeFor(trx: Kysely<Schema>, dialect: Dialect, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return
  await sql`update morango_dirty set next_try_at = 0 where next_try_at > 0 and waits_for is not null
    and waits_for in (select value from ${dialect.list(JSON.stringify(ids))})`.execute(trx)
}

/** Rows of the model were changed here: what the database has refused it may take now. */
export async function wakeRefused(trx: Kysely<Schema>, model: string): Promise<void> {
  await sql`update morango_dirty set next_try_at = 0 where model_name = ${model} and store_no in (
    select store_no from morango_dirty where model_name = ${model} and next_try_at > 0 and waits_for is null
      and error_code in ('unique', 'constraint') order by next_try_at limit ${SOME})`.execute(trx)
}

/** Whether there is anything to try now: records not in a pause, or pauses that the changes logged may end. */
export async function anythingDue(db: Kysely<Schema>, profile: string, now: number): Promise<boolean> {
  const due = await sql`select 1 from morango_dirty d where d.next_try_at = 0
    and exists (select 1 from morango_store s where s.no = d.store_no and s.profile = ${profile}) limit 1`.execute(
    db,
  )
  if (due.rows.length > 0) return true
  const paused = await sql<{ over: number }>`select
      case when next_try_at <= ${now} or next_try_at > ${now + LONGEST_PAUSE_MS} then 1 else 0 end as over
    from morango_dirty where next_try_at > 0 order by next_try_at limit 1`.execute(db)
  const [first] = paused.rows
  if (first === undefined) return false
  if (Number(first.over) === 1) return true
  const changed = await sql`select 1 from morango_change_log limit 1`.execute(db)
  return changed.rows.length > 0
}
