import type { Kysely } from 'kysely'
import type { CompiledModel } from '../models/compiled.ts'
import type { Row } from './decode-record.ts'
import type { Dialect } from './dialect.ts'
import type { InsertTarget } from './insertion.ts'
import { insertRows, quote } from './rows.ts'
import type { Schema } from './schema.ts'

/** So many rows at once where some are bad: a statement's worth, for what is written before a bad one may be in vain. */
export const AT_ONCE = 100

/** Writes rows of the same columns with an upsert. @throws what the database throws */
export async function upsertRows(
  trx: Kysely<Schema>,
  dialect: Dialect,
  model: CompiledModel,
  rows: readonly Row[],
): Promise<void> {
  await upsert(trx, dialect, model, rows)
}

/**
 * Writes those of the rows that break no constraint, where the database can leave out the others.
 *
 * @returns the rows that are not written; all where it cannot. What is wrong with them is to be found out one by one,
 * and some may be written yet, now that others are.
 */
export async function upsertSound(
  trx: Kysely<Schema>,
  dialect: Dialect,
  model: CompiledModel,
  rows: readonly Row[],
): Promise<readonly Row[]> {
  if ((await dialect.canLeaveOut?.(trx, model.table)) !== true) return rows
  const written = new Set<string>()
  const id = `${model.id.read('id')} as id`
  for (let from = 0; from < rows.length; from += AT_ONCE) {
    const some = rows.slice(from, from + AT_ONCE)
    try {
      for (const row of await upsert(trx, dialect, model, some, { leavingOut: true, returning: id })) {
        if (hasId(row)) written.add(row.id)
      }
    } catch (error) {
      // A statement that fails has written nothing.
      if (!(error instanceof Error) || !dialect.isRowFault(error)) throw error
    }
  }
  return rows.filter((row) => !written.has(row.id))
}

async function upsert(
  trx: Kysely<Schema>,
  dialect: Dialect,
  model: CompiledModel,
  rows: readonly Row[],
  { leavingOut = false, returning }: Pick<InsertTarget, 'leavingOut'> & { readonly returning?: string } = {},
): Promise<unknown[]> {
  const [first] = rows
  if (first === undefined) return []
  const assignments = first.columns
    .filter((name) => name !== 'id')
    .map((name) => `${quote(name)} = excluded.${quote(name)}`)
  const action = assignments.length === 0 ? 'nothing' : `update set ${assignments.join(', ')}`
  const suffix = `on conflict (id) do ${action}${returning === undefined ? '' : ` returning ${returning}`}`
  return await insertRows(
    trx,
    dialect,
    { table: model.table, columns: first.columns, types: model.types, suffix, leavingOut },
    rows.map((row) => row.values),
  )
}

function hasId(row: unknown): row is { readonly id: string } {
  return typeof row === 'object' && row !== null && 'id' in row && typeof row.id === 'string'
}
