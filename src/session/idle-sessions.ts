import { orphanedTransfers } from '../storage/left-transfers.ts'
import { purgeLeases, takeTransfer } from '../storage/leases.ts'
import { deactivateIdleSessions } from '../storage/sync-sessions.ts'
import { deactivateTransfer } from '../storage/transfer-sessions.ts'
import { type LeaseOptions, leaseTerms, underLease } from './lease-keeper.ts'
import type { Engine } from './ports.ts'

/** After how long the original's clean-up closes a session (protocol §5). */
export const IDLE_SESSION_MS: number = 6 * 60 * 60 * 1000

/**
 * Closes the sessions of either role in which nothing has happened since `olderThan`, with their transfers and
 * Buffers. What they had transferred and not merged is transferred again by a later sync. A session that some
 * process is at work in stays, however old. Any number of processes may do this at once.
 *
 * @param which.servedOnly - only those in which this side is the server
 * @param which.limit - how many at most; all by default
 * @returns how many sessions were closed
 */
export async function closeIdleSessions(
  options: LeaseOptions & { readonly engine: Engine },
  olderThan: Date = new Date(options.clock.now().getTime() - IDLE_SESSION_MS),
  which: { readonly servedOnly?: boolean; readonly limit?: number } = {},
): Promise<number> {
  const { db, engine, clock } = options
  const terms = leaseTerms(options)
  const now = clock.now().toISOString()
  const before = olderThan.toISOString()
  const closed = await deactivateIdleSessions(db, { before, now, databaseNow: terms.now, ...which })
  // Those of sessions closed earlier too: whoever closed them may have died over it.
  for (const transfer of await orphanedTransfers(db, which.limit)) {
    // oxlint-disable-next-line no-await-in-loop
    await underLease(options, transfer.id, async (lease) => {
      if ((await takeTransfer(terms, transfer, lease.holder)) === undefined) return
      await engine.clearBuffers(transfer, lease)
      await deactivateTransfer(db, transfer.id, now)
    })
  }
  await purgeLeases(terms)
  return closed.length
}
