import { type Kysely, sql } from 'kysely'
import type { Filter } from '../core/filter.ts'
import type { CompiledModel, SqlValue } from '../models/compiled.ts'
import type { SerializeResult, WorkOptions } from '../session/ports.ts'
import { type EngineContext, requireProfile } from './context.ts'
import type { Dialect } from './dialect.ts'
import { type DroppedVersion, type NewConflict, noteConflicts, noteDropped } from './conflict-log.ts'
import { claimOwn, keepHistory } from './counters.ts'
import { requirePlausibleDeletions } from './deletion-brake.ts'
import { clearDirty } from './dirty.ts'
import { forgetSource, noteDeleted } from './deletion-source.ts'
import { releaseDeletions } from './held-deletions.ts'
import type { Stamp } from './instance.ts'
import { foldChangeLog, type KeptPending, pendingRows, pendingUnder, settlePending } from './pending.ts'
import type { InsertTarget } from './insertion.ts'
import { rowColumns } from './row-columns.ts'
import { anyWaitsFor, wakeFor, wakeRefused } from './retry.ts'
import { insertRows } from './rows.ts'
import {
  countSaved,
  forgetEmptyPartitions,
  gatherSavedPartitions,
  type SavedPartitions,
  savedVersions,
} from './saved-partitions.ts'
import { OWN_TYPES, type Schema } from './schema.ts'
import { type Candidate, decide, type MetWaiting, type Outcome, type Stored } from './serialize-decision.ts'
import { forgetContent, historyOf, snapshotQueued } from './snapshot.ts'
import { STORE_REPLACE } from './store-rows.ts'
import type { Turn } from './turn.ts'
import { createTurnSizes } from './turn-size.ts'
import { betweenTurns, type Run } from './turns.ts'

interface SerializeOptions extends WorkOptions {
  readonly profile: string
  readonly filter?: Filter | undefined
  readonly raise: 'always' | 'if-needed'
  /** Only these records, whatever the filter: a part, so that nothing is claimed. */
  readonly only?: readonly string[] | undefined
}

/** Where a serialization has come to: pending records are taken model by model, by id. */
interface Position {
  readonly model: number
  readonly after: string
}

/** As {@link serializeIn}, in turns. */
export async function serialize(
  run: Run,
  context: EngineContext,
  options: SerializeOptions,
): Promise<SerializeResult> {
  let total: SerializeResult = { created: 0, updated: 0, deleted: 0, failed: 0 }
  let { raise } = options
  await context.verifySchema?.()
  const turns = createTurnSizes(context)
  for (let from: Position = { model: 0, after: '' }; ;) {
    const work = { ...options, raise, onProgress: undefined, from, limit: turns.size }
    const stamps = raise === 'always' ? 1 : 0
    const { next, ...part } = await turns.timed(
      () => run((turn) => serializeTurn(turn, context, work), stamps),
      ({ created, updated, deleted, failed }) => created + updated + deleted + failed,
    )
    total = {
      created: total.created + part.created,
      updated: total.updated + part.updated,
      deleted: total.deleted + part.deleted,
      failed: total.failed + part.failed,
    }
    const done = total.created + total.updated + total.deleted + total.failed
    options.onProgress?.({ done, total: undefined })
    if (next === undefined) break
    from = next
    raise = 'if-needed'
    await betweenTurns(options.signal)
  }
  if (options.confirmDeletions === true) await releaseDeletions(context.database.kysely, options.profile)
  return total
}

/**
 * Application rows to Store (protocol §7): every change logged since, of this profile and within the filter.
 * Costs by the number of changes, whatever the size of the tables. Runs in the caller's turn.
 *
 * @param raise `always` raises the counter even with nothing to stamp, as the original does when it serializes;
 *   `if-needed` leaves it alone then (before dequeuing, where the original does not serialize).
 * @throws MorangoError `too-many-deletions` before anything is stamped
 */
export async function serializeIn(
  turn: Turn,
  context: EngineContext,
  options: SerializeOptions,
): Promise<SerializeResult> {
  const all = { ...options, from: { model: 0, after: '' }, limit: Infinity }
  const { next: _, ...result } = await serializeTurn(turn, context, all)
  return result
}

async function serializeTurn(
  turn: Turn,
  context: EngineContext,
  options: SerializeOptions & { readonly from: Position; readonly limit: number },
): Promise<SerializeResult & { readonly next: Position | undefined }> {
  const { trx } = turn
  const { dialect } = context.database
  const { from, limit } = options
  const size = context.sizes.batch
  const profile = requireProfile(context, options.profile)
  if (dialect.sideBySide === undefined) await foldChangeLog(trx, dialect)
  const isFirst = from.model === 0 && from.after === ''
  const braked = isFirst && options.confirmDeletions !== true && options.only === undefined
  if (braked) await requirePlausibleDeletions(trx, context, options)
  let stamp: Stamp | undefined = options.raise === 'always' ? await turn.stamp() : undefined
  const total = { created: 0, updated: 0, deleted: 0, failed: 0 }
  let done = 0
  const touched = new Set<string>()
  let saved: SavedPartitions | undefined
  let next: Position | undefined

  for (const [index, model] of profile.models.entries()) {
    if (index < from.model) continue
    for (let after = index === from.model ? from.after : ''; next === undefined;) {
      options.signal?.throwIfAborted()
      const batch = await readCandidates(trx, dialect, model, options, { after, size })
      const last = batch.at(-1)
      if (last === undefined) break
      after = last.morango_record_id
      stamp ??= await turn.stamp()
      saved ??= gatherSavedPartitions(stamp.instance)
      const outcomes = await writeBatch(turn, context, { model, batch, filter: options.filter, stamp, saved })
      for (const outcome of outcomes) {
        if (outcome.kind === 'created') total.created += 1
        else if (outcome.kind === 'updated') total.updated += 1
        else if (outcome.kind === 'deleted' || outcome.kind === 'hard-deleted') total.deleted += 1
        else if (outcome.kind === 'kept' && outcome.kept.failure !== undefined) total.failed += 1
      }
      done += batch.length
      touched.add(model.name)
      options.onProgress?.({ done, total: undefined })
      if (batch.length < size) break
      if (done >= limit) next = { model: index, after }
    }
  }
  await saved?.flush(trx, dialect)
  await forgetEmptyPartitions(trx)
  for (const model of touched) await wakeRefused(trx, model)
  if (stamp !== undefined && options.only === undefined) await claimOwn(trx, dialect, stamp, options.filter)
  return { ...total, next }
}

async function readCandidates(
  trx: Kysely<Schema>,
  dialect: Dialect,
  model: CompiledModel,
  { filter, only }: Pick<SerializeOptions, 'filter' | 'only'>,
  { after, size }: { readonly after: string; readonly size: number },
): Promise<Candidate[]> {
  const named =
    only === undefined
      ? sql``
      : sql` and p.record_id in (select value from ${dialect.list(JSON.stringify(only))})`
  const result = await sql<Candidate>`
    select p.record_id as morango_record_id, p.hard as morango_hard, ${sql.raw(model.id.read('t.id'))} as morango_row_exists,
      s.id as morango_store_exists,
      ${rowColumns(model)}
    from (select p.record_id, p.hard from ${pendingRows(dialect)} p
      where p.model_name = ${model.name} and p.record_id > ${after} and ${pendingUnder(filter, sql`p.partition`)}${named}
      order by p.record_id limit ${size}) p
    left join ${sql.id(model.table)} t on t.id = ${sql.raw(model.id.cast('p.record_id'))}
    left join morango_store s on s.id = p.record_id
    order by p.record_id`.execute(trx)
  return result.rows
}

async function readStored(
  trx: Kysely<Schema>,
  dialect: Dialect,
  model: CompiledModel,
  batch: readonly Candidate[],
): Promise<Map<string, Stored>> {
  const ids = batch.flatMap((candidate) => candidate.morango_store_exists ?? [])
  if (ids.length === 0) return new Map()
  const result = await sql<Stored>`select s.id, s.partition, s.source_id as "sourceId", s.serialized,
      s.conflicting_serialized_data as conflicting, s.self_ref_fk as "selfRef", s.deleted,
      s.hard_deleted as "hardDeleted", s.model_name as model,
      s.last_transfer_session_id as transfer, d.store_no as dirty, s.last_saved_instance as instance,
      s.last_saved_counter as counter, ${model.noteSums === undefined ? sql`null` : historyOf(dialect, sql`s.id`)} as history
    from morango_store s left join morango_dirty d
      on d.model_name = s.model_name and d.store_no = s.no
    where s.id in (select value from ${dialect.list(JSON.stringify(ids))})`.execute(trx)
  return new Map(result.rows.map((row) => [row.id, row]))
}

async function writeBatch(
  turn: Turn,
  context: EngineContext,
  work: {
    readonly model: CompiledModel
    readonly batch: readonly Candidate[]
    readonly filter: Filter | undefined
    readonly stamp: Stamp
    readonly saved: SavedPartitions
  },
): Promise<Outcome[]> {
  const { trx } = turn
  const { model, batch, filter, stamp, saved } = work
  const { dialect } = context.database
  const stored = await readStored(trx, dialect, model, batch)
  const created: (readonly SqlValue[])[] = []
  const replaced: (readonly SqlValue[])[] = []
  const changed: string[] = []
  const hardDeleted: string[] = []
  const noLongerDirty: string[] = []
  const done: string[] = []
  const gone: string[] = []
  const kept: KeptPending[] = []
  const conflicts: NewConflict[] = []
  const dropped: DroppedVersion[] = []
  const deleted: string[] = []
  const outcomes = batch.map((candidate) => {
    const id = candidate.morango_record_id
    const present = stored.get(id)
    const outcome = decide(model, candidate, present, filter, stamp.instance, context.maxRecordBytes)
    if (outcome.kind === 'kept') {
      kept.push(outcome.kept)
      return outcome
    }
    ;(outcome.kind === 'nothing' && present === undefined ? gone : done).push(id)
    if (outcome.kind === 'nothing') return outcome
    ;(outcome.kind === 'created' ? created : replaced).push(outcome.row.values)
    saved.add({ id, partition: outcome.row.partition }, stamp.counter)
    if (outcome.kind !== 'created') changed.push(id)
    if (outcome.kind === 'deleted' || outcome.kind === 'hard-deleted') deleted.push(id)
    for (const serialized of outcome.dropped ?? []) {
      const { partition, serialized: result } = outcome.row
      const about = { profile: model.profile, model: model.name, recordId: id, partition, stamp }
      dropped.push({ ...about, serialized, result, transferSessionId: null })
    }
    if (outcome.met !== undefined && present !== undefined) {
      conflicts.push(conflictWith(model, present, outcome.met, stamp))
    }
    if (outcome.kind === 'hard-deleted' || outcome.forget === true) hardDeleted.push(id)
    if (present !== undefined && present.dirty !== null && outcome.staysDirty !== true) noLongerDirty.push(id)
    return outcome
  })
  if (changed.length > 0) {
    const ids = JSON.stringify(changed)
    await snapshotQueued(trx, dialect, ids)
    await keepHistory(trx, dialect, ids, stamp.instance)
    await countSaved(trx, dialect, savedVersions(dialect, ids), 'out')
  }
  const target = storeTarget(model, stamp)
  await insertRows(trx, dialect, target, created)
  await insertRows(trx, dialect, { ...target, suffix: STORE_REPLACE }, replaced)
  await saved.settle(trx, dialect)
  if (hardDeleted.length > 0) await forgetContent(trx, dialect, JSON.stringify(hardDeleted))
  await clearDirty(trx, dialect, model, noLongerDirty)
  const now = context.clock.now().toISOString()
  await noteConflicts(trx, dialect, conflicts, now)
  await noteDropped(trx, dialect, dropped, now)
  await noteDeleted(trx, dialect, deleted, stamp)
  const dead = new Set(deleted)
  await forgetSource(
    trx,
    dialect,
    changed.filter((id) => !dead.has(id)),
  )
  if (await anyWaitsFor(trx)) await wakeFor(trx, dialect, [...done, ...gone])
  await settlePending(turn, dialect, { model: model.name, filter, done, gone, kept }, now)
  return outcomes
}

function conflictWith(
  model: CompiledModel,
  { id, partition, serialized, instance, counter, deleted, transfer }: Stored,
  { resolution, edited }: MetWaiting,
  stamp: Stamp,
): NewConflict {
  return {
    profile: model.profile,
    model: model.name,
    recordId: id,
    partition,
    resolution,
    ours: { ...stamp, serialized: edited, deleted: false },
    theirs: { instance, counter, serialized, deleted: deleted === 1 },
    result: resolution === 'edit-kept' ? edited : serialized,
    transferSessionId: transfer,
  }
}

function storeTarget(model: CompiledModel, stamp: Stamp): InsertTarget {
  return {
    table: 'morango_store',
    columns: [
      'id',
      'partition',
      'source_id',
      'serialized',
      'conflicting_serialized_data',
      'self_ref_fk',
      'deleted',
      'hard_deleted',
      'last_transfer_session_id',
    ],
    types: OWN_TYPES,
    constants: {
      profile: model.profile,
      model_name: model.name,
      last_saved_instance: stamp.instance,
      last_saved_counter: stamp.counter,
    },
  }
}
