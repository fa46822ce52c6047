import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Dialect } from './dialect.ts'
import { insertRows } from './rows.ts'
import { OWN_TYPES, type Schema } from './schema.ts'

// Whether an instance has saved any record under a partition is asked at every sync (protocol §6). An index on the
// Store would answer too, but takes longer to keep than all the rest of writing a record: long keys, scattered.
// There are few pairs of instance and partition, and a count of each is enough.

const ADD = `on conflict (instance_id, partition) do update
  set records = morango_instance_partition.records + excluded.records`

const MOST_GATHERED = 2000

/** Counts records while they are written in batches, to note many of one partition at once. */
export interface SavedPartitions {
  /** A record of this partition is now last saved by the instance. */
  add(partition: string): void
  /** Notes what was gathered, once it is much. */
  settle(trx: Kysely<Schema>, dialect: Dialect): Promise<void>
  /** Notes all that was gathered. */
  flush(trx: Kysely<Schema>, dialect: Dialect): Promise<void>
}

/** Gathers the partitions of records that one instance saves. */
export function gatherSavedPartitions(instance: string): SavedPartitions {
  const counts = new Map<string, number>()
  async function flush(trx: Kysely<Schema>, dialect: Dialect): Promise<void> {
    // One order for all, so that transactions side by side don't wait for each other in a circle.
    const rows = [...counts].toSorted(([a], [b]) => (a < b ? -1 : 1))
    counts.clear()
    const target = {
      table: 'morango_instance_partition',
      columns: ['partition', 'records'],
      constants: { instance_id: instance },
      types: OWN_TYPES,
      suffix: ADD,
    }
    await insertRows(trx, dialect, target, rows)
  }
  return {
    add: (partition) => {
      counts.set(partition, (counts.get(partition) ?? 0) + 1)
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
 * @param records a query for their `last_saved_instance` and `partition`
 */
export async function countSaved(
  trx: Kysely<Schema>,
  records: RawBuilder<unknown>,
  way: 'in' | 'out',
): Promise<void> {
  const count = way === 'in' ? sql`count(*)` : sql`-count(*)`
  await sql`insert into morango_instance_partition (instance_id, partition, records)
    select x.last_saved_instance, x.partition, ${count} from (${records}) x
    where 1 = 1 group by x.last_saved_instance, x.partition order by x.last_saved_instance, x.partition
    ${sql.raw(ADD)}`.execute(trx)
}

/** Removes the pairs that have no record left. To be called after all of a change is counted. */
export async function forgetEmptyPartitions(trx: Kysely<Schema>): Promise<void> {
  await sql`delete from morango_instance_partition where records = 0`.execute(trx)
}

/** Query for {@link countSaved}: the Store's present versions of some records. */
export function savedVersions(dialect: Dialect, ids: string): RawBuilder<unknown> {
  return sql`select s.last_saved_instance, s.partition from morango_store s
    where s.id in (select value from ${dialect.list(ids)})`
}
