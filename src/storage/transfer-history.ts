import { type Kysely, type Selectable, sql } from 'kysely'
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

/** The sessions with one peer in one role. */
export interface SessionGroup {
  /** Whether this side is the server. */
  readonly isServer: boolean
  readonly instanceId: string | null
  /** A server's base URL; the last address of a client. */
  readonly address: string
  readonly lastActivityAt: string
  /** How many are not closed. */
  readonly open: number
}

/** Who has synced more recently stays visible. */
const GROUPS_SHOWN = 50

/** Whom there were sessions with, the latest first. */
export async function readSessionGroups(db: Kysely<Schema>, profile: string): Promise<SessionGroup[]> {
  const { rows } = await sql<{
    isServer: number
    instanceId: string | null
    address: string
    lastActivityAt: string
    open: number
  }>`select is_server as "isServer",
      case when is_server = 1 then client_instance_id else server_instance_id end as "instanceId",
      max(case when is_server = 1 then client_ip else connection_path end) as address,
      max(last_activity_at) as "lastActivityAt", sum(active) as open
    from morango_sync_session where profile = ${profile}
    group by is_server, case when is_server = 1 then client_instance_id else server_instance_id end,
      case when is_server = 1 then '' else connection_path end
    order by max(last_activity_at) desc limit ${GROUPS_SHOWN}`.execute(db)
  return rows.map((row) => ({ ...row, isServer: row.isServer === 1, open: Number(row.open) }))
}

/** The latest transfers of a profile, newest first; those with one server or one peer when it is named. */
export async function recentTransfers(
  db: Kysely<Schema>,
  match: { readonly profile: string; readonly url?: string | undefined; readonly with?: SessionGroup },
): Promise<PastTransfer[]> {
  const { profile, url, with: group } = match
  let query = db
    .selectFrom('morango_transfer_session as transfer')
    .innerJoin('morango_sync_session as session', 'session.id', 'transfer.sync_session_id')
    .selectAll('transfer')
    .where('session.profile', '=', profile)
  if (url !== undefined) {
    query = query.where('session.is_server', '=', 0).where('session.connection_path', '=', url)
  }
  if (group !== undefined) {
    const { isServer, instanceId, address } = group
    query = query
      .where('session.is_server', '=', isServer ? 1 : 0)
      .where(
        isServer ? 'session.client_instance_id' : 'session.server_instance_id',
        'is not distinct from',
        instanceId,
      )
    if (!isServer) query = query.where('session.connection_path', '=', address)
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
