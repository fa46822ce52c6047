import type { Kysely, Selectable } from 'kysely'
import type { Schema, SyncSessionTable } from './schema.ts'
import { getTransfer, toTransfer, type TransferRecord } from './transfer-sessions.ts'

/** A transfer with what its session says of the two sides. */
export interface PastTransfer {
  readonly transfer: TransferRecord
  readonly isServer: boolean
  /** Whether this side sends. */
  readonly weSend: boolean
  /** The base URL of a server; the address of a client, which may be empty. */
  readonly peer: string
  readonly peerInstanceId: string | null
  readonly peerInstance: string
  readonly ownCertificateId: string
  readonly peerCertificateId: string
  readonly capabilities: ReadonlySet<string>
}

/** More would tell nothing new. */
const TRANSFERS_LOOKED_AT = 40

/** The latest transfers of a profile, newest first; those with the server of that URL when it is named. */
export async function recentTransfers(
  db: Kysely<Schema>,
  { profile, url }: { readonly profile: string; readonly url?: string | undefined },
): Promise<PastTransfer[]> {
  let query = db
    .selectFrom('morango_transfer_session as transfer')
    .innerJoin('morango_sync_session as session', 'session.id', 'transfer.sync_session_id')
    .selectAll('transfer')
    .where('session.profile', '=', profile)
  if (url !== undefined) {
    query = query.where('session.is_server', '=', 0).where('session.connection_path', '=', url)
  }
  const rows = await query.orderBy('transfer.created_at', 'desc').limit(TRANSFERS_LOOKED_AT).execute()
  if (rows.length === 0) return []
  const sessions = await db
    .selectFrom('morango_sync_session')
    .selectAll()
    .where(
      'id',
      'in',
      rows.map((row) => row.sync_session_id),
    )
    .execute()
  const byId = new Map(sessions.map((session) => [session.id, session]))
  return rows.flatMap((row) => {
    const session = byId.get(row.sync_session_id)
    return session === undefined ? [] : [pastTransfer(toTransfer(row), session)]
  })
}

/** The transfer of that id with its session; undefined when it is not kept any more. */
export async function findTransfer(db: Kysely<Schema>, id: string): Promise<PastTransfer | undefined> {
  const transfer = await getTransfer(db, id)
  if (transfer === undefined) return undefined
  const session = await db
    .selectFrom('morango_sync_session')
    .selectAll()
    .where('id', '=', transfer.syncSessionId)
    .executeTakeFirst()
  return session === undefined ? undefined : pastTransfer(transfer, session)
}

function pastTransfer(transfer: TransferRecord, session: Selectable<SyncSessionTable>): PastTransfer {
  const isServer = session.is_server === 1
  const [own, other] = isServer
    ? [session.server_certificate_id, session.client_certificate_id]
    : [session.client_certificate_id, session.server_certificate_id]
  return {
    transfer,
    isServer,
    weSend: transfer.push !== isServer,
    peer: isServer ? session.client_ip : session.connection_path,
    peerInstanceId: isServer ? session.client_instance_id : session.server_instance_id,
    peerInstance: isServer ? session.client_instance : session.server_instance,
    ownCertificateId: own ?? '',
    peerCertificateId: other ?? '',
    capabilities: new Set(session.capabilities.split(' ').filter((name) => name !== '')),
  }
}
