import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { SqlValue } from '../models/compiled.ts'
import type { BufferRecord } from '../session/ports.ts'
import type { Dialect } from './dialect.ts'
import { insertRows } from './rows.ts'
import { OWN_TYPES, type Schema } from './schema.ts'

const COLUMNS = [
  'id',
  'model_name',
  'partition',
  'source_id',
  'serialized',
  'conflicting_serialized_data',
  'self_ref_fk',
  'last_saved_instance',
  'last_saved_counter',
  'deleted',
  'hard_deleted',
  'counters',
] as const

const REPLACE = `on conflict (transfer_session_id, id) do update set ${COLUMNS.slice(1)
  .map((name) => `${name} = excluded.${name}`)
  .join(', ')}`

/** How many different records a transfer's incoming Buffer has. */
export async function countIncoming(db: Kysely<Schema>, transferSessionId: string): Promise<number> {
  const result = await sql<{ count: number }>`select count(*) as count from morango_incoming
    where transfer_session_id = ${transferSessionId}`.execute(db)
  return Number(result.rows[0]?.count ?? 0)
}

/** Some records of a transfer's incoming Buffer: those with ids after one and up to another. */
export interface IncomingRange {
  readonly session: string
  readonly after: string
  readonly last: string
  readonly records: number
}

/** The next records of a transfer's incoming Buffer, `limit` at most. */
export async function nextRange(
  db: Kysely<Schema>,
  session: string,
  after: string,
  limit: number,
): Promise<IncomingRange> {
  const result = await sql<{
    last: string | null
    records: number
  }>`select max(id) as last, count(*) as records
    from (select id from morango_incoming where transfer_session_id = ${session} and id > ${after}
      order by id limit ${limit}) x`.execute(db)
  const { last = null, records = 0 } = result.rows[0] ?? {}
  return { session, after, last: last ?? after, records: Number(records) }
}

/** SQL condition: the buffered record `i` is one of the range. */
export function inRange({ session, after, last }: IncomingRange): RawBuilder<boolean> {
  return sql<boolean>`(i.transfer_session_id = ${session} and i.id > ${after} and i.id <= ${last})`
}

/**
 * Stores a checked chunk in the incoming Buffer and counts it in the transfer session, in the caller's
 * transaction. A record that is there already is replaced and not counted again, so a chunk that arrives twice
 * is the same as once.
 *
 * @returns how many different records the Buffer then has.
 */
export async function insertIncoming(
  trx: Kysely<Schema>,
  dialect: Dialect,
  transferSessionId: string,
  records: readonly BufferRecord[],
): Promise<number> {
  const byId = new Map(records.map((record) => [record.model_uuid, record]))
  const ids = [...byId.keys()].toSorted()
  // They come in order, so that few others are between the first and the last.
  const present = await sql<{ count: number }>`select count(*) as count from morango_incoming
    where transfer_session_id = ${transferSessionId} and id >= ${ids[0] ?? ''} and id <= ${ids.at(-1) ?? ''}
      and id in (select value from ${dialect.list(JSON.stringify(ids))})`.execute(trx)
  const target = {
    table: 'morango_incoming',
    columns: COLUMNS,
    constants: { transfer_session_id: transferSessionId },
    types: OWN_TYPES,
    suffix: REPLACE,
  }
  await insertRows(trx, dialect, target, [...byId.values()].map(bufferRecordToRow))
  const added = byId.size - Number(present.rows[0]?.count ?? 0)
  const session = await trx
    .updateTable('morango_transfer_session')
    .set((eb) => ({ records_transferred: eb('records_transferred', '+', added) }))
    .where('id', '=', transferSessionId)
    .returning('records_transferred')
    .executeTakeFirst()
  return session === undefined ? await countIncoming(trx, transferSessionId) : session.records_transferred
}

function bufferRecordToRow(record: BufferRecord): SqlValue[] {
  return [
    record.model_uuid,
    record.model_name,
    record.partition,
    record.source_id,
    // A hard deletion that went through a conflict of the original arrives with an empty text (protocol §8).
    record.serialized === '' ? '{}' : record.serialized,
    record.conflicting_serialized_data,
    record._self_ref_fk,
    record.last_saved_instance,
    record.last_saved_counter,
    record.deleted ? 1 : 0,
    record.hard_deleted ? 1 : 0,
    otherCounters(record),
  ]
}

function otherCounters(record: BufferRecord): string | null {
  let counters: Record<string, number> | undefined
  for (const { instance_id, counter } of record.rmcb_list) {
    if (instance_id === record.last_saved_instance) continue
    counters ??= {}
    counters[instance_id] = Math.max(counter, counters[instance_id] ?? 0)
  }
  return counters === undefined ? null : JSON.stringify(counters)
}
