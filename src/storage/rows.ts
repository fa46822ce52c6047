import { CompiledQuery, type Kysely } from 'kysely'
import type { SqlValue } from '../models/compiled.ts'
import type { Dialect } from './dialect.ts'
import type { Schema } from './schema.ts'

const MAX_ROWS_A_STATEMENT = 1000

/**
 * `insert into table (columns) values …` for many rows in as few statements as parameters allow. The text
 * depends on the number of rows alone, so that full batches share one prepared statement.
 *
 * @param suffix what follows the values: `on conflict …`, or nothing.
 */
export async function insertRows(
  db: Kysely<Schema>,
  dialect: Dialect,
  target: { readonly table: string; readonly columns: readonly string[]; readonly suffix?: string },
  rows: readonly (readonly SqlValue[])[],
): Promise<void> {
  const width = target.columns.length
  const size = Math.min(MAX_ROWS_A_STATEMENT, Math.floor(dialect.maxParameters / width))
  const head = `insert into ${quote(target.table)} (${target.columns.map(quote).join(', ')}) values `
  for (let start = 0; start < rows.length; start += size) {
    const slice = rows.slice(start, start + size)
    const values = placeholders(dialect, slice.length, width)
    await db.executeQuery(CompiledQuery.raw(`${head}${values} ${target.suffix ?? ''}`, slice.flat()))
  }
}

const placeholderTexts = new Map<string, string>()

function placeholders(dialect: Dialect, rows: number, width: number): string {
  const key = `${dialect.name}:${rows}:${width}`
  const known = placeholderTexts.get(key)
  if (known !== undefined) return known
  const text = Array.from({ length: rows }, (_, row) => {
    const cells = Array.from({ length: width }, (_unused, cell) => dialect.placeholder(row * width + cell + 1))
    return `(${cells.join(', ')})`
  }).join(', ')
  if (placeholderTexts.size > 500) placeholderTexts.clear()
  placeholderTexts.set(key, text)
  return text
}

/** An identifier as SQL takes it literally. */
export function quote(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`
}

/** A text as an SQL literal, for the few places where no parameter can stand (triggers). */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
