import type { Kysely } from 'kysely'
import type { Clock, Random } from '../core/ports.ts'
import { type DatabaseClock, databaseClockOf } from '../storage/database-clock.ts'
import { type LeaseTerms, endLease, renewLease } from '../storage/leases.ts'
import type { Schema } from '../storage/schema.ts'
import type { LeaseHold } from './ports.ts'
import { realSleep } from './timing.ts'
import type { Sleep } from './timing.ts'

const DEFAULT_LEASE_MS = 15_000

/** How leases on transfers are kept. */
export interface LeaseOptions {
  readonly db: Kysely<Schema>
  readonly clock: Clock
  readonly random: Random
  /** By what time leases and nonces lapse; `clock` when missing. All processes on one database must go by the same. */
  readonly databaseNow?: DatabaseClock | undefined
  /**
   * How long whoever runs a transfer may be without a sign of life before another process takes it over, in
   * milliseconds; 15,000.
   */
  readonly leaseMs?: number | undefined
  /** What signs of life wait for in between; the platform's timer. */
  readonly pulse?: Sleep | undefined
}

/** The terms of leases, defaults filled in. */
export function leaseTerms({
  db,
  clock,
  databaseNow = databaseClockOf(clock),
  leaseMs = DEFAULT_LEASE_MS,
}: Omit<LeaseOptions, 'random' | 'pulse'>): LeaseTerms {
  return { db, now: databaseNow, ms: leaseMs }
}

/**
 * Does `work` with a lease for a transfer, and shows life three times in its length until `work` has ended. The
 * transfer itself is for `work` to take, or to make.
 */
export async function underLease<T>(
  options: LeaseOptions,
  transferSessionId: string,
  work: (lease: LeaseHold) => Promise<T>,
): Promise<T> {
  const { db, random, pulse = realSleep } = options
  const terms = leaseTerms(options)
  const lease = { transferSessionId, holder: random.uuid() }
  const stopper = new AbortController()
  await renewLease(terms, lease.holder)
  const living = showLife()
  try {
    return await work(lease)
  } finally {
    stopper.abort()
    await living
    // If it cannot be ended now, it lapses.
    await endLease(db, lease).catch(() => {})
  }

  async function showLife(): Promise<void> {
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop
      await pulse(terms.ms / 3, stopper.signal)
      if (stopper.signal.aborted) return
      // Whoever cannot show life loses the lease: the next transaction or move of `work` will say so.
      // oxlint-disable-next-line no-await-in-loop
      await renewLease(terms, lease.holder).catch(() => {})
    }
  }
}
