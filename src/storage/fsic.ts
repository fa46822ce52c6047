import { type Kysely, sql } from 'kysely'
import type { Filter } from '../core/filter.ts'
import type { DatabaseMaxCounter } from '../core/fsic.ts'
import { fsicToText } from '../core/fsic-text.ts'
import { assembleFsicV1 } from '../core/fsic-v1.ts'
import { assembleFsicV2, removeRedundantCounters } from '../core/fsic-v2.ts'
import type { FsicFormat } from '../session/ports.ts'
import { partitionIn, properPrefixes } from './ranges.ts'
import type { Schema } from './schema.ts'

/**
 * This side's filter-specific instance counters as they travel (protocol §6). Touches the database max
 * counters under the filter and above it, and for each seeks at most two index entries, so the size of the
 * Store does not matter.
 */
export async function readFsic(
  db: Kysely<Schema>,
  { filter, role, format }: { filter: Filter; role: 'producer' | 'receiver'; format: FsicFormat },
): Promise<string> {
  const rows = await claimsAbout(db, filter)
  if (format === 'v1') {
    return fsicToText(assembleFsicV1(rows, filter, role))
  }
  const present = rows.filter(({ partition, firstSaved, firstHistory }) =>
    [firstSaved, role === 'receiver' ? firstHistory : null].some(
      (first) => first !== null && first.startsWith(partition),
    ),
  )
  return fsicToText(removeRedundantCounters(assembleFsicV2(present, filter)))
}

interface KnownClaim extends DatabaseMaxCounter {
  /** The first partition at or after the claim's that has a record last saved by the instance. */
  readonly firstSaved: string | null
  /** The same for records with the instance in their record max counters. */
  readonly firstHistory: string | null
}

async function claimsAbout(db: Kysely<Schema>, filter: Filter): Promise<KnownClaim[]> {
  const above = [...new Set(filter.flatMap(properPrefixes))]
  const result = await sql<KnownClaim>`
    select c.partition, c.instance_id as instance, c.counter,
      (select p.partition from morango_instance_partition p where p.instance_id = c.instance_id
        and p.partition >= c.partition order by p.partition limit 1) as "firstSaved",
      (select r.partition from morango_record_max_counter r where r.instance_id = c.instance_id
        and r.partition >= c.partition order by r.partition limit 1) as "firstHistory"
    from morango_database_max_counter c
    where ${partitionIn(sql`c.partition`, filter)}
      ${above.length === 0 ? sql`` : sql`or c.partition in (${sql.join(above)})`}
    order by c.partition, c.instance_id`.execute(db)
  return result.rows
}
