import { type Kysely, type RawBuilder, sql } from 'kysely'
import { type HistoryTrust, type MergeChoice, mergeRecords, type StoreRecord } from '../core/merge.ts'
import type { SqlValue } from '../models/compiled.ts'
import type { TransferContext, WorkOptions } from '../session/ports.ts'
import { boundRecord } from './bound-conflicting.ts'
import {
  type ConflictVersion,
  type DroppedVersion,
  type NewConflict,
  noteConflicts,
  noteDropped,
} from './conflict-log.ts'
import type { EngineContext } from './context.ts'
import type { Dialect } from './dialect.ts'
import { markDirtyByIds } from './dirty.ts'
import { isBeyond } from './distrust.ts'
import { type IncomingRange, inRange } from './incoming.ts'
import type { Stamp } from './instance.ts'
import { chooseContent } from './merge-hook.ts'
import { parseCounters } from './outgoing.ts'
import { insertRows } from './rows.ts'
import { countSaved, savedVersions } from './saved-partitions.ts'
import { OWN_TYPES, type Schema } from './schema.ts'
import { forgetContent, historyOf, snapshotQueued } from './snapshot.ts'
import { type RecordRow, STORE_UPSERT } from './store-rows.ts'

/**
 * Neither history has the other's version: each is decided by core's mergeRecords, stamped as ours, and leaves the
 * Buffer.
 *
 * @returns how many there were
 */
export async function mergeConflicts(
  trx: Kysely<Schema>,
  context: EngineContext,
  options: TransferContext & WorkOptions,
  range: IncomingRange,
  stamp: Stamp,
  trust: HistoryTrust,
): Promise<number> {
  const { dialect } = context.database
  const session = options.transferSessionId
  let count = 0
  for (let { after } = range; ;) {
    options.signal?.throwIfAborted()
    const found = await sql<{ id: string }>`select i.id from morango_incoming i
      join morango_store s on s.id = i.id
      where ${inRange({ ...range, after })} and not ${incomingCoversStore(dialect, trust)}
      order by i.id limit ${context.sizes.batch}`.execute(trx)
    const last = found.rows.at(-1)
    if (last === undefined) return count
    after = last.id
    count += found.rows.length
    const ids = JSON.stringify(found.rows.map((row) => row.id))
    const theirs = await sql<RecordRow>`select i.*, '' as profile from morango_incoming i
      where i.transfer_session_id = ${session} and i.id in (select value from ${dialect.list(ids)})
      order by i.id`.execute(trx)
    const ours = await sql<RecordRow>`select s.*, ${historyOf(dialect, sql`s.id`)} as counters
      from morango_store s where s.id in (select value from ${dialect.list(ids)}) order by s.id`.execute(trx)
    const conflicts: NewConflict[] = []
    const dropped: DroppedVersion[] = []
    const merged = ours.rows.map((row, index) => {
      const other = theirs.rows[index]
      if (other === undefined || other.id !== row.id) throw new Error('conflicting records do not line up')
      const local = rowToRecord(row, row.profile, null)
      const incoming = rowToRecord(other, options.profile, session)
      const choice = chooseContent(context, local, incoming, stamp.instance)
      const merging = mergeRecords(local, incoming, stamp, choice, trust)
      const { record: result, dropped: lost } = boundRecord(merging)
      dropped.push(...lost)
      if (!result.hardDeleted) conflicts.push(conflictOf(local, incoming, choice, result))
      return result
    })
    await writeMerged(trx, dialect, merged, ids)
    const now = context.clock.now().toISOString()
    await noteConflicts(trx, dialect, conflicts, now)
    await noteDropped(trx, dialect, dropped, now)
    await sql`delete from morango_incoming where transfer_session_id = ${session}
      and id in (select value from ${dialect.list(ids)})`.execute(trx)
  }
}

function conflictOf(
  ours: StoreRecord,
  theirs: StoreRecord,
  choice: MergeChoice,
  result: StoreRecord,
): NewConflict {
  return {
    profile: ours.profile,
    model: ours.modelName,
    recordId: ours.id,
    partition: ours.partition,
    resolution: result.deleted ? 'deletion-won' : choice === 'ours' ? 'ours-kept' : 'merged',
    ours: versionOf(ours),
    theirs: versionOf(theirs),
    result: result.serialized,
    settled: typeof choice === 'object' && choice.settled === true && !result.deleted,
    transferSessionId: theirs.lastTransferSessionId,
  }
}

function versionOf(record: StoreRecord): ConflictVersion {
  const { lastSavedInstance: instance, lastSavedCounter: counter, serialized, deleted } = record
  return { instance, counter, serialized, deleted }
}

async function writeMerged(
  trx: Kysely<Schema>,
  dialect: Dialect,
  merged: readonly StoreRecord[],
  ids: string,
): Promise<void> {
  await snapshotQueued(trx, dialect, ids)
  await countSaved(trx, dialect, savedVersions(dialect, ids), 'out')
  await insertRows(trx, dialect, STORE_UPSERT, merged.map(recordToRow))
  await countSaved(trx, dialect, savedVersions(dialect, ids), 'in')
  const history = merged.flatMap((record) =>
    Object.entries(record.counters)
      .filter(([instance]) => instance !== record.lastSavedInstance)
      .map(([instance, counter]): SqlValue[] => [record.id, instance, counter, record.partition]),
  )
  await sql`delete from morango_record_max_counter
    where store_id in (select value from ${dialect.list(ids)})`.execute(trx)
  await insertRows(
    trx,
    dialect,
    {
      table: 'morango_record_max_counter',
      columns: ['store_id', 'instance_id', 'counter', 'partition'],
      types: OWN_TYPES,
    },
    history,
  )
  const hardDeleted = merged.filter((record) => record.hardDeleted).map((record) => record.id)
  if (hardDeleted.length > 0) await forgetContent(trx, dialect, JSON.stringify(hardDeleted))
  await markDirtyByIds(trx, dialect, ids)
}

/** SQL condition: the Store's version `s` is in the history of the buffered record `i`, as far as that is believed. */
function incomingCoversStore(dialect: Dialect, trust: HistoryTrust): RawBuilder<boolean> {
  const beyond = (instance: RawBuilder<unknown>, counter: RawBuilder<unknown>): RawBuilder<boolean> =>
    isBeyond(dialect, trust, instance, counter)
  const last = sql`i.last_saved_counter`
  const entry = sql`coalesce(${dialect.numberAt(sql`i.counters`, sql`s.last_saved_instance`)}, 0)`
  return sql<boolean>`(not ${beyond(sql`i.last_saved_instance`, last)}
    and ((i.last_saved_instance = s.last_saved_instance and ${last} >= s.last_saved_counter)
      or (${entry} >= s.last_saved_counter and not ${beyond(sql`s.last_saved_instance`, entry)})))`
}

function rowToRecord(row: RecordRow, profile: string, session: string | null): StoreRecord {
  return {
    id: row.id,
    profile,
    modelName: row.model_name,
    partition: row.partition,
    sourceId: row.source_id,
    serialized: row.serialized,
    conflictingSerializedData: row.conflicting_serialized_data,
    selfRefFk: row.self_ref_fk,
    lastSavedInstance: row.last_saved_instance,
    lastSavedCounter: row.last_saved_counter,
    deleted: row.deleted === 1,
    hardDeleted: row.hard_deleted === 1,
    counters: row.counters === null ? {} : parseCounters(row.counters),
    dirty: false,
    deserializationError: '',
    lastTransferSessionId: session,
  }
}

function recordToRow(record: StoreRecord): SqlValue[] {
  return [
    record.id,
    record.profile,
    record.modelName,
    record.partition,
    record.sourceId,
    record.serialized,
    record.conflictingSerializedData,
    record.selfRefFk,
    record.lastSavedInstance,
    record.lastSavedCounter,
    record.deleted ? 1 : 0,
    record.hardDeleted ? 1 : 0,
    record.lastTransferSessionId,
  ]
}
