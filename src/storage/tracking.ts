import { type Kysely, sql } from 'kysely'
import type { Dialect } from './dialect.ts'
import type { Schema } from './schema.ts'

/**
 * Runs `work` without logging changes, in the caller's transaction: rows that the engine writes are not the
 * application's changes. Changes in other transactions are logged meanwhile.
 */
export async function untracked<T>(
  trx: Kysely<Schema>,
  dialect: Dialect,
  work: () => Promise<T>,
): Promise<T> {
  await dialect.setTracking(false).execute(trx)
  const result = await work()
  await dialect.setTracking(true).execute(trx)
  return result
}

/** Whether triggers log changes; only inside a transaction of the engine they do not. */
export async function isTracking(db: Kysely<Schema>): Promise<boolean> {
  const control = await db.selectFrom('morango_control').select('tracking').executeTakeFirst()
  return control?.tracking === 1
}

/** The change log's last position. */
export async function logPosition(trx: Kysely<Schema>): Promise<number> {
  const result = await sql<{ seq: number | null }>`select max(seq) as seq from morango_change_log`.execute(
    trx,
  )
  return result.rows[0]?.seq ?? 0
}

/** Takes back what was logged after `since` about the given records: the engine's own deletions. */
export async function unlog(
  trx: Kysely<Schema>,
  dialect: Dialect,
  model: string,
  ids: string,
  since: number,
): Promise<void> {
  await sql`delete from morango_change_log where seq > ${since} and model_name = ${model}
    and record_id in (select value from ${dialect.list(ids)})`.execute(trx)
}

const WAITING = sql`select s.id from morango_store s
  join morango_dirty d on d.model_name = s.model_name and d.store_no = s.no and d.deleted = 0`

/** Whether rows were logged after `since` of which a later version waits that is no deletion. */
export async function waitingFell(trx: Kysely<Schema>, since: number): Promise<boolean> {
  const found = await sql`select 1 from morango_change_log l where l.seq > ${since}
    and l.record_id in (${WAITING} where s.id = l.record_id and s.model_name = l.model_name) limit 1`.execute(
    trx,
  )
  return found.rows.length > 0
}

/** Takes back what was logged after `since` about such rows. */
export async function unlogWaiting(trx: Kysely<Schema>, since: number): Promise<void> {
  await sql`delete from morango_change_log where seq > ${since}
    and record_id in (${WAITING} where s.id = morango_change_log.record_id
      and s.model_name = morango_change_log.model_name)`.execute(trx)
}

/** Makes what was logged after `since` hard: deletions that follow from a hard one. */
export async function hardenLog(trx: Kysely<Schema>, since: number): Promise<void> {
  await trx.updateTable('morango_change_log').set({ hard: 1 }).where('seq', '>', since).execute()
}

/** Logs a change of a record as if the application had made it. */
export async function logChange(
  trx: Kysely<Schema>,
  model: string,
  recordId: string,
  hard: boolean,
): Promise<void> {
  await trx
    .insertInto('morango_change_log')
    .values({ model_name: model, record_id: recordId, hard: hard ? 1 : 0 })
    .execute()
}
