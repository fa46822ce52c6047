import { type RawBuilder, sql } from 'kysely'
import { type Filter, minimalPrefixes, prefixUpperBound } from '../core/filter.ts'

/**
 * SQL condition: the partition is under one of the filter's prefixes (protocol §2). Ranges, not `like`: exact
 * for `%`, `_` and letter case, and an index serves them.
 */
export function partitionIn(partition: RawBuilder<unknown>, filter: Filter): RawBuilder<boolean> {
  const ranges = minimalPrefixes(filter).map((prefix) => partitionUnder(partition, prefix))
  return ranges.length === 1 && ranges[0] !== undefined
    ? ranges[0]
    : sql<boolean>`(${sql.join(ranges, sql` or `)})`
}

/** SQL condition: the partition starts with `prefix`. */
export function partitionUnder(partition: RawBuilder<unknown>, prefix: string): RawBuilder<boolean> {
  if (prefix === '') return sql<boolean>`1 = 1`
  const upper = prefixUpperBound(prefix)
  return upper === undefined
    ? sql<boolean>`${partition} >= ${prefix}`
    : sql<boolean>`(${partition} >= ${prefix} and ${partition} < ${upper})`
}

/** Every proper prefix of a text, the empty one included, by whole characters. */
export function properPrefixes(text: string): string[] {
  const prefixes: string[] = []
  let length = 0
  for (const character of text) {
    prefixes.push(text.slice(0, length))
    length += character.length
  }
  return prefixes
}
