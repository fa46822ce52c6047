import { type Kysely, sql } from 'kysely'
import type { CompiledModel, SqlValue } from '../models/compiled.ts'
import type { Row } from './decode-record.ts'
import type { Dialect } from './dialect.ts'
import type { Schema } from './schema.ts'

/** A row of the table that has what may be there only once. */
export interface Clash {
  readonly id: string
  readonly columns: readonly string[]
  /** The id of the row that has it. */
  readonly other: string
}

interface Keyed {
  readonly id: string
  readonly values: readonly SqlValue[]
}

/** The rows of the table that are in the way of these, by the model's unique keys: a statement for each key. */
export async function findClashes(
  trx: Kysely<Schema>,
  dialect: Dialect,
  model: CompiledModel,
  rows: readonly Row[],
): Promise<Clash[]> {
  const clashes: Clash[] = []
  for (const columns of model.uniqueKeys) {
    const keyed = keyedBy(columns, rows)
    if (keyed.length === 0) continue
    const types = [undefined, ...columns.map((name) => model.types[name])]
    const values = keyed.map((row) => [row.id, ...row.values])
    const equal = columns.map((name, index) =>
      dialect.equalInIndex(sql`t.${sql.id(name)}`, sql.raw(`x.c${index + 1}`)),
    )
    const own = sql.raw(model.id.cast('x.c0'))
    // Row by row, in the index: joined, a planner that thinks little of the table would read all of it.
    const found = await sql<{
      id: string
      other: string
    }>`select id, other from (select x.c0 as id, (select ${sql.raw(model.id.read('t.id'))} from ${sql.id(model.table)} t
        where ${sql.join(equal, sql` and `)} and t.id <> ${own} limit 1) as other
      from ${dialect.rowsOf(types, values)} x) found where other is not null`.execute(trx)
    for (const { id, other } of found.rows) clashes.push({ id, columns, other })
  }
  return clashes
}

/** Those of the rows that have the same as one before them. */
export function repeatedIn(model: CompiledModel, rows: readonly Row[]): Set<string> {
  const repeated = new Set<string>()
  for (const columns of model.uniqueKeys) {
    const seen = new Set<string>()
    for (const { id, values } of keyedBy(columns, rows)) {
      const key = JSON.stringify(values.map(String))
      if (seen.has(key)) repeated.add(id)
      seen.add(key)
    }
  }
  return repeated
}

// A null is like no other.
function keyedBy(columns: readonly string[], rows: readonly Row[]): Keyed[] {
  const places = new Map<readonly string[], readonly number[]>()
  return rows.flatMap(({ id, columns: own, values }) => {
    let at = places.get(own)
    if (at === undefined) {
      at = columns.map((name) => own.indexOf(name))
      places.set(own, at)
    }
    const key = at.map((index) => values[index] ?? null)
    return key.includes(null) ? [] : [{ id, values: key }]
  })
}
