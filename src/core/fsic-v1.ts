import { minimalPrefixes } from './filter.ts'
import type { Filter } from './filter.ts'
import { counterOf, emptyCounters, raiseCounter } from './fsic.ts'
import type { DatabaseMaxCounter, InstanceCounters, QueueRange } from './fsic.ts'
import { PrefixLookup } from './prefix-lookup.ts'

/**
 * The FSIC of format v1 (protocol §6): for each of the filter's prefixes the highest counter over the
 * partitions that contain it. A producer takes the highest over the prefixes; a receiver the lowest, and
 * only instances that it knows for all of them.
 */
export function assembleFsicV1(
  rows: readonly DatabaseMaxCounter[],
  filter: Filter,
  role: 'producer' | 'receiver',
): InstanceCounters {
  const lookup = new PrefixLookup(Map.groupBy(rows, ({ partition }) => partition))
  const perPrefix = filter.map((prefix) => {
    const counters = emptyCounters()
    for (const { instance, counter } of lookup.prefixesOf(prefix).flat())
      raiseCounter(counters, instance, counter)
    return counters
  })
  return role === 'producer' ? highest(perPrefix) : lowestKnownToAll(perPrefix)
}

/**
 * What the sender has and the receiver has not: for each instance whose counter is higher at the sender the
 * receiver's counter, 0 if none (protocol §6).
 */
export function fsicDiffV1(
  sender: Readonly<InstanceCounters>,
  receiver: Readonly<InstanceCounters>,
): InstanceCounters {
  const diff = emptyCounters()
  for (const [instance, counter] of Object.entries(sender)) {
    const known = counterOf(receiver, instance) ?? 0
    if (counter > known) diff[instance] = known
  }
  return diff
}

/** The records that {@link fsicDiffV1} asks for under the filter, in ranges that do not overlap. */
export function queueDiffV1(
  sender: Readonly<InstanceCounters>,
  receiver: Readonly<InstanceCounters>,
  filter: Filter,
): QueueRange[] {
  const diff = Object.entries(fsicDiffV1(sender, receiver))
  return minimalPrefixes(filter).flatMap((partition) =>
    diff.map(([instance, after]) => ({ partition, instance, after, exclude: [] })),
  )
}

function highest(all: readonly InstanceCounters[]): InstanceCounters {
  const result = emptyCounters()
  for (const counters of all) {
    for (const [instance, counter] of Object.entries(counters)) raiseCounter(result, instance, counter)
  }
  return result
}

function lowestKnownToAll(all: readonly InstanceCounters[]): InstanceCounters {
  const result = emptyCounters()
  const [first, ...others] = all
  for (const [instance, counter] of Object.entries(first ?? emptyCounters())) {
    let lowest: number | undefined = counter
    for (const counters of others) {
      const other = counterOf(counters, instance)
      lowest = other === undefined || lowest === undefined ? undefined : Math.min(lowest, other)
    }
    if (lowest !== undefined) result[instance] = lowest
  }
  return result
}
