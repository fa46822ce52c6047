import { type Kysely, sql } from 'kysely'
import type { BufferRecord } from '../session/ports.ts'
import type { Dialect } from './dialect.ts'
import type { Schema } from './schema.ts'
import { historyOf } from './snapshot.ts'
import type { RecordRow } from './store-rows.ts'

/** How many records a transfer's outgoing Buffer has. */
export async function countOutgoing(db: Kysely<Schema>, transferSessionId: string): Promise<number> {
  // Positions are 1 to n without gaps.
  const result = await sql<{ last: number | null }>`select max(position) as last from morango_outgoing
    where transfer_session_id = ${transferSessionId}`.execute(db)
  return result.rows[0]?.last ?? 0
}

/** A slice of a transfer's outgoing Buffer, in its fixed order, in the shape that travels (protocol §4). */
export async function readOutgoing(
  db: Kysely<Schema>,
  dialect: Dialect,
  transferSessionId: string,
  { offset, limit }: { offset: number; limit?: number },
): Promise<BufferRecord[]> {
  const end = limit === undefined ? sql`` : sql` and o.position <= ${offset + limit}`
  const result = await sql<RecordRow>`
    select s.id, s.profile, s.model_name, s.partition, s.source_id, n.store_id as snapshot,
      ${sql.join(SNAPSHOT_COLUMNS.map((name) => sql`case when n.store_id is null then s.${sql.id(name)} else n.${sql.id(name)} end as ${sql.id(name)}`))},
      case when n.store_id is null then ${historyOf(dialect, sql`s.id`)} else n.counters end as counters
    from morango_outgoing o
    join morango_store s on s.no = o.store_no
    left join morango_outgoing_snapshot n
      on n.transfer_session_id = o.transfer_session_id and n.store_id = s.id
    where o.transfer_session_id = ${transferSessionId} and o.position > ${offset}${end}
    order by o.position`.execute(db)
  return result.rows.map((row) => rowToBufferRecord(row, transferSessionId))
}

const SNAPSHOT_COLUMNS = [
  'serialized',
  'conflicting_serialized_data',
  'self_ref_fk',
  'last_saved_instance',
  'last_saved_counter',
  'deleted',
  'hard_deleted',
] as const

function rowToBufferRecord(row: RecordRow, transferSessionId: string): BufferRecord {
  const entry = (
    instance_id: string,
    counter: number,
  ): { transfer_session: string; model_uuid: string; instance_id: string; counter: number } => ({
    transfer_session: transferSessionId,
    model_uuid: row.id,
    instance_id,
    counter,
  })
  const history = [entry(row.last_saved_instance, row.last_saved_counter)]
  if (row.counters !== null) {
    for (const [instance, counter] of Object.entries(parseCounters(row.counters))) {
      if (instance !== row.last_saved_instance) history.push(entry(instance, counter))
    }
  }
  return {
    serialized: row.serialized,
    deleted: row.deleted === 1,
    last_saved_instance: row.last_saved_instance,
    last_saved_counter: row.last_saved_counter,
    hard_deleted: row.hard_deleted === 1,
    partition: row.partition,
    source_id: row.source_id,
    model_name: row.model_name,
    conflicting_serialized_data: row.conflicting_serialized_data,
    model_uuid: row.id,
    transfer_session: transferSessionId,
    profile: row.profile,
    rmcb_list: history,
    _self_ref_fk: row.self_ref_fk,
  }
}

/** Reads a history that the database wrote as a JSON object. */
export function parseCounters(json: string): Record<string, number> {
  const counters: Record<string, number> = Object.create(null)
  const parsed: unknown = JSON.parse(json)
  if (typeof parsed !== 'object' || parsed === null) return counters
  for (const [instance, counter] of Object.entries(parsed)) {
    if (typeof counter === 'number') counters[instance] = counter
  }
  return counters
}
