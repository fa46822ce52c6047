import { type Kysely, sql } from 'kysely'
import type { LeaseHold } from '../session/ports.ts'
import type { DatabaseClock } from './database-clock.ts'
import { heldAsSeen, isLeased, leaseLost } from './lease-conditions.ts'
import type { Schema } from './schema.ts'
import { type TransferRecord, toTransfer } from './transfer-sessions.ts'

/** What leases are made of. */
export interface LeaseTerms {
  readonly db: Kysely<Schema>
  readonly now: DatabaseClock
  /** How long a lease lasts from its last renewal, in milliseconds. */
  readonly ms: number
}

/**
 * Makes a lease, or renews it. That it was taken from its holder meanwhile is not seen here but by
 * {@link requireLease}: renewing must not touch the transfer's row, which a stage's transaction locks at its end.
 */
export async function renewLease({ db, now, ms }: LeaseTerms, holder: string): Promise<void> {
  await db
    .insertInto('morango_lease')
    .values({ holder, expires_at: sql<number>`${now()} + ${sql.lit(ms)}` })
    .onConflict((conflict) =>
      conflict.column('holder').doUpdateSet((eb) => ({ expires_at: eb.ref('excluded.expires_at') })),
    )
    .execute()
}

/**
 * Gives a transfer to a holder that has a lease, if nobody else does: it was free, or the lease on it has lapsed.
 *
 * @param seen - the transfer as the caller read it. Of several that saw the same one gets it.
 * @returns the transfer as it is now; undefined when it is another's, closed, or has changed hands since
 */
export async function takeTransfer(
  { db, now }: LeaseTerms,
  seen: Pick<TransferRecord, 'id' | 'leaseHolder'>,
  holder: string,
): Promise<TransferRecord | undefined> {
  const row = await db
    .updateTable('morango_transfer_session')
    .set({ lease_holder: holder })
    .where('id', '=', seen.id)
    .where('active', '=', 1)
    .where(heldAsSeen(seen))
    .where((eb) => eb.not(isLeased(sql.ref('morango_transfer_session.lease_holder'), now)))
    .returningAll()
    .executeTakeFirst()
  return row === undefined ? undefined : toTransfer(row)
}

/** Takes an active transfer from whoever has it: their transactions fail from now on. For giving it up. */
export async function seizeTransfer(
  db: Kysely<Schema>,
  { transferSessionId, holder }: LeaseHold,
): Promise<boolean> {
  const result = await db
    .updateTable('morango_transfer_session')
    .set({ lease_holder: holder })
    .where('id', '=', transferSessionId)
    .where('active', '=', 1)
    .executeTakeFirst()
  return result.numUpdatedRows === 1n
}

/**
 * Fences a transaction: called at its end, it fails when the transfer was closed, or taken over by another holder
 * because this one showed no life for too long. The row stays locked to the commit, so nobody can take the
 * transfer in between.
 *
 * @throws MorangoError `lease-lost`
 */
export async function requireLease(
  trx: Kysely<Schema>,
  { transferSessionId, holder }: LeaseHold,
): Promise<void> {
  const result = await trx
    .updateTable('morango_transfer_session')
    .set({ lease_holder: holder })
    .where('id', '=', transferSessionId)
    .where('lease_holder', '=', holder)
    .where('active', '=', 1)
    .executeTakeFirst()
  if (result.numUpdatedRows === 0n) throw leaseLost(transferSessionId)
}

/** Ends a lease, so that nobody has to wait until it lapses. */
export async function endLease(db: Kysely<Schema>, { transferSessionId, holder }: LeaseHold): Promise<void> {
  await db
    .updateTable('morango_transfer_session')
    .set({ lease_holder: null })
    .where('id', '=', transferSessionId)
    .where('lease_holder', '=', holder)
    .execute()
  await db.deleteFrom('morango_lease').where('holder', '=', holder).execute()
}

/** Who holds a transfer, and until when unless it is renewed, in milliseconds since 1970. */
export interface LeaseState {
  readonly holder: string
  readonly expiresAt: number
}

/** The lease on a transfer that has not lapsed; undefined when there is none. */
export async function currentLease(
  { db, now }: LeaseTerms,
  { leaseHolder }: Pick<TransferRecord, 'leaseHolder'>,
): Promise<LeaseState | undefined> {
  if (leaseHolder === null) return undefined
  const row = await db
    .selectFrom('morango_lease')
    .selectAll()
    .where('holder', '=', leaseHolder)
    .where('expires_at', '>', now())
    .executeTakeFirst()
  return row === undefined ? undefined : { holder: row.holder, expiresAt: Number(row.expires_at) }
}

/** Forgets the leases of processes that died. Harmless to a holder that wakes up: it renews by making it anew. */
export async function purgeLeases({ db, now }: LeaseTerms): Promise<void> {
  await db.deleteFrom('morango_lease').where('expires_at', '<=', now()).execute()
}
