import { type Kysely, sql } from 'kysely'
import type { Schema } from './schema.ts'

/**
 * The certificate of the other side of a transfer: who taught what is learned in it, and who sent its records.
 * Undefined when the transfer is not known any more.
 */
export async function peerCertificateId(
  db: Kysely<Schema>,
  transferSessionId: string,
): Promise<string | undefined> {
  const result = await sql<{ id: string | null }>`
    select case when s.is_server = 1 then s.client_certificate_id else s.server_certificate_id end as id
    from morango_transfer_session t join morango_sync_session s on s.id = t.sync_session_id
    where t.id = ${transferSessionId}`.execute(db)
  return result.rows[0]?.id ?? undefined
}

/** The instance that the other side of a transfer says it is; undefined when it says none. */
export async function peerInstanceId(
  db: Kysely<Schema>,
  transferSessionId: string,
): Promise<string | undefined> {
  const result = await sql<{ id: string | null }>`
    select case when s.is_server = 1 then s.client_instance_id else s.server_instance_id end as id
    from morango_transfer_session t join morango_sync_session s on s.id = t.sync_session_id
    where t.id = ${transferSessionId}`.execute(db)
  return result.rows[0]?.id ?? undefined
}
