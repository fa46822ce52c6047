import { type Kysely, sql } from 'kysely'
import type { Schema } from './schema.ts'

/** Which sessions to forget. */
export interface Forgetting {
  /** Those that were over before; an ISO time. */
  readonly before: string
  /** How many that are over are kept of one branch of clients, whatever their age; all when missing. */
  readonly perBranch?: number
  /** How many to forget at once. */
  readonly limit: number
}

/**
 * Forgets sync sessions that are over, with their transfers. Kept are:
 *
 * - of each certificate that came here, and of each server and own certificate, the last session with a push, the last
 *   with a pull, and the last of all: what was said in them is what is known of the peer;
 * - those that brought records which still wait to be applied: it has to be known who sent them.
 *
 * @returns how many were forgotten
 */
export async function forgetSessions(
  db: Kysely<Schema>,
  { before, perBranch, limit }: Forgetting,
): Promise<number> {
  const old = await candidates(db, sql`s.last_activity_at < ${before}`, limit)
  const ids =
    old.length > 0 || perBranch === undefined ? old : await candidates(db, surplus(perBranch), limit)
  if (ids.length === 0) return 0
  await sql`delete from morango_transfer_session where sync_session_id in (${sql.join(ids)}) and active = 0`.execute(
    db,
  )
  const { rows } = await sql<{
    id: string
  }>`delete from morango_sync_session as s where s.id in (${sql.join(ids)})
    and s.active = 0 and not exists (select 1 from morango_transfer_session t where t.sync_session_id = s.id)
    returning id`.execute(db)
  return rows.length
}

/** What of the sessions of a branch is beyond the number that is kept. */
function surplus(perBranch: number) {
  return sql`s.is_server = 1 and s.id in (select id from (
    select x.id, row_number() over (partition by x.client_branch order by x.created_at desc, x.id) as place
    from morango_sync_session x where x.active = 0 and x.is_server = 1) ranked where place > ${perBranch})`
}

async function candidates(
  db: Kysely<Schema>,
  condition: ReturnType<typeof surplus>,
  limit: number,
): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`select s.id from morango_sync_session s
    where s.active = 0 and ${condition}
      and not exists (select 1 from morango_transfer_session t where t.sync_session_id = s.id and t.active = 1)
      and exists (select 1 from morango_sync_session n where ${isLaterWithSamePeer('n')})
      and not exists (select 1 from morango_transfer_session t where t.sync_session_id = s.id
        and not exists (select 1 from morango_sync_session n join morango_transfer_session u
          on u.sync_session_id = n.id and u.push = t.push where ${isLaterWithSamePeer('n')}))
      and s.id not in (select w.sync_session_id from morango_dirty d join morango_store r on r.no = d.store_no
        join morango_transfer_session w on w.id = r.last_transfer_session_id)
    order by s.last_activity_at, s.id limit ${limit}`.execute(db)
  return rows.map(({ id }) => id)
}

/** What a client says of itself or of the URL is not asked: it could be another one each time. */
function isLaterWithSamePeer(later: string) {
  const n = (column: string) => sql.ref(`${later}.${column}`)
  return sql`${n('client_certificate_id')} = s.client_certificate_id and ${n('is_server')} = s.is_server
    and (s.is_server = 1 or ${n('connection_path')} = s.connection_path)
    and (${n('created_at')} > s.created_at or (${n('created_at')} = s.created_at and ${n('id')} > s.id))`
}
