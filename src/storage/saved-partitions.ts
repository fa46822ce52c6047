import { type Kysely, type RawBuilder, sql } from 'kysely'
import { addSums, HALF, type HashSum, versionHash } from '../core/version-hash.ts'
import type { Dialect } from './dialect.ts'
import { insertRows } from './rows.ts'
import { OWN_TYPES, type Schema } from './schema.ts'
import { hashedVersions, sumOfHalves } from './version-hash-sql.ts'

// Whether an instance has saved any record under a partition is asked at every sync (protocol §6). An index on the
// Store would answer too, but takes longer to keep than all the rest of writing a record: long keys, scattered.
// There are few pairs of instance and partition, and a count of each is enough. Beside it is the sum of the hashes of
// these versions, by which two databases can tell whether they have the same (protocol §6).

const half = (name: string): string =>
  `${name} = (morango_instance_partition.${name} + excluded.${name}) % ${HALF}`

const ADD = `on conflict (instance_id, partition) do update
  set records = morango_instance_partition.records + excluded.records, ${half('sum_high')}, ${half('sum_low')}`

const MOST_GATHERED = 2000

/** Counts records while they are written in batches, to note many of one partition at once. */
export interface SavedPartitions {
  /** This record of the partition is now last saved by the instance, at the counter. */
  add(record: { readonly id: string; readonly partition: string }, counter: number): void
  /** Notes what was gathered, once it is much. */
  settle(trx: Kysely<Schema>, dialect: Dialect): Promise<void>
  /** Notes all that was gathered. */
  flush(trx: Kysely<Schema>, dialect: Dialect): Promise<void>
}

/** Gathers the partitions of records that one instance saves. */
export function gatherSavedPartitions(instance: string): SavedPartitions {
  const counts = new Map<string, HashSum & { readonly records: number }>()
  async function flush(trx: Kysely<Schema>, dialect: Dialect): Promise<void> {
    // One order for all, so that transactions side by side don't wait for each other in a circle.
    const rows = [...counts]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([partition, { records, high, low }]) => [partition, records, high, low])
    counts.clear()
    const target = {
      table: 'morango_instance_partition',
      columns: ['partition', 'records', 'sum_high', 'sum_low'],
      constants: { instance_id: instance },
      types: OWN_TYPES,
      suffix: ADD,
    }
    await insertRows(trx, dialect, target, rows)
  }
  return {
    add: ({ id, partition }, counter) => {
      const { records, ...sum } = counts.get(partition) ?? { records: 0, high: 0, low: 0 }
      counts.set(partition, { records: records + 1, ...addSums(sum, versionHash(id, counter)) })
    },
    settle: async (trx, dialect) => {
      if (counts.size >= MOST_GATHERED) await flush(trx, dialect)
    },
    flush,
  }
}

/**
 * Counts records in, or out before they get another version.
 *
 * @param records a query for their `id`, `last_saved_instance`, `last_saved_counter` and `partition`
 */
export async function countSaved(
  trx: Kysely<Schema>,
  dialect: Dialect,
  records: RawBuilder<unknown>,
  way: 'in' | 'out',
): Promise<void> {
  const count = way === 'in' ? sql`count(*)` : sql`-count(*)`
  await sql`with ${hashedVersions(dialect, records)}
    insert into morango_instance_partition (instance_id, partition, records, sum_high, sum_low)
    select instance, partition, ${count}, ${sumOfHalves(sql`high`, way)}, ${sumOfHalves(sql`low`, way)} from hashed
    where 1 = 1 group by instance, partition order by instance, partition
    ${sql.raw(ADD)}`.execute(trx)
}

/** Removes the pairs that have no record left. To be called after all of a change is counted. */
export async function forgetEmptyPartitions(trx: Kysely<Schema>): Promise<void> {
  await sql`delete from morango_instance_partition where records = 0`.execute(trx)
}

/** Query for {@link countSaved}: the Store's present versions of some records. */
export function savedVersions(dialect: Dialect, ids: string): RawBuilder<unknown> {
  return sql`select s.id, s.last_saved_instance, s.last_saved_counter, s.partition from morango_store s
    where s.id in (select value from ${dialect.list(ids)})`
}

const SLICE = 20_000

/** Sums the whole Store, of a database that has counts and no sums yet; in slices, between which others run. */
export async function sumStore(trx: Kysely<Schema>, dialect: Dialect): Promise<void> {
  const ends = await sql<{ last: number | null }>`select max(no) as last from morango_store`.execute(trx)
  const last = Number(ends.rows[0]?.last ?? 0)
  for (let after = 0; after < last; after += SLICE) {
    const records = sql`select s.id, s.last_saved_instance, s.last_saved_counter, s.partition from morango_store s
      where s.no > ${after} and s.no <= ${after + SLICE}`
    await sql`with ${hashedVersions(dialect, records)}
      insert into morango_instance_partition (instance_id, partition, records, sum_high, sum_low)
      select instance, partition, 0, ${sumOfHalves(sql`high`, 'in')}, ${sumOfHalves(sql`low`, 'in')} from hashed
      where 1 = 1 group by instance, partition order by instance, partition
      ${sql.raw(ADD)}`.execute(trx)
    await new Promise((resolve) => setTimeout(resolve))
  }
}
