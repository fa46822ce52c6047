import { isMorangoError } from '../core/errors.ts'
import { parseFilter } from '../core/filter.ts'
import type { Filter } from '../core/filter.ts'
import { counterOf, emptyCounters, emptyPartitions, raiseCounter } from '../core/fsic.ts'
import type { PartitionCounters, ReadonlyPartitionCounters } from '../core/fsic.ts'
import { claimsUnder } from '../core/fsic-claims.ts'
import type { TransferRecord } from '../storage/transfer-sessions.ts'
import { mannerOf } from './capability-use.ts'
import type { FsicFormat } from './ports.ts'

/** What a peer is known to have: of the records under a partition all that an instance saved up to a counter. */
export interface Claim {
  readonly partition: string
  readonly counter: number
}

/** The counters that an FSIC claims, by partition; nothing when it cannot be read, or leaves the filter. */
export function claimsIn(
  fsic: string,
  { format, filter, role }: { format: FsicFormat; filter: Filter; role: 'producer' | 'receiver' },
): PartitionCounters {
  try {
    // A producer's says the highest of several prefixes, which claims nothing of each.
    if (format === 'v1' && role === 'producer' && filter.length > 1) return emptyPartitions()
    return claimsUnder(fsic, format, filter)
  } catch (error) {
    if (isMorangoError(error)) return emptyPartitions()
    throw error
  }
}

/**
 * What a peer claims by the transfers with it: what it said itself, and what it has learned from those that came to
 * their end. Claims never fall, so older ones count as well.
 */
export function claimsByTransfers(
  transfers: readonly {
    readonly transfer: TransferRecord
    readonly isServer: boolean
    readonly capabilities: ReadonlySet<string>
  }[],
): PartitionCounters {
  const all = emptyPartitions()
  for (const { transfer, isServer, capabilities } of transfers) {
    const { push, clientFsic, serverFsic } = transfer
    const { format } = mannerOf(capabilities)
    const filter = parseFilter(transfer.filter)
    const weSend = push !== isServer
    const theirs = isServer ? clientFsic : serverFsic
    addClaims(all, claimsIn(theirs, { format, filter, role: weSend ? 'receiver' : 'producer' }))
    if (weSend && isThrough(transfer)) {
      const ours = isServer ? serverFsic : clientFsic
      addClaims(all, claimsIn(ours, { format, filter, role: 'producer' }))
    }
  }
  return all
}

/** Whether a transfer came to its end. */
export function isThrough({ stage, status }: TransferRecord): boolean {
  return stage === 'cleanup' && status === 'completed'
}

/** Raises `claims` by others, in place. */
export function addClaims(claims: PartitionCounters, others: ReadonlyPartitionCounters): void {
  for (const [partition, counters] of Object.entries(others)) {
    const present = claims[partition] ?? emptyCounters()
    for (const [instance, counter] of Object.entries(counters)) raiseCounter(present, instance, counter)
    claims[partition] = present
  }
}

/** The highest claim about an instance's records in a partition. */
export function bestClaim(
  claims: ReadonlyPartitionCounters,
  partition: string,
  instance: string,
): Claim | undefined {
  let best: Claim | undefined
  for (const [prefix, counters] of Object.entries(claims)) {
    const counter = partition.startsWith(prefix) ? counterOf(counters, instance) : undefined
    if (counter === undefined || (best !== undefined && best.counter >= counter)) continue
    best = { partition: prefix, counter }
  }
  return best
}
