import { type RawBuilder, sql } from 'kysely'
import type { SqlValue } from '../../models/compiled.ts'
import type { Insertion, InsertTarget } from '../insertion.ts'
import { literal, quote } from '../rows.ts'

const MOST_ROWS = 1000

/**
 * Rows by columns: each parameter is a column's values as an array of texts. A text of hundreds of `values` would
 * take the server longer to parse and plan than the rows to insert, and to name it, so that this is done once, is
 * nothing for connections that are shared through a pooler.
 */
export function insertion({
  table,
  columns,
  constants = {},
  types = {},
  suffix = '',
}: InsertTarget): Insertion {
  const names = [...columns, ...Object.keys(constants)].map(quote).join(', ')
  const values = columns.map((name, index) => {
    const type = types[name]
    return type === undefined ? `x.c${index}` : `cast(x.c${index} as ${type})`
  })
  const fixed = Object.values(constants).map((value) =>
    typeof value === 'string' ? literal(value) : String(value),
  )
  const arrays = columns.map((_, index) => `cast($${index + 1} as text[])`)
  const text =
    `insert into ${quote(table)} (${names}) select ${[...values, ...fixed].join(', ')} ` +
    `from unnest(${arrays.join(', ')}) x (${columns.map((_, index) => `c${index}`).join(', ')}) ${suffix}`
  return {
    take: (left) => Math.min(left, MOST_ROWS),
    statement: (rows) => ({
      text,
      parameters: columns.map((_, index) => rows.map((row) => textOf(row[index] ?? null))),
    }),
  }
}

/** The same columns as a `from`-source. */
export function rowsOf(
  types: readonly (string | undefined)[],
  rows: readonly (readonly SqlValue[])[],
): RawBuilder<unknown> {
  const arrays = types.map(
    (_, index) => sql`cast(${rows.map((row) => textOf(row[index] ?? null))} as text[])`,
  )
  const columns = types.map((type, index) =>
    sql.raw(type === undefined ? `u.c${index}` : `cast(u.c${index} as ${type}) as c${index}`),
  )
  const names = sql.raw(types.map((_, index) => `c${index}`).join(', '))
  return sql`(select ${sql.join(columns)} from unnest(${sql.join(arrays)}) u (${names}))`
}

function textOf(value: SqlValue): string | null {
  if (typeof value === 'string' || value === null) return value
  if (value instanceof Uint8Array) return `\\x${Buffer.from(value).toString('hex')}`
  return String(value)
}
