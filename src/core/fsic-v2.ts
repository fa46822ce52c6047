import { MorangoError } from './errors.ts'
import { filterContains, minimalPrefixes } from './filter.ts'
import type { Filter } from './filter.ts'
import { copyCounters, counterOf, emptyCounters, emptyPartitions, raiseCounter } from './fsic.ts'
import type {
  DatabaseMaxCounter,
  FsicV2,
  InstanceCounters,
  PartitionCounters,
  ReadonlyPartitionCounters,
} from './fsic.ts'
import { PrefixLookup } from './prefix-lookup.ts'

/**
 * Splits database max counters into the FSIC of format v2 (protocol §6). Partitions that lie neither under
 * the filter nor above it are left out. Leaving out instances that no matching record has, and reducing
 * with {@link removeRedundantCounters}, are separate steps.
 */
export function assembleFsicV2(rows: readonly DatabaseMaxCounter[], filter: Filter): FsicV2 {
  const fsic = { super: emptyPartitions(), sub: emptyPartitions() }
  for (const { partition, instance, counter } of rows) {
    // Under one prefix and above another at once: as `sub` it counts for both.
    if (filterContains(filter, partition)) raise(fsic.sub, partition, instance, counter)
    else if (filter.some((prefix) => prefix.startsWith(partition))) {
      raise(fsic.super, partition, instance, counter)
    }
  }
  return fsic
}

/**
 * Drops each counter for which a proper prefix of its partition, in `sub` or `super`, has an equal or
 * higher one. Partitions emptied by that stay (protocol §6). Of a partition that is in both, the one in
 * `sub` is looked at.
 */
export function removeRedundantCounters(fsic: FsicV2): FsicV2 {
  const all = new Map([...Object.entries(fsic.super), ...Object.entries(fsic.sub)])
  const lookup = new PrefixLookup(all)
  const reduce = (partitions: ReadonlyPartitionCounters): PartitionCounters => {
    const reduced = emptyPartitions()
    for (const [partition, counters] of Object.entries(partitions)) {
      const wider = lookup.properPrefixesOf(partition)
      const kept = emptyCounters()
      for (const [instance, counter] of Object.entries(counters)) {
        if (!wider.some((other) => (counterOf(other, instance) ?? -1) >= counter)) kept[instance] = counter
      }
      reduced[partition] = kept
    }
    return reduced
  }
  return { super: reduce(fsic.super), sub: reduce(fsic.sub) }
}

/**
 * The form in which two FSICs are compared, and which a receiver learns (protocol §6): `sub` with the
 * filter's own prefixes added; each partition that is not under another one takes over higher counters
 * from the `super` partitions that contain it; empty ones are dropped.
 *
 * Does not ask whether `sub` lies under the filter: that is {@link requireFsicInsideFilter}'s.
 */
export function expandFsic(fsic: FsicV2, filter: Filter): PartitionCounters {
  const partitions = new Map(Object.entries(fsic.sub))
  for (const prefix of filter) if (!partitions.has(prefix)) partitions.set(prefix, {})
  const expanded = emptyPartitions()
  for (const [partition, own] of partitions) {
    if (Object.keys(own).length > 0) expanded[partition] = copyCounters(own)
  }
  const above = Object.entries(fsic.super)
  if (above.length === 0) return expanded
  const supers = new PrefixLookup(new Map(above))
  for (const partition of minimalPrefixes([...partitions.keys()])) {
    const counters = expanded[partition] ?? emptyCounters()
    for (const wider of supers.prefixesOf(partition)) {
      for (const [instance, counter] of Object.entries(wider)) raiseCounter(counters, instance, counter)
    }
    if (Object.keys(counters).length > 0) expanded[partition] = counters
  }
  return expanded
}

/**
 * Checks that an FSIC says nothing in `sub` about partitions outside the transfer's filter (protocol §6).
 *
 * @throws MorangoError `fsic-outside-filter`
 */
export function requireFsicInsideFilter(fsic: FsicV2, filter: Filter): void {
  const stray = Object.keys(fsic.sub).find((partition) => !filterContains(filter, partition))
  if (stray === undefined) return
  throw new MorangoError('fsic-outside-filter', `The FSIC names a partition outside the filter`, {
    details: { partition: stray },
  })
}

/**
 * What the sender has and the receiver has not, both in the expanded form: for each sender partition and
 * instance whose counter exceeds the receiver's best over the partition and its prefixes that best, 0 if
 * none (protocol §6).
 */
export function fsicDiffV2(
  sender: ReadonlyPartitionCounters,
  receiver: ReadonlyPartitionCounters,
): PartitionCounters {
  const lookup = new PrefixLookup(new Map(Object.entries(receiver)))
  const diff = emptyPartitions()
  for (const [partition, counters] of Object.entries(sender)) {
    const missing = missingCounters(counters, lookup.prefixesOf(partition))
    if (Object.keys(missing).length > 0) diff[partition] = missing
  }
  return diff
}

function missingCounters(
  counters: Readonly<InstanceCounters>,
  claims: readonly Readonly<InstanceCounters>[],
): InstanceCounters {
  const missing = emptyCounters()
  for (const [instance, counter] of Object.entries(counters)) {
    const best = Math.max(0, ...claims.map((claim) => counterOf(claim, instance) ?? 0))
    if (counter > best) missing[instance] = best
  }
  return missing
}

function raise(partitions: PartitionCounters, partition: string, instance: string, counter: number): void {
  const counters = partitions[partition] ?? emptyCounters()
  raiseCounter(counters, instance, counter)
  partitions[partition] = counters
}
