import { currentLease, takeTransfer } from '../storage/leases.ts'
import type { LeaseState } from '../storage/leases.ts'
import { getTransfer } from '../storage/transfer-sessions.ts'
import type { TransferRecord } from '../storage/transfer-sessions.ts'
import type { ClientContext, RunOptions } from './client-context.ts'
import { leaseTerms, underLease } from './lease-keeper.ts'
import type { Direction } from './plan.ts'
import type { LeaseHold } from './ports.ts'

const LOOK_MS = 500

/** Runs a client's transfer with a lease for it, so that no other sync takes it for one that was left. */
export async function runOwn<T>(
  context: ClientContext,
  transferSessionId: string,
  work: (lease: LeaseHold) => Promise<T>,
): Promise<T> {
  context.running.add(transferSessionId)
  try {
    return await underLease(context, transferSessionId, work)
  } finally {
    context.running.delete(transferSessionId)
  }
}

/**
 * Takes a transfer that an earlier sync left. While a lease on it lasts, that sync may be running in another
 * process, or may have died a moment ago: which of the two shows within the length of the lease, so this waits
 * for the next sign of life, or for the end of the lease.
 *
 * @returns the transfer as it is now; undefined when it is being run, or over
 */
export async function takeLeft(
  context: ClientContext,
  left: TransferRecord,
  lease: LeaseHold,
  { signal, onProgress }: RunOptions,
): Promise<TransferRecord | undefined> {
  const terms = leaseTerms(context)
  const direction: Direction = left.push ? 'push' : 'pull'
  let first: LeaseState | undefined
  for (let waited = 0; ; waited += LOOK_MS) {
    const seen = await getTransfer(context.db, left.id)
    if (seen?.active !== true) return undefined
    const other = await currentLease(terms, seen)
    if (other === undefined) return await takeTransfer(terms, seen, lease.holder)
    if (first === undefined) onProgress?.({ kind: 'waiting', direction })
    first ??= other
    const alive = other.holder !== first.holder || other.expiresAt > first.expiresAt
    if (alive || waited > terms.ms || signal?.aborted === true) return undefined
    await context.sleep(LOOK_MS, signal)
  }
}
