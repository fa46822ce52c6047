import { addSums, sumToText, versionHash } from '../core/version-hash.ts'
import { holds, same } from './behaviour.ts'
import type { TestPeer } from './peer.ts'

/** What is kept of each instance and partition: the number of records and the sum of their versions. */
export async function keptSums(
  { database: { kysely } }: Pick<TestPeer, 'database'>,
  prefix = '',
): Promise<ReadonlyMap<string, unknown>> {
  const rows = await kysely.selectFrom('morango_instance_partition').selectAll().execute()
  const sums = rows
    .filter(({ partition }) => partition.startsWith(prefix))
    .map((row): [string, unknown] => {
      const sum = sumToText({ high: Number(row.sum_high), low: Number(row.sum_low) })
      return [`${row.instance_id} ${row.partition}`, { records: row.records, sum }]
    })
  return new Map(sums.toSorted(([one], [other]) => (one < other ? -1 : 1)))
}

/** Fails unless the counts and sums are those of what is in the Store. */
export async function requireTrueSums(peer: Pick<TestPeer, 'database'>, what: string): Promise<void> {
  const stored = await peer.database.kysely
    .selectFrom('morango_store')
    .select(['id', 'partition', 'last_saved_instance as instance', 'last_saved_counter as counter'])
    .execute()
  const groups = Map.groupBy(stored, ({ instance, partition }) => `${instance} ${partition}`)
  const counted = [...groups].map(([key, versions]): [string, unknown] => {
    const sum = versions
      .map(({ id, counter }) => versionHash(id, counter))
      .reduce(addSums, { high: 0, low: 0 })
    return [key, { records: versions.length, sum: sumToText(sum) }]
  })
  const kept = [...(await keptSums(peer))]
  same(
    kept,
    counted.toSorted(([one], [other]) => (one < other ? -1 : 1)),
    `counts and sums: ${what}`,
  )
}

/** How often a peer has compared sets, as far as that is remembered. */
export async function comparisonsAt({ database: { kysely } }: TestPeer): Promise<number> {
  return (await kysely.selectFrom('morango_comparison').select('compared_at').execute()).length
}

/** Lets a peer compare sets again today. */
export async function forgetComparisons({ database: { kysely } }: TestPeer): Promise<void> {
  await kysely.deleteFrom('morango_comparison').execute()
}

/** Takes a record out of a peer's Store, as if it had never come. */
export async function loseRecord({ name, database: { kysely } }: TestPeer, id: string): Promise<void> {
  const gone = await kysely.deleteFrom('morango_store').where('id', '=', id).executeTakeFirst()
  holds(Number(gone.numDeletedRows) === 1, `${name} had the record`)
  await kysely.deleteFrom('morango_record_max_counter').where('store_id', '=', id).execute()
}
