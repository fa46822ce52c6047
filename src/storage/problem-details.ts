import { sql } from 'kysely'
import { MorangoError } from '../core/errors.ts'
import type { CompiledForeignKey, CompiledModel } from '../models/compiled.ts'
import type { EngineContext } from './context.ts'
import { decodeRow, type Row, shapeOf } from './decode-record.ts'
import type { Database } from './dialect.ts'
import { type Problem, readProblems } from './problems.ts'
import { foreignKeysOf, readTargets } from './references.ts'
import { ID_TAKEN, readAside } from './set-aside.ts'
import { findClashes } from './unique-clashes.ts'

/** Values of a row by column, as the database gives them. */
export type RowValues = Readonly<Record<string, unknown>>

/** What a record refers to and cannot find. */
export interface MissingParent {
  readonly column: string
  readonly model: string
  readonly id: string
  /** Whether it has arrived and waits itself, was deleted, or was never here. */
  readonly state: 'waits' | 'deleted' | 'not-here'
}

/** A row that has what may be there only once. */
export interface ClashingRow {
  readonly columns: readonly string[]
  readonly id: string
  readonly row: RowValues
}

/** A problem with all that there is to see of its record. */
export interface ProblemDetails extends Problem {
  /** The record's JSON in the Store; undefined when it has none yet. */
  readonly stored: string | undefined
  /** The row as it is here; undefined when there is none. */
  readonly row: RowValues | undefined
  readonly missingParents: readonly MissingParent[]
  readonly clashes: readonly ClashingRow[]
}

/**
 * What is wrong with a record, and what is in its way: looked up now, so that a mend shows at once.
 *
 * @throws MorangoError `unknown-problem` when the record has none
 */
export async function readProblemDetails(
  context: EngineContext,
  modelName: string,
  id: string,
): Promise<ProblemDetails> {
  const { kysely } = context.database
  const [problem] = await readProblems(kysely, { model: modelName, id, limit: 1 })
  if (problem === undefined) {
    throw new MorangoError('unknown-problem', `${modelName} ${id} has no problem here.`, {
      hint: 'List those there are with `morango problems`.',
    })
  }
  const stored = await kysely
    .selectFrom('morango_store')
    .select(['serialized', 'source_id as sourceId', 'partition', 'profile'])
    .where('id', '=', id)
    .executeTakeFirst()
  const [aside] = problem.code === ID_TAKEN ? await readAside(kysely, id) : []
  if (aside !== undefined) {
    const own = modelNamed(context, modelName, aside.profile)
    const row = own === undefined ? undefined : await readRow(context.database, own, id)
    return { ...problem, stored: aside.serialized, row, missingParents: [], clashes: [] }
  }
  const model = modelNamed(context, modelName, stored?.profile)
  const about = { ...problem, stored: stored?.serialized }
  if (model === undefined) return { ...about, row: undefined, missingParents: [], clashes: [] }
  const row = await readRow(context.database, model, id)
  const decoded =
    stored === undefined || problem.kind !== 'not-applied'
      ? undefined
      : await decodeRow(model, shapeOf(model), { ...stored, id })
  if (decoded === undefined || 'code' in decoded) return { ...about, row, missingParents: [], clashes: [] }
  return {
    ...about,
    row,
    missingParents: await missingParentsOf(context, model, decoded),
    clashes: await clashesOf(context, model, decoded),
  }
}

function modelNamed(
  { profiles }: EngineContext,
  name: string,
  profile: string | undefined,
): CompiledModel | undefined {
  if (profile !== undefined) return profiles.get(profile)?.model(name)
  for (const one of profiles.values()) {
    const model = one.model(name)
    if (model !== undefined) return model
  }
  return undefined
}

async function readRow(
  { kysely, dialect }: Database,
  model: CompiledModel,
  id: string,
): Promise<RowValues | undefined> {
  const found = await sql<RowValues>`select t.* from ${sql.id(model.table)} t
    where t.id in (select ${sql.raw(model.id.cast('value'))} from ${dialect.list(JSON.stringify([id]))})`.execute(
    kysely,
  )
  return found.rows[0]
}

async function missingParentsOf(
  { database }: EngineContext,
  model: CompiledModel,
  row: Row,
): Promise<MissingParent[]> {
  const missing: MissingParent[] = []
  for (const key of foreignKeysOf(model)) {
    const id = row.values[row.columns.indexOf(key.column)]
    if (typeof id !== 'string') continue
    const state = await stateOf(database, key, id)
    if (state !== undefined) missing.push({ column: key.column, model: key.targetModel, id, state })
  }
  return missing
}

async function stateOf(
  { kysely, dialect }: Database,
  key: CompiledForeignKey,
  id: string,
): Promise<MissingParent['state'] | undefined> {
  const target = (await readTargets(kysely, dialect, key, new Set([id]), new Map())).get(id)
  switch (target?.kind) {
    case 'present':
      return undefined
    case 'deleted':
      return 'deleted'
    case 'not-applied':
      return 'waits'
    default:
      return 'not-here'
  }
}

async function clashesOf(
  { database }: EngineContext,
  model: CompiledModel,
  row: Row,
): Promise<ClashingRow[]> {
  const { kysely, dialect } = database
  const clashes: ClashingRow[] = []
  for (const { columns, other } of await findClashes(kysely, dialect, model, [row])) {
    const there = await readRow(database, model, other)
    if (there !== undefined) clashes.push({ columns, id: other, row: there })
  }
  return clashes
}
