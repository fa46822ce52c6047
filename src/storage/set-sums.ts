import { type Kysely, type RawBuilder, sql } from 'kysely'
import { minimalPrefixes } from '../core/filter.ts'
import { emptyPartitions, mergeCounters, type PartitionCounters } from '../core/fsic.ts'
import { claimsUnder } from '../core/fsic-claims.ts'
import { queueDiffV2 } from '../core/fsic-queue.ts'
import { MAX_COUNTER, MAX_SET_SUMS } from '../core/limits.ts'
import { HALF, sumToText } from '../core/version-hash.ts'
import type { ComparedTransfer, InstanceSum, PartitionSum, PartitionSums } from '../session/ports.ts'
import type { Dialect } from './dialect.ts'
import { conditionsOf } from './queue.ts'
import { partitionIn, partitionUnder } from './ranges.ts'
import type { Schema } from './schema.ts'

/**
 * Whether all that is in the Store under the filter is claimed by the other side. Where that holds at both sides, they
 * must have the same: each has of every record what the other has, or something later. Not what this side claims counts,
 * but what it has: a dequeuing that is under way has brought records that are not claimed yet.
 */
export async function isSettled(
  trx: Kysely<Schema>,
  { profile, filter, peerClaims, sends }: ComparedTransfer,
): Promise<boolean> {
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
  for (const beyond of conditionsOf(queueDiffV2(present, claims))) {
    const found = await sql`select 1 from morango_store s
      where s.profile = ${profile} and ${beyond} limit 1`.execute(trx)
    if (found.rows.length > 0) return false
  }
  if (!sends) return true
  // They were left out for their size, and the other side claims them all the same.
  const unsent = await sql`select 1 from morango_unsent u join morango_store s on s.no = u.store_no
    where ${partitionIn(sql`s.partition`, filter)} limit 1`.execute(trx)
  return unsent.rows.length === 0
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
  if (!(await isSettled(trx, transfer))) return undefined
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
): Promise<PartitionSums | undefined> {
  if (!(await isSettled(trx, transfer))) return undefined
  const sums = await readPartitionSums(trx, dialect, transfer, instances, MAX_SET_SUMS + 1)
  return { sums: sums.slice(0, MAX_SET_SUMS), more: sums.length > MAX_SET_SUMS }
}

/** Sums by instance and partition, in that order. */
export async function readPartitionSums(
  trx: Kysely<Schema>,
  dialect: Dialect,
  { filter }: Pick<ComparedTransfer, 'filter'>,
  instances: readonly string[],
  limit?: number,
): Promise<PartitionSum[]> {
  const { rows } = await sql<SumRow>`select instance_id as instance, partition, records,
      sum_high as high, sum_low as low
    from morango_instance_partition
    where records > 0 and instance_id in (select value from ${dialect.list(JSON.stringify(instances))})
      and ${partitionIn(sql`partition`, filter)}
    order by instance_id, partition ${limit === undefined ? sql`` : sql`limit ${limit}`}`.execute(trx)
  return rows.map((row) => ({ ...sumOf(row), partition: row.partition }))
}

// PostgreSQL's drivers give wide numbers as texts.
function sumOf({ instance, records, high, low }: Omit<SumRow, 'partition'>): InstanceSum {
  return { instance, records: Number(records), sum: sumToText({ high: Number(high), low: Number(low) }) }
}
