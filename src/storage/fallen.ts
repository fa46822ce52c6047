import { type Kysely, sql } from 'kysely'
import type { Dialect } from './dialect.ts'
import type { Schema } from './schema.ts'

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
  await sql`insert into morango_fallen (record_id, transfer_session_id)
    select value, ${transferSessionId} from ${dialect.list(JSON.stringify(ids))} where 1 = 1
    on conflict (record_id) do update set transfer_session_id = excluded.transfer_session_id`.execute(trx)
}

/** Forgets it again, once the records have another version. */
export async function forgetFallen(
  trx: Kysely<Schema>,
  dialect: Dialect,
  ids: readonly string[],
): Promise<void> {
  if (ids.length === 0) return
  await sql`delete from morango_fallen where record_id in (
    select value from ${dialect.list(JSON.stringify(ids))})`.execute(trx)
}
