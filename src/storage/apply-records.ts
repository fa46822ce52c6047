import { type Kysely, sql } from 'kysely'
import type { CompiledForeignKey, CompiledModel } from '../models/compiled.ts'
import type { EngineContext } from './context.ts'
import { decodeRow, type Row, shapeOf } from './decode-record.ts'
import type { Dialect } from './dialect.ts'
import { clearApplied, type DirtyRecord, type Failure, type Found, keepDirty } from './dirty.ts'
import { foreignKeysOf, type PresentRows, readTargets, type Target, targetFailure } from './references.ts'
import { isolateFaults } from './savepoint.ts'
import type { Schema } from './schema.ts'
import { logChange, untracked } from './tracking.ts'
import { type WaryOf, writeRows } from './write-rows.ts'

/** What was learned from the records of a turn that came before. */
export interface Known {
  readonly present: PresentRows
  readonly wary: WaryOf
}

/**
 * Writes a batch of records of one model into its table (protocol §9). Each that cannot be written (fields,
 * validation, foreign keys, constraints) keeps waiting with its reason. One that refers to a deleted record is
 * not written but deleted in turn, as a local deletion that will travel on.
 */
export async function applyRecords(
  trx: Kysely<Schema>,
  context: EngineContext,
  model: CompiledModel,
  found: Pick<Found<DirtyRecord>, 'records' | 'whole'>,
  { present, wary }: Known,
): Promise<{ written: number; failed: number }> {
  const { dialect } = context.database
  const failures: Failure[] = []
  const rows: Row[] = []
  const shape = shapeOf(model)
  for (const record of found.records) {
    const row = await decodeRow(model, shape, record)
    if ('code' in row) failures.push(row)
    else rows.push(row)
  }
  const { sound, orphaned } = await checkReferences(trx, dialect, model, rows, failures, present)
  const written = await untracked(trx, dialect, () => writeRows(trx, dialect, model, sound, failures, wary))
  if (orphaned.length > 0) present.clear()
  const gone = await deleteOrphans(trx, dialect, model, orphaned, failures)
  const applied = new Set([...written, ...gone])
  await clearApplied(trx, dialect, model, found, applied)
  await keepDirty(trx, dialect, model, failures, context.clock.now().toISOString())
  return { written: written.length, failed: failures.length }
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

interface Orphan {
  readonly id: string
  readonly hard: boolean
}

// Rows come parents first, so a parent in the same batch has been judged before its children.
async function checkReferences(
  trx: Kysely<Schema>,
  dialect: Dialect,
  model: CompiledModel,
  rows: readonly Row[],
  failures: Failure[],
  present: PresentRows,
): Promise<{ sound: Row[]; orphaned: Orphan[] }> {
  const keys = foreignKeysOf(model)
  if (keys.length === 0) return { sound: [...rows], orphaned: [] }
  const references = keys.map((key): Reference => ({ key, at: new Map(), targets: new Map() }))
  for (const reference of references) {
    const ids = new Set<string>()
    for (const row of rows) {
      const target = targetOf(row, reference)
      if (target !== undefined) ids.add(target)
    }
    reference.targets = await readTargets(trx, dialect, reference.key, ids, present)
  }
  const inBatch = new Set<string>()
  const orphans = new Map<string, boolean>()
  const sound: Row[] = []
  const orphaned: Orphan[] = []
  for (const row of rows) {
    const verdict = judge(model, row, references, inBatch, orphans)
    if (verdict === undefined) {
      inBatch.add(row.id)
      sound.push(row)
    } else if ('hard' in verdict) {
      orphans.set(row.id, verdict.hard)
      orphaned.push({ id: row.id, hard: verdict.hard })
    } else {
      failures.push({ id: row.id, ...verdict })
    }
  }
  return { sound, orphaned }
}

function judge(
  model: CompiledModel,
  row: Row,
  references: readonly Reference[],
  inBatch: ReadonlySet<string>,
  orphans: ReadonlyMap<string, boolean>,
): { hard: boolean } | { code: string; message: string } | undefined {
  let failure: { code: string; message: string } | undefined
  let deleted: { hard: boolean } | undefined
  for (const reference of references) {
    const target = targetOf(row, reference)
    if (target === undefined) continue
    const { key } = reference
    const own = key.targetTable === model.table
    if (own && (inBatch.has(target) || target === row.id)) continue
    const orphan = own ? orphans.get(target) : undefined
    const found: Target | undefined =
      orphan === undefined ? reference.targets.get(target) : { kind: 'deleted', hard: orphan }
    if (found?.kind === 'present') continue
    if (found?.kind === 'deleted') deleted = { hard: found.hard || deleted?.hard === true }
    else failure ??= targetFailure(key, target, found)
  }
  return deleted ?? failure
}

async function deleteOrphans(
  trx: Kysely<Schema>,
  dialect: Dialect,
  model: CompiledModel,
  orphaned: readonly Orphan[],
  failures: Failure[],
): Promise<string[]> {
  const refused = new Set<string>()
  await isolateFaults(
    trx,
    dialect,
    orphaned.map(({ id }) => id),
    async (ids) => {
      await sql`delete from ${sql.id(model.table)}
        where id in (select ${sql.raw(model.id.cast('value'))} from ${dialect.list(JSON.stringify(ids))})`.execute(
        trx,
      )
    },
    (id, error) => {
      refused.add(id)
      failures.push({
        id,
        code: 'still-referenced',
        message: `It refers to a deleted record, and its row cannot be deleted: ${error.message}`,
      })
    },
  )
  const gone = orphaned.filter(({ id }) => !refused.has(id))
  for (const { id, hard } of gone) await logChange(trx, model.name, id, hard)
  return gone.map(({ id }) => id)
}
