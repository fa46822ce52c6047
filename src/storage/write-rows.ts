import type { Kysely } from 'kysely'
import type { CompiledModel } from '../models/compiled.ts'
import { ContentElsewhere, requireContent } from './content-check.ts'
import { CONTENT_ELSEWHERE, type Row } from './decode-record.ts'
import type { Dialect } from './dialect.ts'
import type { Failure } from './dirty.ts'
import { isolateFaults, type Suspects, tryRows } from './savepoint.ts'
import type { Schema } from './schema.ts'
import { findClashes, repeatedIn } from './unique-clashes.ts'
import { AT_ONCE, upsertRows, upsertSound } from './upsert-rows.ts'

/** The models of which the database has refused rows lately: where some are bad, others are likely to be. */
export type WaryOf = Set<string>

/**
 * Writes rows, those of them that the database takes, in the order given as far as it matters. What cannot be
 * written is added to `failures`.
 *
 * @returns the ids of the rows written
 */
export async function writeRows(
  trx: Kysely<Schema>,
  dialect: Dialect,
  model: CompiledModel,
  rows: readonly Row[],
  failures: Failure[],
  wary: WaryOf,
): Promise<string[]> {
  const written: string[] = []
  for (const group of groupByColumns(rows)) {
    const refused = await writeGroup(trx, dialect, model, group, wary)
    for (const row of group) {
      const failure = refused.get(row.id)
      if (failure === undefined) written.push(row.id)
      else failures.push(failure)
    }
  }
  return written
}

type Refused = Map<string, Failure>

async function writeGroup(
  trx: Kysely<Schema>,
  dialect: Dialect,
  model: CompiledModel,
  rows: readonly Row[],
  wary: WaryOf,
): Promise<Refused> {
  if (!wary.has(model.name)) {
    const error = await tryRows(trx, dialect, () => writeChecked(trx, dialect, model, rows))
    if (error === undefined) return new Map()
  }
  const left = await writeSound(trx, dialect, model, rows)
  const refused = left.length === 0 ? new Map() : await writeSome(trx, dialect, model, left)
  if (refused.size > 0) wary.add(model.name)
  else wary.delete(model.name)
  return refused
}

async function writeChecked(
  trx: Kysely<Schema>,
  dialect: Dialect,
  model: CompiledModel,
  rows: readonly Row[],
): Promise<void> {
  await upsertRows(trx, dialect, model, rows)
  await requireContent(trx, dialect, model, rows)
}

// What the database leaves out is returned; where a row it takes is not what it should be, all of them are.
async function writeSound(
  trx: Kysely<Schema>,
  dialect: Dialect,
  model: CompiledModel,
  rows: readonly Row[],
): Promise<readonly Row[]> {
  let left: readonly Row[] = rows
  const error = await tryRows(trx, dialect, async () => {
    left = await upsertSound(trx, dialect, model, rows)
    const missing = new Set(left.map(({ id }) => id))
    await requireContent(
      trx,
      dialect,
      model,
      rows.filter(({ id }) => !missing.has(id)),
    )
  })
  return error === undefined ? left : rows
}

/**
 * Writes those of the rows that can be. What is in the way of unique keys is found by a query; what then is still
 * refused, by halving. A clash with a row that is to be written as well may be none by then, so that row goes first.
 */
async function writeSome(
  trx: Kysely<Schema>,
  dialect: Dialect,
  model: CompiledModel,
  rows: readonly Row[],
): Promise<Refused> {
  const refused: Refused = new Map()
  const ids = new Set(rows.map(({ id }) => id))
  const waiting = repeatedIn(model, rows)
  for (const { id, columns, other } of await findClashes(trx, dialect, model, rows)) {
    if (ids.has(other)) waiting.add(id)
    else refused.set(id, clashFailure(model, id, columns, other))
  }
  const rest = rows.filter(({ id }) => !refused.has(id) && !waiting.has(id))
  const later = rows.filter(({ id }) => !refused.has(id) && waiting.has(id))
  // Where rows refer to each other parents have to come first, whatever else.
  if (model.selfReference !== undefined || rest.length === rows.length || later.length === rows.length) {
    await halve(
      trx,
      dialect,
      model,
      rows.filter(({ id }) => !refused.has(id)),
      refused,
    )
    return refused
  }
  await halve(trx, dialect, model, rest, refused)
  if (later.length > 0) {
    for (const [id, failure] of await writeSome(trx, dialect, model, later)) refused.set(id, failure)
  }
  return refused
}

async function halve(
  trx: Kysely<Schema>,
  dialect: Dialect,
  model: CompiledModel,
  rows: readonly Row[],
  refused: Refused,
): Promise<void> {
  const write = async (some: readonly Row[]): Promise<void> => await writeChecked(trx, dialect, model, some)
  const failed = ({ id }: Row, error: Error): void => {
    const elsewhere = error instanceof ContentElsewhere ? error.reasons.get(id) : undefined
    if (elsewhere !== undefined) {
      refused.set(id, { id, code: CONTENT_ELSEWHERE, message: elsewhere })
      return
    }
    const code = dialect.isUniqueFault(error) ? 'unique' : 'constraint'
    refused.set(id, { id, code, message: `The database refused the row: ${error.message}` })
  }
  const { faultyIds } = dialect
  if (faultyIds !== undefined && model.selfReference === undefined) {
    const suspectsOf: Suspects<Row> = (error, some) => {
      if (error instanceof ContentElsewhere) return some.filter(({ id }) => error.reasons.has(id))
      const ids = faultyIds(
        error,
        some.map(({ id }) => id),
      )
      return some.filter(({ id }) => ids.has(id))
    }
    await isolateFaults(trx, dialect, rows, write, failed, suspectsOf)
    return
  }
  for (let from = 0; from < rows.length; from += AT_ONCE) {
    await isolateFaults(trx, dialect, rows.slice(from, from + AT_ONCE), write, failed)
  }
}

function clashFailure(model: CompiledModel, id: string, columns: readonly string[], other: string): Failure {
  const what = columns.length === 1 ? `Its ${columns[0]} is` : `Its ${columns.join(', ')} are`
  return { id, code: 'unique', message: `${what} taken: ${model.name} ${other} has the same.` }
}

// Neighbours with the same columns share a statement; parents still come before their children.
function groupByColumns(rows: readonly Row[]): Row[][] {
  const groups: Row[][] = []
  let columns: readonly string[] | undefined
  for (const row of rows) {
    if (row.columns !== columns && row.columns.join('\n') !== columns?.join('\n')) groups.push([])
    columns = row.columns
    groups.at(-1)?.push(row)
  }
  return groups
}
