import { type Kysely, type RawBuilder, sql } from 'kysely'
import { minimalPrefixes } from '../core/filter.ts'
import { emptyPartitions, mergeCounters, type PartitionCounters } from '../core/fsic.ts'
import { claimsUnder } from '../core/fsic-claims.ts'
import { queueDiffV2 } from '../core/fsic-queue.ts'
import { MAX_COUNTER, MAX_SET_SUMS } from '../core/limits.ts'
import { HALF, sumToText } from '../core/version-hash.ts'
import type { ComparedTransfer, InstanceSum, PartitionSum } from '../session/ports.ts'
import type { Dialect } from './dialect.ts'
import { conditionsOf } from './queue.ts'
import { partitionIn, partitionUnder } from './ranges.ts'
import type { Schema } from './schema.ts'
import { WITHHELD } from './withheld.ts'

/**
 * SQL conditions: the Store's record `s` is under the filter, and the other side does not claim it. Whatever is not so
 * stands at both sides, or at one of them in something later (protocol §6). What this side claims does not count: a
 * dequeuing that is under way, or was given up, has brought records that are not claimed yet.
 */
export async function beyondTheirClaims(
  trx: Kysely<Schema>,
  { filter, peerClaims }: Pick<ComparedTransfer, 'filter' | 'peerClaims'>,
): Promise<readonly RawBuilder<boolean>[]> {
  const claims: PartitionCounters = emptyPartitions()
  for (const fsic of peerClaims) {
    for (const [partition, counters] of Object.entries(claimsUnder(fsic, 'v2', filter))) {
      claims[partition] = mergeCounters(claims[partition] ?? {}, counters)
    }
  }
  const present = emptyPartitions()
  for (const prefix of minimalPrefixes(filter)) {
    const found = await sql<{ instance: string }>`select distinct instance_id as instance
      from morango_instance_partition where ${partitionUnder(sql`partition`, prefix)}`.execute(trx)
    present[prefix] = Object.fromEntries(found.rows.map(({ instance }) => [instance, MAX_COUNTER]))
  }
  return conditionsOf(queueDiffV2(present, claims))
}

/** A set's key in a map. */
export function setKey(instance: string, partition: string): string {
  return `${instance}${partition}`
}

/** The producer's sets in which there are records that the receiver does not claim, or that were left out: for their size, or withheld. */
async function setsNotSent(trx: Kysely<Schema>, transfer: ComparedTransfer): Promise<ReadonlySet<string>> {
  const { profile, filter } = transfer
  const sets = new Set<string>()
  const unsent = sql<boolean>`(s.no in (select store_no from morango_unsent) or ${WITHHELD}) and ${partitionIn(sql`s.partition`, filter)}`
  for (const condition of [...(await beyondTheirClaims(trx, transfer)), unsent]) {
    const found = await sql<{ instance: string; partition: string }>`select distinct
        s.last_saved_instance as instance, s.partition from morango_store s
      where s.profile = ${profile} and ${condition}`.execute(trx)
    for (const { instance, partition } of found.rows) sets.add(setKey(instance, partition))
  }
  return sets
}

interface SumRow {
  readonly instance: string
  readonly partition: string
  readonly records: number
  readonly high: number
  readonly low: number
}

/** See `Engine.instanceSums`. */
export async function instanceSums(
  trx: Kysely<Schema>,
  transfer: ComparedTransfer,
): Promise<readonly InstanceSum[] | undefined> {
  const half = (column: RawBuilder<unknown>): RawBuilder<unknown> =>
    sql`cast(sum(${column}) % ${sql.lit(HALF)} as bigint)`
  const { rows } = await sql<SumRow>`select instance_id as instance, sum(records) as records,
      ${half(sql`sum_high`)} as high, ${half(sql`sum_low`)} as low
    from morango_instance_partition where records > 0 and ${partitionIn(sql`partition`, transfer.filter)}
    group by instance_id order by instance_id limit ${MAX_SET_SUMS + 1}`.execute(trx)
  return rows.length > MAX_SET_SUMS ? undefined : rows.map(sumOf)
}

/** See `Engine.partitionSums`. */
export async function partitionSums(
  trx: Kysely<Schema>,
  dialect: Dialect,
  transfer: ComparedTransfer,
  instances: readonly string[],
): Promise<readonly PartitionSum[]> {
  const notSent = await setsNotSent(trx, transfer)
  const sums = await readPartitionSums(trx, dialect, transfer, instances)
  const told = sums.filter(({ instance, partition }) => !notSent.has(setKey(instance, partition)))
  return told.slice(0, MAX_SET_SUMS)
}

/** Sums by instance and partition, in that order. */
export async function readPartitionSums(
  trx: Kysely<Schema>,
  dialect: Dialect,
  { filter }: Pick<ComparedTransfer, 'filter'>,
  instances: readonly string[],
): Promise<PartitionSum[]> {
  const { rows } = await sql<SumRow>`select instance_id as instance, partition, records,
      sum_high as high, sum_low as low
    from morango_instance_partition
    where records > 0 and instance_id in (select value from ${dialect.list(JSON.stringify(instances))})
      and ${partitionIn(sql`partition`, filter)}
    order by instance_id, partition`.execute(trx)
  return rows.map((row) => ({ ...sumOf(row), partition: row.partition }))
}

// PostgreSQL's drivers give wide numbers as texts.
function sumOf({ instance, records, high, low }: Omit<SumRow, 'partition'>): InstanceSum {
  return { instance, records: Number(records), sum: sumToText({ high: Number(high), low: Number(low) }) }
}
