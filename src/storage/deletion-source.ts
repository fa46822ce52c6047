import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Dialect } from './dialect.ts'
import type { Stamp } from './instance.ts'
import type { Schema } from './schema.ts'

/** Stands for this device where a transfer would be named. */
const OWN = ''

/** Where a deletion comes from, which says what may fall with it. */
export interface DeletionSource {
  /** The transfer that brought it; null when it is this device's own. */
  readonly transfer: string | null
  /** The partition of the deleted record, which its sender may write for certain. */
  readonly partition: string
}

/**
 * SQL expression: the transfer that a deletion of Store record `s` came from, null when it is this device's own. The
 * Store names the transfer that brought the version before, as in the original, also once the row was deleted here.
 */
export const DELETED_BY: RawBuilder<string | null> = sql<string | null>`nullif(coalesce((
  select ds.transfer_session_id from morango_deletion_source ds where ds.record_id = s.id
    and ds.last_saved_instance = s.last_saved_instance and ds.last_saved_counter = s.last_saved_counter),
  s.last_transfer_session_id), ${sql.lit(OWN)})`

/**
 * Notes by which transfer's deletion these records' rows fell, for when that is serialized: what refers to such a record
 * may be deleted in turn only where the sender of the first deletion may write.
 */
export async function noteFallen(
  trx: Kysely<Schema>,
  dialect: Dialect,
  ids: readonly string[],
  transferSessionId: string | null,
): Promise<void> {
  if (ids.length === 0 || transferSessionId === null) return
  await sql`insert into morango_deletion_source (record_id, transfer_session_id)
    select value, ${transferSessionId} from ${dialect.list(JSON.stringify(ids))} where 1 = 1
    on conflict (record_id) do update set transfer_session_id = excluded.transfer_session_id,
      last_saved_instance = null, last_saved_counter = null`.execute(trx)
}

/** Notes whose these deletions are, now that they are serialized: of those whose rows fell that is known already. */
export async function noteDeleted(
  trx: Kysely<Schema>,
  dialect: Dialect,
  ids: readonly string[],
  { instance, counter }: Stamp,
): Promise<void> {
  if (ids.length === 0) return
  // Without a transfer in the Store there is nothing to be mistaken for the source.
  await sql`insert into morango_deletion_source
      (record_id, transfer_session_id, last_saved_instance, last_saved_counter)
    select s.id, ${OWN}, cast(${instance} as text), cast(${counter} as integer) from morango_store s
    left join morango_deletion_source known on known.record_id = s.id
    where s.id in (select value from ${dialect.list(JSON.stringify(ids))})
      and (known.record_id is not null or s.last_transfer_session_id is not null)
    on conflict (record_id) do update set
      transfer_session_id = case when morango_deletion_source.last_saved_instance is null
        then morango_deletion_source.transfer_session_id else excluded.transfer_session_id end,
      last_saved_instance = excluded.last_saved_instance,
      last_saved_counter = excluded.last_saved_counter`.execute(trx)
}

/** Forgets it of records that live on: their rows were changed by a deletion, or made again. */
export async function forgetSource(
  trx: Kysely<Schema>,
  dialect: Dialect,
  ids: readonly string[],
): Promise<void> {
  if (ids.length === 0) return
  const any = await sql`select 1 from morango_deletion_source limit 1`.execute(trx)
  if (any.rows.length === 0) return
  await sql`delete from morango_deletion_source where record_id in (
    select value from ${dialect.list(JSON.stringify(ids))})`.execute(trx)
}
