import { type Kysely, sql } from 'kysely'
import { filterContains, type Filter } from '../core/filter.ts'
import { isMorangoError, MorangoError } from '../core/errors.ts'
import { joinObject, mergeObject } from '../core/python-json.ts'
import { type CompiledModel, FieldError, type RecordIdentity, type SqlValue } from '../models/compiled.ts'
import type { SerializeResult, WorkOptions } from '../session/ports.ts'
import { BATCH, type EngineContext } from './context.ts'
import { claimOwn, keepHistory } from './counters.ts'
import { raiseCounter, type Stamp } from './instance.ts'
import { foldChangeLog, type KeptPending, settlePending } from './pending.ts'
import { partitionIn } from './ranges.ts'
import { insertRows } from './rows.ts'
import type { Flag, Schema } from './schema.ts'
import { forgetSnapshots, snapshotQueued } from './snapshot.ts'
import { STORE_UPSERT } from './store-rows.ts'

/** One pending record with its application row and its Store record, as one row of the database. */
interface Candidate {
  readonly morango_record_id: string
  readonly morango_hard: Flag
  readonly morango_row_exists: string | null
  readonly morango_store_exists: string | null
  readonly morango_partition: string | null
  readonly morango_source: string | null
  readonly morango_serialized: string | null
  readonly morango_conflicting: string | null
  readonly morango_self_ref: string | null
  readonly morango_hard_deleted: Flag | null
  readonly morango_transfer: string | null
  readonly morango_dirty: string | null
  readonly [column: string]: unknown
}

type Outcome =
  | { readonly kind: 'created' | 'updated' | 'deleted' | 'hard-deleted'; readonly row: readonly SqlValue[] }
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
  const profile = context.profiles.get(options.profile)
  if (profile === undefined) {
    throw new MorangoError('unknown-profile', `There is no profile "${options.profile}" here.`)
  }
  await foldChangeLog(trx, dialect)
  let stamp: Stamp | undefined = options.raise === 'always' ? await raiseCounter(trx) : undefined
  const total = { created: 0, updated: 0, deleted: 0, failed: 0 }
  let done = 0

  for (const model of profile.models) {
    for (let after = ''; ; ) {
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
  const columns = [...model.columns.map((column) => ({ name: column.name, text: column.select === 'text' }))]
  if (model.sourceIdColumn !== undefined && !columns.some(({ name }) => name === model.sourceIdColumn)) {
    columns.push({ name: model.sourceIdColumn, text: false })
  }
  const selected = columns.map(({ name, text }) =>
    text ? sql`cast(t.${sql.id(name)} as text) as ${sql.id(name)}` : sql`t.${sql.id(name)} as ${sql.id(name)}`,
  )
  const within =
    filter === undefined ? sql`1 = 1` : sql`(p.partition is null or ${partitionIn(sql`p.partition`, filter)})`
  const result = await sql<Candidate>`
    select p.record_id as morango_record_id, p.hard as morango_hard, t.id as morango_row_exists,
      s.id as morango_store_exists, s.partition as morango_partition, s.source_id as morango_source,
      s.serialized as morango_serialized, s.conflicting_serialized_data as morango_conflicting,
      s.self_ref_fk as morango_self_ref, s.hard_deleted as morango_hard_deleted,
      s.last_transfer_session_id as morango_transfer, d.id as morango_dirty,
      ${sql.join(selected)}
    from morango_pending p
    left join ${sql.id(model.table)} t on t.id = p.record_id
    left join morango_store s on s.id = p.record_id
    left join morango_dirty d on d.id = p.record_id
    where p.model_name = ${model.name} and p.record_id > ${after} and ${within}
    order by p.record_id limit ${BATCH}`.execute(trx)
  return result.rows
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
  const rows: (readonly SqlValue[])[] = []
  const changed: string[] = []
  const hardDeleted: string[] = []
  const noLongerDirty: string[] = []
  const done: string[] = []
  const kept: KeptPending[] = []
  const outcomes = batch.map((candidate) => {
    const outcome = decide(model, candidate, filter, stamp)
    const id = candidate.morango_record_id
    if (outcome.kind === 'kept') {
      kept.push(outcome.kept)
      return outcome
    }
    done.push(id)
    if (outcome.kind === 'nothing') return outcome
    rows.push(outcome.row)
    if (outcome.kind !== 'created') changed.push(id)
    if (outcome.kind === 'hard-deleted') hardDeleted.push(id)
    if (candidate.morango_dirty !== null) noLongerDirty.push(id)
    return outcome
  })
  if (changed.length > 0) {
    const ids = JSON.stringify(changed)
    await snapshotQueued(trx, dialect, ids)
    await keepHistory(trx, dialect, ids, stamp.instance)
  }
  await insertRows(trx, dialect, STORE_UPSERT, rows)
  if (hardDeleted.length > 0) await forgetSnapshots(trx, dialect, JSON.stringify(hardDeleted))
  if (noLongerDirty.length > 0) {
    await sql`delete from morango_dirty
      where id in (select value from ${dialect.list(JSON.stringify(noLongerDirty))})`.execute(trx)
  }
  await settlePending(trx, dialect, model.name, done, kept, context.clock.now().toISOString())
  return outcomes
}

function decide(model: CompiledModel, candidate: Candidate, filter: Filter | undefined, stamp: Stamp): Outcome {
  const recordId = candidate.morango_record_id
  const stored = storedRecord(candidate)
  if (candidate.morango_row_exists === null) {
    if (stored === undefined) return { kind: 'nothing' }
    if (filter !== undefined && !filterContains(filter, stored.partition)) {
      return { kind: 'kept', kept: { recordId, partition: stored.partition, failure: undefined } }
    }
    const hard = candidate.morango_hard === 1 || candidate.morango_hard_deleted === 1
    const content = hard
      ? { serialized: '{}', conflicting: '' }
      : { serialized: stored.serialized, conflicting: stored.conflicting }
    const identity = { id: recordId, sourceId: stored.sourceId, partition: stored.partition }
    const row = storeRow(model, identity, { ...content, selfRef: stored.selfRef, deleted: 1, hard: hard ? 1 : 0, transfer: candidate.morango_transfer }, stamp)
    return { kind: hard ? 'hard-deleted' : 'deleted', row }
  }
  let partition = stored?.partition ?? null
  try {
    const identity = model.identify(candidate)
    partition = identity.partition
    if (filter !== undefined && !filterContains(filter, identity.partition)) {
      return { kind: 'kept', kept: { recordId, partition, failure: undefined } }
    }
    if (stored !== undefined && (stored.partition !== partition || stored.sourceId !== identity.sourceId)) {
      throw new FieldError(
        'identity-changed',
        `The ${stored.partition !== partition ? 'partition' : 'source id'} of a record cannot change after it was created. ` +
          'Delete the row and create another one instead.',
      )
    }
    const fields = model.encode(candidate, identity)
    const serialized =
      stored === undefined ? joinObject(fields) : mergeObject(stored.serialized, fields)
    const conflicting =
      stored === undefined
        ? ''
        : candidate.morango_dirty === null
          ? stored.conflicting
          : `${stored.serialized}\n${stored.conflicting}`
    const selfRef = model.selfReference === undefined ? '' : textOrEmpty(candidate[model.selfReference])
    const row = storeRow(model, identity, { serialized, conflicting, selfRef, deleted: 0, hard: 0, transfer: null }, stamp)
    return { kind: stored === undefined ? 'created' : 'updated', row }
  } catch (error) {
    return { kind: 'kept', kept: { recordId, partition, failure: failureOf(error) } }
  }
}

function storedRecord(candidate: Candidate):
  | { partition: string; sourceId: string; serialized: string; conflicting: string; selfRef: string }
  | undefined {
  if (candidate.morango_store_exists === null) return undefined
  return {
    partition: candidate.morango_partition ?? '',
    sourceId: candidate.morango_source ?? '',
    serialized: candidate.morango_serialized ?? '',
    conflicting: candidate.morango_conflicting ?? '',
    selfRef: candidate.morango_self_ref ?? '',
  }
}

function storeRow(
  model: CompiledModel,
  identity: RecordIdentity,
  content: { serialized: string; conflicting: string; selfRef: string; deleted: Flag; hard: Flag; transfer: string | null },
  stamp: Stamp,
): readonly SqlValue[] {
  return [
    identity.id,
    model.profile,
    model.name,
    identity.partition,
    identity.sourceId,
    content.serialized,
    content.conflicting,
    content.selfRef,
    stamp.instance,
    stamp.counter,
    content.deleted,
    content.hard,
    content.transfer,
  ]
}

function textOrEmpty(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

// A hook or a stored JSON text that cannot be read fails its own record only; anything else is no row's fault.
function failureOf(error: unknown): { code: string; message: string } {
  if (error instanceof FieldError) return { code: error.code, message: error.message }
  if (isMorangoError(error)) return { code: error.code, message: error.message }
  if (error instanceof Error) return { code: 'hook-failed', message: `A function of the model threw: ${error.message}` }
  return { code: 'hook-failed', message: 'A function of the model threw.' }
}

