import { type Kysely, sql } from 'kysely'
import type { Schema } from './schema.ts'

/**
 * The certificate of the other side of a transfer: who taught what is learned in it, and who sent its records.
 * Undefined when the transfer is not known any more.
 */
export function peerCertificateId(
  db: Kysely<Schema>,
  transferSessionId: string,
): Promise<string | undefined> {
  return readOfPeer(db, transferSessionId, 'certificate_id')
}

/** The instance that the other side of a transfer says it is; undefined when it says none. */
export function peerInstanceId(db: Kysely<Schema>, transferSessionId: string): Promise<string | undefined> {
  return readOfPeer(db, transferSessionId, 'instance_id')
}

async function readOfPeer(
  db: Kysely<Schema>,
  transferSessionId: string,
  what: 'certificate_id' | 'instance_id',
): Promise<string | undefined> {
  const result = await sql<{ id: string | null }>`
    select case when s.is_server = 1 then s.${sql.raw(`client_${what}`)} else s.${sql.raw(`server_${what}`)} end as id
    from morango_transfer_session t join morango_sync_session s on s.id = t.sync_session_id
    where t.id = ${transferSessionId}`.execute(db)
  return result.rows[0]?.id ?? undefined
}
