import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Filter } from '../core/filter.ts'
import { parseFsicV1, parseFsicV2 } from '../core/fsic-text.ts'
import { expandFsic } from '../core/fsic-v2.ts'
import { mergeRecords, type StoreRecord } from '../core/merge.ts'
import type { SqlValue } from '../models/compiled.ts'
import type { DequeueResult, FsicFormat, TransferContext, WorkOptions } from '../session/ports.ts'
import { BATCH, type EngineContext } from './context.ts'
import { type Claim, learnClaims, raiseHistory } from './counters.ts'
import type { Dialect } from './dialect.ts'
import { countIncoming, movedRecord } from './incoming.ts'
import { raiseCounter, type Stamp } from './instance.ts'
import { chooseContent } from './merge-hook.ts'
import { parseCounters } from './outgoing.ts'
import { renewIfRestored } from './restored.ts'
import { deleteTransferRows, insertRows } from './rows.ts'
import { countSaved, forgetEmptyPartitions, savedVersions } from './saved-partitions.ts'
import type { Schema } from './schema.ts'
import { serializeIn } from './serialize.ts'
import { forgetSnapshots, historyOf, snapshotQueued } from './snapshot.ts'
import { type RecordRow, STORE_COLUMNS, STORE_REPLACE, STORE_UPSERT } from './store-rows.ts'

/**
 * Incoming Buffer to Store (protocol §8), in the caller's transaction: pending local changes are serialized
 * first, so that an edit not yet serialized is a conflict like any other; what is known already is dropped;
 * conflicts are merged one by one; the rest, new or fast-forward, is taken over by set. Then the producer's
 * counters are learned (§6). Touches this transfer's Buffer alone.
 */
export async function dequeueIn(
  trx: Kysely<Schema>,
  context: EngineContext,
  options: TransferContext & { producerFsic: string; format: FsicFormat } & WorkOptions,
): Promise<DequeueResult> {
  const { dialect } = context.database
  const session = options.transferSessionId
  await renewIfRestored(trx, context, options.producerFsic, options.format)
  const received = await countIncoming(trx, session)
  let result: DequeueResult = { created: 0, fastForwarded: 0, known: 0, conflicts: 0 }
  if (received > 0) {
    await serializeIn(trx, context, { ...options, raise: 'if-needed', onProgress: undefined })
    const stamp = await raiseCounter(trx)
    await refuseMoved(trx, session)
    const known = await dropKnown(trx, session)
    const conflicts = await mergeConflicts(trx, context, options, stamp)
    const fastForwarded = await countPresent(trx, session)
    await takeOver(trx, dialect, options, fastForwarded)
    await forgetEmptyPartitions(trx)
    await deleteTransferRows(trx, 'morango_incoming', session)
    result = { created: received - known - conflicts - fastForwarded, fastForwarded, known, conflicts }
    options.onProgress?.({ done: received, total: received })
  }
  await learnClaims(trx, dialect, claimsOf(options.producerFsic, options.filter, options.format))
  return result
}

/** The producer's claims as a receiver takes them over (protocol §6): v2 in the expanded form. */
function claimsOf(fsic: string, filter: Filter, format: FsicFormat): Claim[] {
  if (format === 'v1') {
    const counters = Object.entries(parseFsicV1(fsic))
    return filter.flatMap((partition) =>
      counters.map(([instance, counter]) => ({ partition, instance, counter })),
    )
  }
  return Object.entries(expandFsic(parseFsicV2(fsic), filter)).flatMap(([partition, counters]) =>
    Object.entries(counters).map(([instance, counter]) => ({ partition, instance, counter })),
  )
}

/** SQL condition: the Store's version `s` is in the history of the buffered record `i`. */
function incomingCoversStore(dialect: Dialect): RawBuilder<boolean> {
  return sql<boolean>`((i.last_saved_instance = s.last_saved_instance and i.last_saved_counter >= s.last_saved_counter)
    or coalesce(${dialect.numberAt(sql`i.counters`, sql`s.last_saved_instance`)}, 0) >= s.last_saved_counter)`
}

// The same check as at a chunk's arrival, for records that have become known since.
async function refuseMoved(trx: Kysely<Schema>, session: string): Promise<void> {
  const moved = await sql<{
    id: string
  }>`select i.id from morango_incoming i join morango_store s on s.id = i.id
    where i.transfer_session_id = ${session} and (s.partition <> i.partition or s.model_name <> i.model_name
      or s.source_id <> i.source_id) limit 1`.execute(trx)
  const id = moved.rows[0]?.id
  if (id !== undefined) throw movedRecord(id)
}

// Reverse fast-forward: our history has the buffered version, so ours is the same or later.
async function dropKnown(trx: Kysely<Schema>, session: string): Promise<number> {
  const result = await sql`delete from morango_incoming as i
    where i.transfer_session_id = ${session} and (
      exists (select 1 from morango_store s where s.id = i.id
        and s.last_saved_instance = i.last_saved_instance and s.last_saved_counter >= i.last_saved_counter)
      or exists (select 1 from morango_record_max_counter r where r.store_id = i.id
        and r.instance_id = i.last_saved_instance and r.counter >= i.last_saved_counter))`.execute(trx)
  return Number(result.numAffectedRows ?? 0n)
}

// Neither history has the other's version. Each is decided by core's mergeRecords and stamped as ours.
async function mergeConflicts(
  trx: Kysely<Schema>,
  context: EngineContext,
  options: TransferContext & WorkOptions,
  stamp: Stamp,
): Promise<number> {
  const { dialect } = context.database
  const session = options.transferSessionId
  let count = 0
  for (let after = ''; ;) {
    options.signal?.throwIfAborted()
    const found = await sql<{ id: string }>`select i.id from morango_incoming i
      join morango_store s on s.id = i.id
      where i.transfer_session_id = ${session} and i.id > ${after} and not ${incomingCoversStore(dialect)}
      order by i.id limit ${BATCH}`.execute(trx)
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
    const merged = ours.rows.map((row, index) => {
      const other = theirs.rows[index]
      if (other === undefined || other.id !== row.id) throw new Error('conflicting records do not line up')
      const local = rowToRecord(row, row.profile, null)
      const incoming = rowToRecord(other, options.profile, session)
      return mergeRecords(local, incoming, stamp, chooseContent(context, local, incoming))
    })
    await writeMerged(trx, dialect, merged, ids)
    await sql`delete from morango_incoming where transfer_session_id = ${session}
      and id in (select value from ${dialect.list(ids)})`.execute(trx)
  }
}

async function writeMerged(
  trx: Kysely<Schema>,
  dialect: Dialect,
  merged: readonly StoreRecord[],
  ids: string,
): Promise<void> {
  await snapshotQueued(trx, dialect, ids)
  await countSaved(trx, savedVersions(dialect, ids), 'out')
  await insertRows(trx, dialect, STORE_UPSERT, merged.map(recordToRow))
  await countSaved(trx, savedVersions(dialect, ids), 'in')
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
    { table: 'morango_record_max_counter', columns: ['store_id', 'instance_id', 'counter', 'partition'] },
    history,
  )
  const hardDeleted = merged.filter((record) => record.hardDeleted).map((record) => record.id)
  if (hardDeleted.length > 0) await forgetSnapshots(trx, dialect, JSON.stringify(hardDeleted))
  await markDirty(
    trx,
    sql`select s.model_name, s.no, s.deleted from morango_store s where s.id in (select value from ${dialect.list(ids)})`,
  )
}

// What is left in the Buffer is new or has our version in its history: taken over whole.
async function takeOver(
  trx: Kysely<Schema>,
  dialect: Dialect,
  options: TransferContext,
  present: number,
): Promise<void> {
  const session = options.transferSessionId
  if (present > 0) {
    const replaced = sql`select s.last_saved_instance, s.partition from morango_incoming i
      join morango_store s on s.id = i.id where i.transfer_session_id = ${session}`
    await countSaved(trx, replaced, 'out')
  }
  const arriving = sql`select i.last_saved_instance, i.partition from morango_incoming i
    where i.transfer_session_id = ${session}`
  await countSaved(trx, arriving, 'in')
  const queued = await sql<{ id: string }>`select i.id from morango_outgoing o
    join morango_store s on s.no = o.store_no
    join morango_incoming i on i.id = s.id and i.transfer_session_id = ${session}`.execute(trx)
  if (queued.rows.length > 0) {
    await snapshotQueued(trx, dialect, JSON.stringify(queued.rows.map((row) => row.id)))
  }
  const columns = STORE_COLUMNS.map((name) =>
    name === 'profile'
      ? sql`${options.profile}`
      : name === 'last_transfer_session_id'
        ? sql`${session}`
        : sql`i.${sql.id(name)}`,
  )
  await sql`insert into morango_store (${sql.join(STORE_COLUMNS.map((name) => sql.id(name)))})
    select ${sql.join(columns)} from morango_incoming i where i.transfer_session_id = ${session}
    order by i.id ${sql.raw(STORE_REPLACE)}`.execute(trx)
  await sql`insert into morango_record_max_counter (store_id, instance_id, counter, partition)
    select i.id, m.key, cast(m.value as integer), i.partition
    from morango_incoming i, ${dialect.members(sql`i.counters`)} m
    where i.transfer_session_id = ${session} and i.counters is not null
    on conflict (store_id, instance_id) do update set counter = ${raiseHistory(dialect)}`.execute(trx)
  // The last-saved pair stands in the Store; an entry of the same instance is older than it.
  await sql`delete from morango_record_max_counter where (store_id, instance_id) in (
    select i.id, i.last_saved_instance from morango_incoming i
    where i.transfer_session_id = ${session} and i.counters is not null)`.execute(trx)
  await sql`delete from morango_outgoing_snapshot where store_id in (select i.id from morango_incoming i
    where i.transfer_session_id = ${session} and i.hard_deleted = 1)`.execute(trx)
  await markDirty(
    trx,
    sql`select i.model_name, s.no, i.deleted from morango_incoming i join morango_store s on s.id = i.id
      where i.transfer_session_id = ${session}`,
  )
}

async function markDirty(trx: Kysely<Schema>, records: RawBuilder<unknown>): Promise<void> {
  await sql`insert into morango_dirty (model_name, store_no, deleted, tries)
    select x.model_name, x.no, x.deleted, 0 from (${records}) x where 1 = 1 order by x.model_name, x.no
    on conflict (model_name, store_no) do update set deleted = excluded.deleted, error_code = null, error_message = null, first_failed_at = null,
      last_failed_at = null, tries = 0`.execute(trx)
}

async function countPresent(trx: Kysely<Schema>, session: string): Promise<number> {
  const result = await sql<{ count: number }>`select count(*) as count from morango_incoming i
    where i.transfer_session_id = ${session} and exists (select 1 from morango_store s where s.id = i.id)`.execute(
    trx,
  )
  return Number(result.rows[0]?.count ?? 0)
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
