import { compareCodePoints } from './code-points.ts'
import { counterOf, emptyCounters, emptyPartitions } from './fsic.ts'
import type { InstanceCounters, PartitionCounters, QueueRange, ReadonlyPartitionCounters } from './fsic.ts'
import { fsicDiffV2 } from './fsic-v2.ts'
import { PrefixLookup } from './prefix-lookup.ts'

/**
 * The records that a producer has to queue (protocol §6), from both FSICs in the expanded form. As the
 * plain difference, but without what the receiver already claims: where it has a counter of the instance
 * on a partition below, records under that up to the counter are excluded. (With the plain difference a
 * pull of a subset followed by a full pull sends the subset twice.) Nothing of this shows on the wire.
 *
 * No two ranges of the result share a record: a range inside another one of the same instance is dropped,
 * since the wider one, less its exclusions, contains it. Exclusions are minimal too, and not more than a hundred.
 */
export function queueDiffV2(
  sender: ReadonlyPartitionCounters,
  receiver: ReadonlyPartitionCounters,
): QueueRange[] {
  const diff = fsicDiffV2(sender, receiver)
  const lookup = new PrefixLookup(new Map(Object.entries(diff)))
  const claims = claimsByInstance(
    receiver,
    new Set(Object.values(diff).flatMap((counters) => Object.keys(counters))),
  )
  const ranges: QueueRange[] = []
  for (const [partition, counters] of Object.entries(diff)) {
    const wider = lookup.properPrefixesOf(partition)
    for (const [instance, after] of Object.entries(counters)) {
      if (wider.some((other) => counterOf(other, instance) !== undefined)) continue
      const exclude = exclusions(claims.get(instance) ?? [], partition, after)
      ranges.push({ partition, instance, after, exclude })
    }
  }
  return ranges
}

type Claim = QueueRange['exclude'][number]

// In code point order, so that what lies under a partition follows it at once.
function claimsByInstance(
  receiver: ReadonlyPartitionCounters,
  wanted: ReadonlySet<string>,
): Map<string, Claim[]> {
  const claims = new Map<string, Claim[]>()
  for (const [partition, counters] of Object.entries(receiver)) {
    for (const [instance, upTo] of Object.entries(counters)) {
      if (!wanted.has(instance)) continue
      const present = claims.get(instance)
      if (present === undefined) claims.set(instance, [{ partition, upTo }])
      else present.push({ partition, upTo })
    }
  }
  for (const own of claims.values()) own.sort((a, b) => compareCodePoints(a.partition, b.partition))
  return claims
}

/** More in one range would be more than databases take in an expression. What is not excluded is sent again. */
const MOST_EXCLUDED = 100

function exclusions(claims: readonly Claim[], partition: string, after: number): Claim[] {
  const kept: Claim[] = []
  // The claims that contain the current one, the widest first; each higher than those before it.
  const open: Claim[] = []
  for (let index = firstNotBefore(claims, partition); index < claims.length; index++) {
    if (kept.length >= MOST_EXCLUDED) break
    const claim = claims[index]
    if (claim === undefined || !claim.partition.startsWith(partition)) break
    if (claim.partition === partition) continue
    while (open.length > 0 && !claim.partition.startsWith(open.at(-1)?.partition ?? '')) open.pop()
    if (claim.upTo <= (open.at(-1)?.upTo ?? after)) continue
    open.push(claim)
    kept.push(claim)
  }
  return kept
}

function firstNotBefore(claims: readonly Claim[], partition: string): number {
  let low = 0
  let high = claims.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (compareCodePoints(claims[middle]?.partition ?? '', partition) < 0) low = middle + 1
    else high = middle
  }
  return low
}

/**
 * Splits a difference as the original splits its queries (protocol §6): partitions in code point order cost
 * 1 in each chunk that they are in, instances, in order, 1 each. Empty partitions cost 1 where they stand,
 * but appear in no chunk.
 *
 * @param chunkSize - at least 2
 */
export function chunkFsicV2(diff: ReadonlyPartitionCounters, chunkSize: number): PartitionCounters[] {
  const chunks: PartitionCounters[] = []
  let chunk: PartitionCounters | undefined
  let cost = 0
  for (const partition of Object.keys(diff).toSorted(compareCodePoints)) {
    cost++
    for (const [instance, counter] of sortedEntries(diff[partition] ?? emptyCounters())) {
      if (cost >= chunkSize) {
        chunk = undefined
        cost = 1
      }
      if (chunk === undefined) {
        chunk = emptyPartitions()
        chunks.push(chunk)
      }
      const counters = chunk[partition] ?? emptyCounters()
      counters[instance] = counter
      chunk[partition] = counters
      cost++
    }
  }
  return chunks
}

function sortedEntries(counters: Readonly<InstanceCounters>): [string, number][] {
  return Object.entries(counters).toSorted(([a], [b]) => compareCodePoints(a, b))
}
