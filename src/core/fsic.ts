/** For each instance the highest counter up to which all its records are held (protocol §6). */
export type InstanceCounters = Record<string, number>

/** Instance counters by partition. */
export type PartitionCounters = Record<string, InstanceCounters>

/**
 * The filter-specific instance counters of format v2 (protocol §6): `sub` holds partitions under the
 * filter's prefixes, `super` those that are proper prefixes of one.
 */
export interface FsicV2 {
  readonly super: Readonly<Record<string, Readonly<InstanceCounters>>>
  readonly sub: Readonly<Record<string, Readonly<InstanceCounters>>>
}

/** Partition counters that are only read. */
export type ReadonlyPartitionCounters = FsicV2['sub']

/** One database max counter: of the records under `partition`, all that `instance` saved up to `counter`. */
export interface DatabaseMaxCounter {
  readonly partition: string
  readonly instance: string
  readonly counter: number
}

/**
 * A set of records to queue: those under `partition` last saved by `instance` above the counter `after`,
 * without those under an excluded partition up to its counter.
 */
export interface QueueRange {
  readonly partition: string
  readonly instance: string
  readonly after: number
  readonly exclude: readonly { readonly partition: string; readonly upTo: number }[]
}

/** An empty object without a prototype: its keys come from others, and may be `__proto__`. */
export function emptyCounters(): InstanceCounters {
  return Object.create(null)
}

/** {@link emptyCounters} for partitions. */
export function emptyPartitions(): PartitionCounters {
  return Object.create(null)
}

/** A copy without a prototype. */
export function copyCounters(counters: Readonly<InstanceCounters>): InstanceCounters {
  return Object.assign(emptyCounters(), counters)
}

/** The counter of `instance`, or undefined; whatever the object inherits does not count. */
export function counterOf(counters: Readonly<InstanceCounters>, instance: string): number | undefined {
  return Object.hasOwn(counters, instance) ? counters[instance] : undefined
}

/** Raises the counter of `instance` to `counter` in place; never lowers it. */
export function raiseCounter(counters: InstanceCounters, instance: string, counter: number): void {
  const present = counterOf(counters, instance)
  if (present === undefined || present < counter) counters[instance] = counter
}

/** For each instance the higher of the two counters. */
export function mergeCounters(
  a: Readonly<InstanceCounters>,
  b: Readonly<InstanceCounters>,
): InstanceCounters {
  const merged = copyCounters(a)
  for (const [instance, counter] of Object.entries(b)) raiseCounter(merged, instance, counter)
  return merged
}
