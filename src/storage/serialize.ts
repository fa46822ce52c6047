import { type Kysely, sql } from 'kysely'
import { filterContains, type Filter } from '../core/filter.ts'
import { isMorangoError } from '../core/errors.ts'
import { mergeObject } from '../core/python-json.ts'
import {
  type CompiledColumn,
  type CompiledModel,
  FieldError,
  type RecordIdentity,
  type SqlValue,
} from '../models/compiled.ts'
import type { SerializeResult, WorkOptions } from '../session/ports.ts'
import { BATCH, type EngineContext, requireProfile } from './context.ts'
import type { Dialect } from './dialect.ts'
import { claimOwn, keepHistory } from './counters.ts'
import { clearDirty } from './dirty.ts'
import { raiseCounter, type Stamp } from './instance.ts'
import { foldChangeLog, type KeptPending, settlePending } from './pending.ts'
import { partitionIn } from './ranges.ts'
import { insertRows, type InsertTarget, quote } from './rows.ts'
import type { Flag, Schema } from './schema.ts'
import { forgetSnapshots, snapshotQueued } from './snapshot.ts'
import { STORE_REPLACE } from './store-rows.ts'

/** One pending record with its application row. */
interface Candidate {
  readonly morango_record_id: string
  readonly morango_hard: Flag
  readonly morango_row_exists: string | null
  readonly morango_store_exists: string | null
  readonly [column: string]: unknown
}

/** What the Store has of a candidate. */
interface Stored {
  readonly id: string
  readonly partition: string
  readonly sourceId: string
  readonly serialized: string
  readonly conflicting: string
  readonly selfRef: string
  readonly deleted: Flag
  readonly hardDeleted: Flag
  readonly transfer: string | null
  readonly dirty: string | null
}

type Outcome =
  | {
      readonly kind: 'created' | 'updated' | 'deleted' | 'hard-deleted'
      readonly row: readonly SqlValue[]
      /** It goes on waiting to be deserialized. */
      readonly staysDirty?: true
      /** What was kept of earlier versions has to go. */
      readonly forget?: boolean
    }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'kept'; readonly kept: KeptPending }

/**
 * Application rows to Store (protocol §7): every change logged since, of this profile and within the filter.
 * Costs by the number of changes, whatever the size of the tables. Runs in the caller's transaction.
 *
 * @param raise `always` raises the counter even with nothing to stamp, as the original does when it serializes;
 *   `if-needed` leaves it alone then (before dequeuing, where the original does not serialize).
 */
export async function serializeIn(
  trx: Kysely<Schema>,
  context: EngineContext,
  options: { profile: string; filter?: Filter | undefined; raise: 'always' | 'if-needed' } & WorkOptions,
): Promise<SerializeResult> {
  const { dialect } = context.database
  const profile = requireProfile(context, options.profile)
  await foldChangeLog(trx, dialect)
  let stamp: Stamp | undefined = options.raise === 'always' ? await raiseCounter(trx) : undefined
  const total = { created: 0, updated: 0, deleted: 0, failed: 0 }
  let done = 0

  for (const model of profile.models) {
    for (let after = ''; ;) {
      options.signal?.throwIfAborted()
      const batch = await readCandidates(trx, model, options.filter, after)
      const last = batch.at(-1)
      if (last === undefined) break
      after = last.morango_record_id
      stamp ??= await raiseCounter(trx)
      const outcomes = await writeBatch(trx, context, model, batch, options.filter, stamp)
      for (const outcome of outcomes) {
        if (outcome.kind === 'created') total.created += 1
        else if (outcome.kind === 'updated') total.updated += 1
        else if (outcome.kind === 'deleted' || outcome.kind === 'hard-deleted') total.deleted += 1
        else if (outcome.kind === 'kept' && outcome.kept.failure !== undefined) total.failed += 1
      }
      done += batch.length
      options.onProgress?.({ done, total: undefined })
      if (batch.length < BATCH) break
    }
  }
  if (stamp !== undefined) await claimOwn(trx, dialect, stamp, options.filter)
  return total
}

async function readCandidates(
  trx: Kysely<Schema>,
  model: CompiledModel,
  filter: Filter | undefined,
  after: string,
): Promise<Candidate[]> {
  const columns: Pick<CompiledColumn, 'name' | 'select'>[] = [...model.columns]
  if (model.sourceIdColumn !== undefined && !columns.some(({ name }) => name === model.sourceIdColumn)) {
    columns.push({ name: model.sourceIdColumn, select: model.sourceIdForm.read })
  }
  const selected = columns.map(({ name, select }) => {
    const column = `t.${quote(name)}`
    const value = select === 'plain' ? column : select === 'text' ? `cast(${column} as text)` : select(column)
    return sql`${sql.raw(value)} as ${sql.id(name)}`
  })
  const within =
    filter === undefined ? sql`1 = 1` : sql`(p.partition is null or ${partitionIn(sql`p.partition`, filter)})`
  const result = await sql<Candidate>`
    select p.record_id as morango_record_id, p.hard as morango_hard, ${sql.raw(model.id.read('t.id'))} as morango_row_exists,
      s.id as morango_store_exists,
      ${sql.join(selected)}
    from morango_pending p
    left join ${sql.id(model.table)} t on t.id = ${sql.raw(model.id.cast('p.record_id'))}
    left join morango_store s on s.id = p.record_id
    where p.model_name = ${model.name} and p.record_id > ${after} and ${within}
    order by p.record_id limit ${BATCH}`.execute(trx)
  return result.rows
}

async function readStored(
  trx: Kysely<Schema>,
  dialect: Dialect,
  batch: readonly Candidate[],
): Promise<Map<string, Stored>> {
  const ids = batch.flatMap((candidate) => candidate.morango_store_exists ?? [])
  if (ids.length === 0) return new Map()
  const result = await sql<Stored>`select s.id, s.partition, s.source_id as "sourceId", s.serialized,
      s.conflicting_serialized_data as conflicting, s.self_ref_fk as "selfRef", s.deleted,
      s.hard_deleted as "hardDeleted",
      s.last_transfer_session_id as transfer, d.id as dirty
    from morango_store s left join morango_dirty d
      on d.model_name = s.model_name and d.partition = s.partition and d.id = s.id
    where s.id in (select value from ${dialect.list(JSON.stringify(ids))})`.execute(trx)
  return new Map(result.rows.map((row) => [row.id, row]))
}

async function writeBatch(
  trx: Kysely<Schema>,
  context: EngineContext,
  model: CompiledModel,
  batch: readonly Candidate[],
  filter: Filter | undefined,
  stamp: Stamp,
): Promise<Outcome[]> {
  const { dialect } = context.database
  const stored = await readStored(trx, dialect, batch)
  const created: (readonly SqlValue[])[] = []
  const replaced: (readonly SqlValue[])[] = []
  const changed: string[] = []
  const hardDeleted: string[] = []
  const noLongerDirty: string[] = []
  const done: string[] = []
  const kept: KeptPending[] = []
  const outcomes = batch.map((candidate) => {
    const id = candidate.morango_record_id
    const present = stored.get(id)
    const outcome = decide(model, candidate, present, filter)
    if (outcome.kind === 'kept') {
      kept.push(outcome.kept)
      return outcome
    }
    done.push(id)
    if (outcome.kind === 'nothing') return outcome
    ;(outcome.kind === 'created' ? created : replaced).push(outcome.row)
    if (outcome.kind !== 'created') changed.push(id)
    if (outcome.kind === 'hard-deleted' || outcome.forget === true) hardDeleted.push(id)
    if (present !== undefined && present.dirty !== null && outcome.staysDirty !== true) noLongerDirty.push(id)
    return outcome
  })
  if (changed.length > 0) {
    const ids = JSON.stringify(changed)
    await snapshotQueued(trx, dialect, ids)
    await keepHistory(trx, dialect, ids, stamp.instance)
  }
  const target = storeTarget(model, stamp)
  await insertRows(trx, dialect, target, created)
  await insertRows(trx, dialect, { ...target, suffix: STORE_REPLACE }, replaced)
  if (hardDeleted.length > 0) await forgetSnapshots(trx, dialect, JSON.stringify(hardDeleted))
  await clearDirty(trx, dialect, model, noLongerDirty)
  await settlePending(trx, dialect, model.name, done, kept, context.clock.now().toISOString())
  return outcomes
}

function decide(
  model: CompiledModel,
  candidate: Candidate,
  stored: Stored | undefined,
  filter: Filter | undefined,
): Outcome {
  const recordId = candidate.morango_record_id
  if (candidate.morango_row_exists === null) return decideGone(candidate, stored, filter)
  let partition = stored?.partition ?? null
  try {
    const identity = model.identify(candidate)
    partition = identity.partition
    if (filter !== undefined && !filterContains(filter, partition)) {
      return { kind: 'kept', kept: { recordId, partition, failure: undefined } }
    }
    const selfRef = model.selfReference === undefined ? '' : textOrEmpty(candidate[model.selfReference])
    if (stored === undefined) {
      return { kind: 'created', row: storeRow(identity, model.encodeText(candidate, identity), { selfRef }) }
    }
    requireSameIdentity(stored, identity)
    // Deleted hard and created again since: nothing of what it was may be left.
    if (candidate.morango_hard === 1) {
      const row = storeRow(identity, model.encodeText(candidate, identity), { selfRef })
      return { kind: 'updated', row, forget: true }
    }
    const serialized = mergeObject(stored.serialized, model.encode(candidate, identity))
    if (stored.deleted === 1 && stored.dirty !== null) return editedTooLate(identity, stored, serialized)
    const conflicting =
      stored.dirty === null ? stored.conflicting : `${stored.serialized}\n${stored.conflicting}`
    return { kind: 'updated', row: storeRow(identity, serialized, { conflicting, selfRef }) }
  } catch (error) {
    return { kind: 'kept', kept: { recordId, partition, failure: failureOf(error) } }
  }
}

function decideGone(candidate: Candidate, stored: Stored | undefined, filter: Filter | undefined): Outcome {
  if (stored === undefined) return { kind: 'nothing' }
  const { id, partition, sourceId, selfRef, transfer } = stored
  if (filter !== undefined && !filterContains(filter, partition)) {
    return { kind: 'kept', kept: { recordId: id, partition, failure: undefined } }
  }
  const identity = { id, sourceId, partition }
  return candidate.morango_hard === 1 || stored.hardDeleted === 1
    ? { kind: 'hard-deleted', row: storeRow(identity, '{}', { selfRef, transfer, deleted: 1, hard: 1 }) }
    : {
        kind: 'deleted',
        row: storeRow(identity, stored.serialized, {
          conflicting: stored.conflicting,
          selfRef,
          transfer,
          deleted: 1,
        }),
      }
}

/**
 * The row is still there because a deletion that has arrived is not applied yet. As in any conflict of the two,
 * the deletion wins, and the edit goes to the conflicting data.
 */
function editedTooLate(identity: RecordIdentity, stored: Stored, edited: string): Outcome {
  const { serialized, selfRef, transfer, hardDeleted: hard } = stored
  const conflicting = hard === 1 ? '' : `${edited}\n${stored.conflicting}`
  const row = storeRow(identity, serialized, { conflicting, selfRef, transfer, deleted: 1, hard })
  return { kind: 'updated', row, staysDirty: true }
}

function requireSameIdentity(stored: Stored, identity: RecordIdentity): void {
  if (stored.partition === identity.partition && stored.sourceId === identity.sourceId) return
  const what = stored.partition === identity.partition ? 'source id' : 'partition'
  throw new FieldError(
    'identity-changed',
    `The ${what} of a record cannot change after it was created. Delete the row and create another one instead.`,
  )
}

function storeRow(
  identity: RecordIdentity,
  serialized: string,
  rest: { conflicting?: string; selfRef: string; deleted?: Flag; hard?: Flag; transfer?: string | null },
): readonly SqlValue[] {
  return [
    identity.id,
    identity.partition,
    identity.sourceId,
    serialized,
    rest.conflicting ?? '',
    rest.selfRef,
    rest.deleted ?? 0,
    rest.hard ?? 0,
    rest.transfer ?? null,
  ]
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
    constants: {
      profile: model.profile,
      model_name: model.name,
      last_saved_instance: stamp.instance,
      last_saved_counter: stamp.counter,
    },
  }
}

function textOrEmpty(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

// A hook or a stored JSON text that cannot be read fails its own record only; anything else is no row's fault.
function failureOf(error: unknown): { code: string; message: string } {
  if (error instanceof FieldError) return { code: error.code, message: error.message }
  if (isMorangoError(error)) return { code: error.code, message: error.message }
  if (error instanceof Error)
    return { code: 'hook-failed', message: `A function of the model threw: ${error.message}` }
  return { code: 'hook-failed', message: 'A function of the model threw.' }
}
