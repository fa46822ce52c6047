import { type Kysely, sql } from 'kysely'
import type { CompiledForeignKey, CompiledModel, RecordIdentity } from '../models/compiled.ts'
import { deleteRows, foreignRow } from './apply-deletions.ts'
import { readElsewhere } from './content-check.ts'
import type { EngineContext } from './context.ts'
import { decodeRow, type Row, shapeOf } from './decode-record.ts'
import { type Reach, type Reaches, REACHES_FURTHER } from './deletion-reach.ts'
import type { Dialect } from './dialect.ts'
import { clearApplied, type DirtyRecord, type Failure, type Found, keepDirty } from './dirty.ts'
import { noteFallen } from './deletion-source.ts'
import { pendingRows } from './pending.ts'
import { foreignKeysOf, type PresentRows, readTargets, type Target, targetFailure } from './references.ts'
import { anyWaitsFor, wakeFor } from './retry.ts'
import type { Schema } from './schema.ts'
import { logChange, untracked } from './tracking.ts'
import type { Turn } from './turn.ts'
import { type WaryOf, writeRows } from './write-rows.ts'

/** What was learned from the records of a turn that came before. */
export interface Known {
  readonly present: PresentRows
  readonly wary: WaryOf
  readonly reaches: Reaches
}

/**
 * Writes a batch of records of one model into its table (protocol §9). Each that cannot be written (fields, content
 * of another partition, validation, foreign keys, constraints) keeps waiting with its reason. One that refers to a
 * deleted record is not written but deleted in turn, as a local deletion that will travel on, where whoever deleted
 * that record may write it as well.
 */
export async function applyRecords(
  turn: Turn,
  context: EngineContext,
  model: CompiledModel,
  found: Pick<Found<DirtyRecord>, 'records' | 'whole'>,
  known: Known,
): Promise<{ written: number; failed: number }> {
  const { trx } = turn
  const { dialect } = context.database
  const failures: Failure[] = []
  const rows: Row[] = []
  const shape = shapeOf(model)
  for (const record of found.records) {
    const row = await decodeRow(model, shape, record)
    if ('code' in row) failures.push(row)
    else rows.push(row)
  }
  const free = await leaveOthers(trx, dialect, model, rows, failures)
  const { sound, orphaned } = await checkReferences(trx, dialect, model, free, failures, known)
  const { present, wary } = known
  const written = await untracked(trx, dialect, () => writeRows(trx, dialect, model, sound, failures, wary))
  if (orphaned.length > 0) present.clear()
  const gone = await deleteOrphans(turn, context, model, orphaned, failures)
  const applied = new Set([...written, ...gone])
  await clearApplied(trx, dialect, model, found, applied)
  await keepDirty(trx, dialect, model, failures, context.clock.now().toISOString())
  if (await anyWaitsFor(trx)) await wakeFor(trx, dialect, [...applied])
  return { written: written.length, failed: failures.length }
}

// A row that has changes which could not be serialized may be another record's. Nothing else tells: where there are no
// such changes, the row is what the Store says.
async function leaveOthers(
  trx: Kysely<Schema>,
  dialect: Dialect,
  model: CompiledModel,
  rows: readonly Row[],
  failures: Failure[],
): Promise<readonly Row[]> {
  const ids = JSON.stringify(rows.map(({ id }) => id))
  const pending = await sql<{ id: string }>`select p.record_id as id from ${pendingRows(dialect)} p
    where p.model_name = ${model.name} and p.record_id in (select value from ${dialect.list(ids)})`.execute(
    trx,
  )
  if (pending.rows.length === 0) return rows
  const changed = new Set(pending.rows.map(({ id }) => id))
  const labels = rows.flatMap(({ id, label }) => (changed.has(id) ? [label] : []))
  const foreign = await readElsewhere(trx, dialect, model, labels)
  for (const [id, why] of foreign) failures.push(foreignRow(id, why))
  return foreign.size === 0 ? rows : rows.filter(({ id }) => !foreign.has(id))
}

/** One foreign key, and what a batch refers to by it. */
interface Reference {
  readonly key: CompiledForeignKey
  /** The place of its column in rows, by their columns. */
  readonly at: Map<readonly string[], number>
  targets: ReadonlyMap<string, Target>
}

function targetOf(row: Row, { key, at }: Reference): string | undefined {
  let index = at.get(row.columns)
  if (index === undefined) {
    index = row.columns.indexOf(key.column)
    at.set(row.columns, index)
  }
  const target = row.values[index]
  return typeof target === 'string' ? target : undefined
}

/** What a record is deleted for in turn. */
interface Cause {
  readonly hard: boolean
  readonly reach: Reach
}

interface Orphan extends Cause {
  readonly label: RecordIdentity
}

type Verdict = { readonly cause: Cause } | { readonly failure: Omit<Failure, 'id'> } | undefined

// Rows come parents first, so a parent in the same batch has been judged before its children.
async function checkReferences(
  trx: Kysely<Schema>,
  dialect: Dialect,
  model: CompiledModel,
  rows: readonly Row[],
  failures: Failure[],
  { present, reaches }: Known,
): Promise<{ sound: Row[]; orphaned: Orphan[] }> {
  const keys = foreignKeysOf(model)
  if (keys.length === 0) return { sound: [...rows], orphaned: [] }
  const references = keys.map((key): Reference => ({ key, at: new Map(), targets: new Map() }))
  const causes = new Map<string, Cause>()
  for (const reference of references) {
    const ids = new Set<string>()
    for (const row of rows) {
      const target = targetOf(row, reference)
      if (target !== undefined) ids.add(target)
    }
    reference.targets = await readTargets(trx, dialect, reference.key, ids, present)
    for (const [id, target] of reference.targets) {
      if (target.kind !== 'deleted') continue
      causes.set(id, { hard: target.hard, reach: await reaches.of(target.source) })
    }
  }
  const inBatch = new Set<string>()
  const sound: Row[] = []
  const orphaned: Orphan[] = []
  for (const row of rows) {
    const verdict = judge(model, row, references, inBatch, causes)
    if (verdict === undefined) {
      inBatch.add(row.id)
      sound.push(row)
    } else if ('cause' in verdict) {
      causes.set(row.id, verdict.cause)
      orphaned.push({ label: row.label, ...verdict.cause })
    } else {
      failures.push({ id: row.id, ...verdict.failure })
    }
  }
  return { sound, orphaned }
}

function judge(
  model: CompiledModel,
  row: Row,
  references: readonly Reference[],
  inBatch: ReadonlySet<string>,
  causes: ReadonlyMap<string, Cause>,
): Verdict {
  let failure: Omit<Failure, 'id'> | undefined
  let deleted: Cause | undefined
  for (const reference of references) {
    const target = targetOf(row, reference)
    if (target === undefined) continue
    const { key } = reference
    const own = key.targetTable === model.table
    if (own && (inBatch.has(target) || target === row.id)) continue
    const found = reference.targets.get(target)
    if (found?.kind === 'present') continue
    const cause = causes.get(target)
    if (cause === undefined || (found?.kind !== 'deleted' && !own)) {
      failure ??= targetFailure(key, target, found)
    } else if (cause.reach.refusedBy(row.label.partition) === undefined) {
      deleted = { ...cause, hard: cause.hard || deleted?.hard === true }
    } else if (found?.kind !== 'deleted' || !found.stays) {
      failure ??= orphanFailure(key, target, row, cause)
    }
  }
  if (deleted !== undefined) return { cause: deleted }
  return failure === undefined ? undefined : { failure }
}

function orphanFailure(
  key: CompiledForeignKey,
  target: string,
  { label: { partition } }: Row,
  { reach }: Cause,
): Omit<Failure, 'id'> {
  const who = reach.refusedBy(partition) === 'device' ? 'this device' : 'who deleted that'
  return {
    code: REACHES_FURTHER,
    message:
      `${key.column} refers to ${key.targetModel} ${target}, which was deleted, but ${who} may not write this ` +
      `record's partition ("${partition}"). It waits for a version that refers to something else, or is a deletion`,
    waitsFor: target,
  }
}

async function deleteOrphans(
  turn: Turn,
  context: EngineContext,
  model: CompiledModel,
  orphaned: readonly Orphan[],
  failures: Failure[],
): Promise<string[]> {
  const { trx } = turn
  const { dialect } = context.database
  const all: string[] = []
  for (const group of Map.groupBy(orphaned, ({ reach }) => reach).values()) {
    const [first] = group
    if (first === undefined) continue
    const { reach } = first
    const labels = group.map(({ label }) => label)
    const options = { hard: false, reach, last: true }
    const { deleted, failed } = await deleteRows(turn, context, model, labels, options)
    for (const { id, code, message } of failed) {
      failures.push({ id, code, message: `It refers to a deleted record, and its row stays: ${message}` })
    }
    const gone = new Set(deleted)
    for (const { label, hard } of group) {
      if (gone.has(label.id)) await logChange(trx, model.name, label.id, hard)
    }
    await noteFallen(trx, dialect, deleted, reach.transfer)
    all.push(...deleted)
  }
  return all
}
