import { MorangoError } from './errors.ts'
import type { Filter } from './filter.ts'
import { copyCounters, counterOf, emptyPartitions } from './fsic.ts'
import type { FsicV2, PartitionCounters, ReadonlyPartitionCounters } from './fsic.ts'
import { parseFsicV1, parseFsicV2, UNLIMITED } from './fsic-text.ts'
import type { FsicLimits } from './fsic-text.ts'
import { expandFsic, requireFsicInsideFilter } from './fsic-v2.ts'
import { MAX_EXPANDED_CLAIMS } from './limits.ts'

/**
 * Reads what a peer claims in a transfer, as far as it may be believed (protocol §6, §11): the expanded form of v2,
 * or v1's counters on each prefix of the filter. Every partition of the result lies under the filter.
 *
 * @throws MorangoError `fsic-malformed`, `fsic-too-large`; `fsic-outside-filter` when `sub` names a partition that
 *   is not under the filter
 */
export function claimsUnder(fsic: string, format: 'v1' | 'v2', filter: Filter): PartitionCounters {
  if (format === 'v2') return expandFsic(requireInside(parseFsicV2(fsic), filter), filter)
  const claims = emptyPartitions()
  const counters = parseFsicV1(fsic)
  const count = Object.keys(counters).length
  if (count === 0) return claims
  requireFew(count * filter.length)
  for (const prefix of filter) claims[prefix] = counters
  return claims
}

/**
 * This side's own claims under a filter, in the expanded form of v2. They have no limit, for no peer made them.
 *
 * @throws MorangoError `fsic-malformed`, `fsic-outside-filter`
 */
export function ownClaimsUnder(fsic: string, filter: Filter): PartitionCounters {
  return expandFsic(requireInside(parseFsicV2(fsic, UNLIMITED), filter, UNLIMITED), filter)
}

/**
 * An FSIC of format v2 as it may be used under a filter. A partition in `super` counts only as a proper prefix of
 * one of the filter's; others are left out, since the original may name such (protocol §6, prefix matching).
 *
 * @throws MorangoError `fsic-outside-filter`, `fsic-too-large`
 */
export function requireInside(
  fsic: FsicV2,
  filter: Filter,
  { claims: most }: Pick<FsicLimits, 'claims'> = { claims: MAX_EXPANDED_CLAIMS },
): FsicV2 {
  requireFsicInsideFilter(fsic, filter)
  const above = emptyPartitions()
  let expanded = 0
  for (const [partition, counters] of Object.entries(fsic.super)) {
    const under = filter.filter((prefix) => prefix !== partition && prefix.startsWith(partition))
    if (under.length === 0) continue
    above[partition] = copyCounters(counters)
    expanded += under.length * Object.keys(counters).length
  }
  requireFew(expanded, most)
  return { super: above, sub: fsic.sub }
}

/** The highest counter that is claimed of an instance, 0 if none. */
export function highestClaim(
  claims: ReadonlyPartitionCounters,
  instance: string,
  counts: (partition: string) => boolean = () => true,
): number {
  let highest = 0
  for (const [partition, counters] of Object.entries(claims)) {
    const counter = counterOf(counters, instance)
    if (counter !== undefined && counter > highest && counts(partition)) highest = counter
  }
  return highest
}

/** The claims without those about one instance that exceed a counter. */
export function withoutClaimsAbove(
  claims: ReadonlyPartitionCounters,
  instance: string,
  most: number,
): PartitionCounters {
  const kept = emptyPartitions()
  for (const [partition, counters] of Object.entries(claims)) {
    const rest = copyCounters(counters)
    if ((counterOf(rest, instance) ?? 0) > most) delete rest[instance]
    kept[partition] = rest
  }
  return kept
}

function requireFew(claims: number, most = MAX_EXPANDED_CLAIMS): void {
  if (claims <= most) return
  throw new MorangoError('fsic-too-large', 'The FSIC makes too many claims for the prefixes of the filter', {
    hint: 'Sync with fewer prefixes at a time.',
  })
}
