import { type Kysely, sql } from 'kysely'
import { boundConflictingData } from '../core/conflicting-data.ts'
import { MAX_CONFLICTING_BYTES, MAX_CONFLICTING_VERSIONS } from '../core/limits.ts'
import type { StoreRecord } from '../core/merge.ts'
import type { TransferContext } from '../session/ports.ts'
import { type DroppedVersion, noteDropped } from './conflict-log.ts'
import type { EngineContext } from './context.ts'
import { type IncomingRange, inRange } from './incoming.ts'
import type { Schema } from './schema.ts'
import type { RecordRow } from './store-rows.ts'

/** Bounds what a merged record keeps of versions that lost, and says what it has no room for. */
export function boundRecord(record: StoreRecord): {
  record: StoreRecord
  dropped: readonly DroppedVersion[]
} {
  const { kept, dropped } = boundConflictingData(record.conflictingSerializedData, record.serialized.length)
  if (dropped.length === 0) return { record, dropped: [] }
  const about = {
    profile: record.profile,
    model: record.modelName,
    recordId: record.id,
    partition: record.partition,
    result: record.serialized,
    stamp: { instance: record.lastSavedInstance, counter: record.lastSavedCounter },
    transferSessionId: record.lastTransferSessionId,
  }
  return {
    record: { ...record, conflictingSerializedData: kept },
    dropped: dropped.map((serialized) => ({ ...about, serialized })),
  }
}

/** The same for records of the Buffer, before they are taken over whole. */
export async function boundArriving(
  trx: Kysely<Schema>,
  context: EngineContext,
  { profile, transferSessionId }: TransferContext,
  range: IncomingRange,
): Promise<void> {
  const data = sql`i.conflicting_serialized_data`
  const found = await sql<RecordRow>`select i.*, '' as profile from morango_incoming i where ${inRange(range)}
    and ${data} <> '' and (length(${data}) * 3 > ${MAX_CONFLICTING_BYTES}
      or length(${data}) - length(replace(${data}, ${'\n'}, '')) > ${MAX_CONFLICTING_VERSIONS})`.execute(trx)
  const lost: DroppedVersion[] = []
  for (const row of found.rows) {
    const { kept, dropped } = boundConflictingData(row.conflicting_serialized_data, row.serialized.length)
    if (dropped.length === 0) continue
    await sql`update morango_incoming set conflicting_serialized_data = ${kept}
      where transfer_session_id = ${transferSessionId} and id = ${row.id}`.execute(trx)
    const about = {
      profile,
      model: row.model_name,
      recordId: row.id,
      partition: row.partition,
      result: row.serialized,
      stamp: { instance: row.last_saved_instance, counter: Number(row.last_saved_counter) },
      transferSessionId,
    }
    for (const serialized of dropped) lost.push({ ...about, serialized })
  }
  await noteDropped(trx, context.database.dialect, lost, context.clock.now().toISOString())
}
