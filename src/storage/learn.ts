import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { ReadonlyPartitionCounters } from '../core/fsic.ts'
import { MAX_COUNTER_JUMP } from '../core/limits.ts'
import type { SqlValue } from '../models/compiled.ts'
import type { Dialect } from './dialect.ts'
import { insertRows } from './rows.ts'
import { OWN_TYPES, type Schema } from './schema.ts'

interface Claim {
  readonly partition: string
  readonly instance: string
  readonly counter: number
}

/**
 * Raises database max counters to what a peer claims, and keeps by which certificate (protocol §6, §11). Never lowers
 * one. Nothing is learned
 * - about the current instance beyond what it has stamped;
 * - about another instance more than a million counters beyond all that is known of it, by claims and by records,
 *   those of this transfer among them;
 * - about a former instance of this database beyond what is known of it: a restored backup lacks what is above, and
 *   learns of it by the records that bring it back.
 *
 * @param claims - under the transfer's filter, in the expanded form
 * @param certificateId - the peer's; empty when it is not known
 */
export async function learnClaims(
  trx: Kysely<Schema>,
  dialect: Dialect,
  certificateId: string,
  claims: ReadonlyPartitionCounters,
): Promise<void> {
  const raising = await claimsThatRaise(trx, dialect, claims)
  if (raising.length === 0) return
  const own = await trx.selectFrom('morango_instance').select(['id', 'counter', 'current']).execute()
  const current = own.find((instance) => instance.current === 1)
  const former = new Set(own.flatMap((instance) => (instance.current === 1 ? [] : [instance.id])))
  const doubtful = raising.filter(
    ({ instance, counter }) => former.has(instance) || counter > MAX_COUNTER_JUMP,
  )
  const known = await knownCounters(
    trx,
    dialect,
    doubtful.map(({ instance }) => instance),
  )
  const learned = raising.flatMap((claim): SqlValue[][] => {
    const { partition, instance, effective } = claim
    let { counter } = claim
    if (instance === current?.id && counter > current.counter) return []
    const seen = known.get(instance) ?? 0
    if (counter > seen + MAX_COUNTER_JUMP) return []
    if (former.has(instance)) counter = Math.min(counter, seen)
    return counter > effective ? [[partition, instance, counter]] : []
  })
  const columns = ['partition', 'instance_id', 'counter']
  const raise = (table: string): string =>
    `do update set counter = case when ${table}.counter < excluded.counter then excluded.counter else ${table}.counter end`
  await insertRows(
    trx,
    dialect,
    {
      table: 'morango_database_max_counter',
      columns,
      types: OWN_TYPES,
      suffix: `on conflict (partition, instance_id) ${raise('morango_database_max_counter')}`,
    },
    learned,
  )
  await insertRows(
    trx,
    dialect,
    {
      table: 'morango_claim',
      columns,
      constants: { certificate_id: certificateId },
      types: OWN_TYPES,
      suffix: `on conflict (partition, instance_id, certificate_id) ${raise('morango_claim')}`,
    },
    learned,
  )
}

/** The claims that exceed what is known on the same partition, in one order for all who learn at once. */
async function claimsThatRaise(
  trx: Kysely<Schema>,
  dialect: Dialect,
  claims: ReadonlyPartitionCounters,
): Promise<(Claim & { readonly effective: number })[]> {
  const partitions = Object.keys(claims).toSorted()
  if (partitions.length === 0) return []
  const rows = await sql<Claim>`select partition, instance_id as instance, counter
    from morango_database_max_counter
    where partition in (select value from ${dialect.list(JSON.stringify(partitions))})`.execute(trx)
  const present = new Map(
    rows.rows.map(({ partition, instance, counter }) => [`${instance}${partition}`, counter]),
  )
  return partitions.flatMap((partition) =>
    Object.entries(claims[partition] ?? {}).flatMap(([instance, counter]) => {
      const effective = present.get(`${instance}${partition}`) ?? 0
      return counter > effective ? [{ partition, instance, counter, effective }] : []
    }),
  )
}

/** The highest counters that are known of instances, by any claim and any record here; 0 where there is none. */
export async function knownCounters(
  db: Kysely<Schema>,
  dialect: Dialect,
  instances: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const known = new Map<string, number>()
  if (instances.length === 0) return known
  const list = JSON.stringify([...new Set(instances)])
  const named = (column: RawBuilder<unknown>): RawBuilder<unknown> =>
    sql`${column} in (select value from ${dialect.list(list)})`
  const found = await sql<{ instance: string; counter: number | null }>`
    select instance_id as instance, max(counter) as counter from morango_database_max_counter
    where ${named(sql`instance_id`)} group by instance_id
    union all
    select instance_id, max(counter) from morango_record_max_counter
    where ${named(sql`instance_id`)} group by instance_id
    union all
    select x.value, (select max(s.last_saved_counter) from morango_store s where s.last_saved_instance = x.value)
    from ${dialect.list(list)} x`.execute(db)
  for (const { instance, counter } of found.rows) {
    if (counter !== null && counter > (known.get(instance) ?? 0)) known.set(instance, counter)
  }
  return known
}
