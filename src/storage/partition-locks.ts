import { type Filter, minimalPrefixes } from '../core/filter.ts'
import { sha256Prefix } from '../core/sha256.ts'

/** A lock that a turn needs: of a primary partition, or of the whole database. */
export interface PartitionLock {
  /** A signed 64-bit number. */
  readonly key: bigint
  readonly mode: LockMode
}

/** Queuing shares a partition with others that queue; writing to the Store needs it alone. */
export type LockMode = 'shared' | 'exclusive'

// A primary partition is the id of a root certificate. Prefixes that are so long and overlap have these characters
// in common, whatever separates the rest.
const PRIMARY_LENGTH = 32

const WHOLE = keyOf('')

/**
 * The locks for a turn under a filter, in the one order in which they are to be taken. Everybody takes that of the
 * whole database first, shared; a filter with a prefix that does not name one primary partition, or none, takes it
 * exclusively.
 */
export function locksFor(filter: Filter | undefined, mode: LockMode): PartitionLock[] {
  const prefixes = filter === undefined ? [''] : minimalPrefixes(filter)
  if (prefixes.some((prefix) => prefix.length < PRIMARY_LENGTH)) return [{ key: WHOLE, mode: 'exclusive' }]
  const keys = new Set(prefixes.map((prefix) => keyOf(prefix.slice(0, PRIMARY_LENGTH))))
  const ordered = [...keys].toSorted((a, b) => (a < b ? -1 : 1))
  return [{ key: WHOLE, mode: 'shared' }, ...ordered.map((key): PartitionLock => ({ key, mode }))]
}

/** The key of a lock that has a name. */
export function keyOf(name: string): bigint {
  return BigInt.asIntN(64, BigInt(`0x${sha256Prefix(`morango:${name}`).slice(0, 16)}`))
}
