import { type Kysely, type RawBuilder, type Selectable, sql } from 'kysely'
import type { DatabaseClock } from './database-clock.ts'
import { isLeased } from './lease-conditions.ts'
import type { Schema, SyncSessionTable } from './schema.ts'

/** A sync session as both sides keep it (protocol §4). */
export interface SyncSessionRecord {
  readonly id: string
  readonly profile: string
  /** Whether this side is the server. */
  readonly isServer: boolean
  readonly active: boolean
  readonly clientCertificateId: string
  readonly serverCertificateId: string
  /** The server's base URL, as the client named it. */
  readonly connectionPath: string
  readonly clientIp: string
  readonly serverIp: string
  readonly clientInstanceId: string | null
  /** JSON text. */
  readonly clientInstance: string
  readonly serverInstanceId: string | null
  /** JSON text. */
  readonly serverInstance: string
  /** What both sides can. */
  readonly capabilities: ReadonlySet<string>
  readonly createdAt: string
  readonly lastActivityAt: string
  /** Of a session served: on whose allowance it is; see `quota-usage.ts`. */
  readonly clientBranch?: string
  readonly clientNetwork?: string
}

/** Keeps a new sync session. False when the id was used before. */
export async function insertSyncSession(db: Kysely<Schema>, session: SyncSessionRecord): Promise<boolean> {
  const result = await db
    .insertInto('morango_sync_session')
    .values({
      id: session.id,
      profile: session.profile,
      is_server: session.isServer ? 1 : 0,
      active: session.active ? 1 : 0,
      client_certificate_id: session.clientCertificateId,
      server_certificate_id: session.serverCertificateId,
      connection_path: session.connectionPath,
      client_ip: session.clientIp,
      server_ip: session.serverIp,
      client_instance_id: session.clientInstanceId,
      client_instance: session.clientInstance,
      server_instance_id: session.serverInstanceId,
      server_instance: session.serverInstance,
      capabilities: [...session.capabilities].toSorted().join(' '),
      created_at: session.createdAt,
      last_activity_at: session.lastActivityAt,
      client_branch: session.clientBranch ?? '',
      client_network: session.clientNetwork ?? '',
    })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .executeTakeFirst()
  return result.numInsertedOrUpdatedRows === 1n
}

/** The sync session of that id, active or not. */
export async function getSyncSession(db: Kysely<Schema>, id: string): Promise<SyncSessionRecord | undefined> {
  const row = await db.selectFrom('morango_sync_session').selectAll().where('id', '=', id).executeTakeFirst()
  return row === undefined ? undefined : toRecord(row)
}

/** The newest of this side's sync sessions as client with a server: what was agreed on last time. */
export async function latestClientSession(
  db: Kysely<Schema>,
  match: { readonly connectionPath: string; readonly clientCertificateId: string },
): Promise<SyncSessionRecord | undefined> {
  const row = await db
    .selectFrom('morango_sync_session')
    .selectAll()
    .where('is_server', '=', 0)
    .where('connection_path', '=', match.connectionPath)
    .where('client_certificate_id', '=', match.clientCertificateId)
    .orderBy('created_at', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row === undefined ? undefined : toRecord(row)
}

/** Notes that something happened in a session. */
export async function touchSyncSession(db: Kysely<Schema>, id: string, now: string): Promise<void> {
  await db.updateTable('morango_sync_session').set({ last_activity_at: now }).where('id', '=', id).execute()
}

/** Marks a session inactive. False when it was not active. */
export async function deactivateSyncSession(db: Kysely<Schema>, id: string, now: string): Promise<boolean> {
  const result = await db
    .updateTable('morango_sync_session')
    .set({ active: 0, last_activity_at: now })
    .where('id', '=', id)
    .where('active', '=', 1)
    .executeTakeFirst()
  return result.numUpdatedRows === 1n
}

/** Forgets a session that has no transfers. */
export async function deleteSyncSession(db: Kysely<Schema>, id: string): Promise<void> {
  await db.deleteFrom('morango_sync_session').where('id', '=', id).execute()
}

/**
 * Marks the active sessions inactive in which nothing has happened since `before`, in their transfers neither, and
 * no transfer is being run. One statement, so that each is closed by one process only, and none that came to life
 * since it was looked at.
 *
 * @returns their ids
 */
export async function deactivateIdleSessions(
  db: Kysely<Schema>,
  {
    before,
    now,
    databaseNow,
    servedOnly = false,
    limit,
  }: {
    readonly before: string
    readonly now: string
    readonly databaseNow: DatabaseClock
    readonly servedOnly?: boolean
    readonly limit?: number
  },
): Promise<string[]> {
  const some =
    limit === undefined
      ? undefined
      : db
          .selectFrom('morango_sync_session as idle')
          .select('idle.id')
          .where('idle.active', '=', 1)
          .where('idle.last_activity_at', '<', before)
          .$if(servedOnly, (query) => query.where('idle.is_server', '=', 1))
          .where(restsSince('idle', before, databaseNow))
          .orderBy('idle.last_activity_at')
          .limit(limit)
  const rows = await db
    .updateTable('morango_sync_session')
    .set({ active: 0, last_activity_at: now })
    .where('active', '=', 1)
    .where('last_activity_at', '<', before)
    .$if(servedOnly, (query) => query.where('is_server', '=', 1))
    .$if(some !== undefined, (query) => (some === undefined ? query : query.where('id', 'in', some)))
    .where(restsSince('morango_sync_session', before, databaseNow))
    .returning('id')
    .execute()
  return rows.map((row) => row.id)
}

/** SQL condition: nothing has happened in the active transfers of a session since then, and none is run. */
function restsSince(session: string, before: string, now: DatabaseClock): RawBuilder<boolean> {
  return sql<boolean>`not exists (select 1 from morango_transfer_session transfer
    where transfer.sync_session_id = ${sql.ref(`${session}.id`)} and transfer.active = 1
    and (transfer.last_activity_at >= ${before} or ${isLeased(sql`transfer.lease_holder`, now)}))`
}

function toRecord(row: Selectable<SyncSessionTable>): SyncSessionRecord {
  return {
    id: row.id,
    profile: row.profile,
    isServer: row.is_server === 1,
    active: row.active === 1,
    clientCertificateId: row.client_certificate_id ?? '',
    serverCertificateId: row.server_certificate_id ?? '',
    connectionPath: row.connection_path,
    clientIp: row.client_ip,
    serverIp: row.server_ip,
    clientInstanceId: row.client_instance_id,
    clientInstance: row.client_instance,
    serverInstanceId: row.server_instance_id,
    serverInstance: row.server_instance,
    capabilities: new Set(row.capabilities.split(' ').filter((name) => name !== '')),
    createdAt: row.created_at,
    lastActivityAt: row.last_activity_at,
    clientBranch: row.client_branch,
    clientNetwork: row.client_network,
  }
}
