import type { Kysely } from 'kysely'
import type { Schema } from './schema.ts'
import { type TransferRecord, toTransfer } from './transfer-sessions.ts'

/** The active transfers of sessions that are closed: nobody will go on with them. As many as `limit`, if that is given. */
export async function orphanedTransfers(db: Kysely<Schema>, limit?: number): Promise<TransferRecord[]> {
  let query = db
    .selectFrom('morango_transfer_session as transfer')
    .innerJoin('morango_sync_session as session', 'session.id', 'transfer.sync_session_id')
    .selectAll('transfer')
    .where('transfer.active', '=', 1)
    .where('session.active', '=', 0)
  if (limit !== undefined) query = query.limit(limit)
  const rows = await query.execute()
  return rows.map(toTransfer)
}

/** The unfinished transfers that this side began as client with a server, newest first. */
export async function unfinishedClientTransfers(
  db: Kysely<Schema>,
  match: { readonly connectionPath: string; readonly profile: string },
): Promise<TransferRecord[]> {
  const rows = await db
    .selectFrom('morango_transfer_session as transfer')
    .innerJoin('morango_sync_session as session', 'session.id', 'transfer.sync_session_id')
    .selectAll('transfer')
    .where('transfer.active', '=', 1)
    .where('session.active', '=', 1)
    .where('session.is_server', '=', 0)
    .where('session.connection_path', '=', match.connectionPath)
    .where('session.profile', '=', match.profile)
    .orderBy('transfer.created_at', 'desc')
    .execute()
  return rows.map(toTransfer)
}
