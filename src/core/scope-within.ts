import type { Filter } from './filter.ts'
import type { Scope } from './scope.ts'

/** One prefix of partitions, or several. */
export type Prefixes = string | readonly string[]

/** What somebody may have: the same prefixes for both ways, or for each way its own; what is left out is nothing. */
export type AllowedScope = Prefixes | { readonly read?: Prefixes; readonly write?: Prefixes }

/**
 * Whether all that a scope reads and writes lies within what is allowed, compared by whole parts of a partition:
 * `D:user:1` has `D:user:1` and `D:user:1:note` in it, but not `D:user:12`. Nothing lies within an empty prefix.
 *
 * @example
 * scopeWithin(scope, `${dataset}:user:${username}`)
 * scopeWithin(scope, { read: `${dataset}:place`, write: [] })
 */
export function scopeWithin({ read, write }: Scope, allowed: AllowedScope): boolean {
  if (typeof allowed === 'string' || isList(allowed)) {
    return areWithin(read, allowed) && areWithin(write, allowed)
  }
  return areWithin(read, allowed.read ?? []) && areWithin(write, allowed.write ?? [])
}

function areWithin(prefixes: Filter, allowed: Prefixes): boolean {
  const outer = typeof allowed === 'string' ? [allowed] : allowed
  return prefixes.every((prefix) => outer.some((one) => isPartOf(prefix, one)))
}

function isPartOf(prefix: string, outer: string): boolean {
  if (outer === '') return false
  return prefix === outer || prefix.startsWith(outer.endsWith(':') ? outer : `${outer}:`)
}

function isList(allowed: AllowedScope): allowed is readonly string[] {
  return Array.isArray(allowed)
}
