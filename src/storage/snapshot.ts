import { type Kysely, type RawBuilder, sql } from 'kysely'
import { forgetConflicts } from './conflict-log.ts'
import type { Dialect } from './dialect.ts'
import type { Schema } from './schema.ts'

/** SQL expression: the history of Store record `s` as a JSON object, its last-saved pair left out. */
export function historyOf(dialect: Dialect, id: RawBuilder<unknown>): RawBuilder<string | null> {
  return sql<string | null>`(select ${dialect.objectOf(sql`r.instance_id`, sql`r.counter`)}
    from morango_record_max_counter r where r.store_id = ${id} having count(*) > 0)`
}

/**
 * Before Store records change: keeps, for every transfer that has queued them and not yet ended, how they were
 * when queued. The outgoing Buffer is a snapshot (a record sent must fit the others sent with it), and copying
 * the few that change meanwhile costs less than copying all that are queued.
 *
 * @param ids the records' ids as a JSON list.
 */
export async function snapshotQueued(trx: Kysely<Schema>, dialect: Dialect, ids: string): Promise<void> {
  const any = await sql`select 1 from morango_outgoing limit 1`.execute(trx)
  if (any.rows.length === 0) return
  await sql`insert into morango_outgoing_snapshot (transfer_session_id, store_id, serialized,
      conflicting_serialized_data, self_ref_fk, last_saved_instance, last_saved_counter, deleted, hard_deleted,
      counters)
    select o.transfer_session_id, s.id, s.serialized, s.conflicting_serialized_data, s.self_ref_fk,
      s.last_saved_instance, s.last_saved_counter, s.deleted, s.hard_deleted, ${historyOf(dialect, sql`s.id`)}
    from morango_store s join morango_outgoing o on o.store_no = s.no
    where s.id in (select value from ${dialect.list(ids)})
    on conflict (transfer_session_id, store_id) do nothing`.execute(trx)
}

/**
 * After records were deleted hard: what was kept of them for running transfers goes too, so those send the
 * deletion and not the content; and what was kept of their conflicts.
 */
export async function forgetContent(trx: Kysely<Schema>, dialect: Dialect, ids: string): Promise<void> {
  await sql`delete from morango_outgoing_snapshot where store_id in (select value from ${dialect.list(ids)})`.execute(
    trx,
  )
  await forgetConflicts(trx, sql`select value from ${dialect.list(ids)}`)
}
