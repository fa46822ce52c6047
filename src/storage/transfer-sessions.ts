import type { Kysely, Selectable } from 'kysely'
import { MorangoError } from '../core/errors.ts'
import { isStage, isStageStatus } from '../core/stages.ts'
import type { Stage, StageStatus } from '../core/stages.ts'
import type { LeaseHold } from '../session/ports.ts'
import { heldAsSeen, leaseLost } from './lease-conditions.ts'
import type { Flag, Schema, TransferSessionTable } from './schema.ts'

/** A transfer session as both sides keep it (protocol §4, §5). */
export interface TransferRecord {
  readonly id: string
  readonly syncSessionId: string
  readonly push: boolean
  readonly active: boolean
  /** Normalized: one prefix a line. */
  readonly filter: string
  readonly stage: Stage
  readonly status: StageStatus
  /** Why the stage is errored; never sent. */
  readonly error: string | null
  readonly recordsTransferred: number
  readonly recordsTotal: number | null
  readonly bytesSent: number
  readonly bytesReceived: number
  readonly clientFsic: string
  readonly serverFsic: string
  readonly createdAt: string
  readonly lastActivityAt: string
  /** Whoever runs it now, or died over it; null: nobody. */
  readonly leaseHolder: string | null
}

/** What may change of a transfer besides its stage. */
export type TransferChanges = Partial<
  Pick<
    TransferRecord,
    'recordsTransferred' | 'recordsTotal' | 'bytesSent' | 'bytesReceived' | 'clientFsic' | 'serverFsic'
  >
>

/** Where a transfer stands. */
export interface StagePosition {
  readonly stage: Stage
  readonly status: StageStatus
}

/** Keeps a new transfer session. False when the id was used before. */
export async function insertTransfer(db: Kysely<Schema>, transfer: TransferRecord): Promise<boolean> {
  const result = await db
    .insertInto('morango_transfer_session')
    .values({
      id: transfer.id,
      sync_session_id: transfer.syncSessionId,
      push: flag(transfer.push),
      active: flag(transfer.active),
      filter: transfer.filter,
      stage: transfer.stage,
      stage_status: transfer.status,
      error: transfer.error,
      records_transferred: transfer.recordsTransferred,
      records_total: transfer.recordsTotal,
      bytes_sent: transfer.bytesSent,
      bytes_received: transfer.bytesReceived,
      client_fsic: transfer.clientFsic,
      server_fsic: transfer.serverFsic,
      created_at: transfer.createdAt,
      last_activity_at: transfer.lastActivityAt,
      lease_holder: transfer.leaseHolder,
    })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .executeTakeFirst()
  return result.numInsertedOrUpdatedRows === 1n
}

/** The transfer session of that id, active or not. */
export async function getTransfer(db: Kysely<Schema>, id: string): Promise<TransferRecord | undefined> {
  const row = await db
    .selectFrom('morango_transfer_session')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirst()
  return row === undefined ? undefined : toTransfer(row)
}

/** The active transfers of a sync session, newest first; those of one direction when it is named. */
export async function activeTransfers(
  db: Kysely<Schema>,
  syncSessionId: string,
  push?: boolean,
): Promise<TransferRecord[]> {
  let query = db
    .selectFrom('morango_transfer_session')
    .selectAll()
    .where('sync_session_id', '=', syncSessionId)
    .where('active', '=', 1)
  if (push !== undefined) query = query.where('push', '=', flag(push))
  const rows = await query.orderBy('created_at', 'desc').execute()
  return rows.map(toTransfer)
}

/**
 * Moves a transfer from where, and in whose hands, the caller believes it is. Whoever has lost its lease can move
 * nothing.
 *
 * @returns the transfer as it then is; undefined when it was not as believed
 */
export async function moveTransfer(
  db: Kysely<Schema>,
  from: TransferRecord,
  to: StagePosition & { readonly error?: string | null },
  now: string,
): Promise<TransferRecord | undefined> {
  const row = await db
    .updateTable('morango_transfer_session')
    .set({ stage: to.stage, stage_status: to.status, error: to.error ?? null, last_activity_at: now })
    .where('id', '=', from.id)
    .where('active', '=', 1)
    .where('stage', '=', from.stage)
    .where('stage_status', '=', from.status)
    .where(heldAsSeen(from))
    .returningAll()
    .executeTakeFirst()
  return row === undefined ? undefined : toTransfer(row)
}

/**
 * Changes counts and FSICs of an active transfer, whatever its stage.
 *
 * @param lease - of the one who runs it
 * @returns the transfer as it then is
 * @throws MorangoError `lease-lost`
 */
export async function updateTransfer(
  db: Kysely<Schema>,
  id: string,
  changes: TransferChanges,
  now: string,
  lease: LeaseHold,
): Promise<TransferRecord> {
  const row = await changing(db, id, changes, now)
    .where('lease_holder', '=', lease.holder)
    .returningAll()
    .executeTakeFirst()
  if (row === undefined) throw leaseLost(id)
  return toTransfer(row)
}

/** The same for what a request brings, whoever runs the transfer. @returns undefined when it is not active */
export async function patchTransfer(
  db: Kysely<Schema>,
  id: string,
  changes: TransferChanges,
  now: string,
): Promise<TransferRecord | undefined> {
  const row = await changing(db, id, changes, now).returningAll().executeTakeFirst()
  return row === undefined ? undefined : toTransfer(row)
}

function changing(db: Kysely<Schema>, id: string, changes: TransferChanges, now: string) {
  return db
    .updateTable('morango_transfer_session')
    .set({
      last_activity_at: now,
      ...(changes.recordsTransferred !== undefined && { records_transferred: changes.recordsTransferred }),
      ...(changes.recordsTotal !== undefined && { records_total: changes.recordsTotal }),
      ...(changes.bytesSent !== undefined && { bytes_sent: changes.bytesSent }),
      ...(changes.bytesReceived !== undefined && { bytes_received: changes.bytesReceived }),
      ...(changes.clientFsic !== undefined && { client_fsic: changes.clientFsic }),
      ...(changes.serverFsic !== undefined && { server_fsic: changes.serverFsic }),
    })
    .where('id', '=', id)
    .where('active', '=', 1)
}

/**
 * Raises the count of records that have come: chunks that come at once may be counted in any order.
 *
 * @param bytes - about how large they are
 */
export async function raiseTransferred(
  db: Kysely<Schema>,
  id: string,
  held: number,
  bytes: number,
  now: string,
): Promise<void> {
  await db
    .updateTable('morango_transfer_session')
    .set((eb) => ({
      last_activity_at: now,
      buffered_bytes: eb('buffered_bytes', '+', bytes),
      records_transferred: eb
        .case()
        .when('records_transferred', '<', held)
        .then(held)
        .else(eb.ref('records_transferred'))
        .end(),
    }))
    .where('id', '=', id)
    .where('active', '=', 1)
    .execute()
}

/** Marks a transfer inactive. False when it was not active. */
export async function deactivateTransfer(db: Kysely<Schema>, id: string, now: string): Promise<boolean> {
  const result = await db
    .updateTable('morango_transfer_session')
    .set({ active: 0, last_activity_at: now, lease_holder: null })
    .where('id', '=', id)
    .where('active', '=', 1)
    .executeTakeFirst()
  return result.numUpdatedRows === 1n
}

/** Marks a transfer that was cleaned up: its last stage completed, and inactive. */
export async function finishTransfer(db: Kysely<Schema>, id: string, now: string): Promise<void> {
  await db
    .updateTable('morango_transfer_session')
    .set({
      active: 0,
      stage: 'cleanup',
      stage_status: 'completed',
      last_activity_at: now,
      lease_holder: null,
    })
    .where('id', '=', id)
    .execute()
}

/** A row as the session layer works with it. @throws MorangoError `database` when the stage is none */
export function toTransfer(row: Selectable<TransferSessionTable>): TransferRecord {
  if (!isStage(row.stage) || !isStageStatus(row.stage_status)) {
    throw new MorangoError('database', `Transfer session ${row.id} is in an unknown stage`, {
      details: { stage: row.stage, status: row.stage_status },
    })
  }
  return {
    id: row.id,
    syncSessionId: row.sync_session_id,
    push: row.push === 1,
    active: row.active === 1,
    filter: row.filter,
    stage: row.stage,
    status: row.stage_status,
    error: row.error,
    recordsTransferred: row.records_transferred,
    recordsTotal: row.records_total,
    // PostgreSQL's driver gives bigint as text.
    bytesSent: Number(row.bytes_sent),
    bytesReceived: Number(row.bytes_received),
    clientFsic: row.client_fsic,
    serverFsic: row.server_fsic,
    createdAt: row.created_at,
    lastActivityAt: row.last_activity_at,
    leaseHolder: row.lease_holder,
  }
}

function flag(value: boolean): Flag {
  return value ? 1 : 0
}
