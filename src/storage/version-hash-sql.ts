import { type RawBuilder, sql } from 'kysely'
import { HALF, HASH_FACTORS, HASH_PRIME } from '../core/version-hash.ts'
import type { Dialect } from './dialect.ts'

/**
 * `core/version-hash.ts` in SQL: a `with` list with a table `hashed (instance, partition, high, low)`, a row for each of
 * the records. Nothing exceeds 2^63, which PostgreSQL refuses and SQLite makes inexact.
 *
 * @param records - a query for `id`, `last_saved_instance`, `last_saved_counter` and `partition`
 */
export function hashedVersions(dialect: Dialect, records: RawBuilder<unknown>): RawBuilder<unknown> {
  const digits = dialect.hexNumber(sql`(substr(r.id, 1, 8) || substr(r.id, 26))`)
  // Materialized, or the digits would be read anew wherever the number occurs.
  return sql`numbered as materialized (
      select r.last_saved_instance as instance, r.partition, cast(r.last_saved_counter as bigint) as counter,
        ${digits} as digits from (${records}) r),
    combined as (select instance, partition, ${combined(HASH_FACTORS.x)} as a, ${combined(HASH_FACTORS.y)} as b
      from numbered),
    hashed as (select instance, partition, (a * a + b) % ${prime} as high, (b * b + a) % ${prime} as low
      from combined)`
}

/** Aggregate: the sum of a half of hashes; of its negative, when records are to be taken out. */
export function sumOfHalves(half: RawBuilder<unknown>, way: 'in' | 'out'): RawBuilder<number> {
  const added = sql`cast(sum(${half}) % ${sql.lit(HALF)} as bigint)`
  return way === 'in' ? sql`${added}` : sql`(${sql.lit(HALF)} - ${added}) % ${sql.lit(HALF)}`
}

const prime = sql.lit(HASH_PRIME)

function combined([upper, lower, counter, added]: readonly [
  number,
  number,
  number,
  number,
]): RawBuilder<unknown> {
  const bits = sql.lit(0x3fff_ffff)
  return sql`((digits >> 30) * ${sql.lit(upper)} + (digits & ${bits}) * ${sql.lit(lower)}
    + counter * ${sql.lit(counter)} + ${sql.lit(added)}) % ${prime}`
}
