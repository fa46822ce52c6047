import type { Insertion, InsertTarget } from '../insertion.ts'
import { literal, quote } from '../rows.ts'

// More take longer a row: the statement then no longer fits the processor's caches.
const MOST_ROWS = 100
const MOST_PARAMETERS = 32_000

/**
 * Rows as `values`, a parameter for each. The text depends on the number of rows alone, and few numbers occur, so
 * that statements are prepared once and used again.
 */
export function insertion({
  table,
  columns,
  constants = {},
  suffix = '',
  leavingOut = false,
}: InsertTarget): Insertion {
  const names = [...columns, ...Object.keys(constants)].map(quote).join(', ')
  // A constant in the text is a value less to hand over, for every row.
  const fixed = Object.values(constants).map((value) =>
    typeof value === 'string' ? literal(value) : String(value),
  )
  const row = `(${[...columns.map(() => '?'), ...fixed].join(', ')})`
  const insert = leavingOut ? 'insert or ignore' : 'insert'
  const textOf = (count: number): string =>
    `${insert} into ${quote(table)} (${names}) values ${Array.from({ length: count }, () => row).join(', ')} ${suffix}`
  const most = Math.min(MOST_ROWS, Math.floor(MOST_PARAMETERS / columns.length))
  let full: string | undefined
  return {
    take: (left) => (left >= most ? most : 2 ** Math.floor(Math.log2(left))),
    statement: (rows) => ({
      text: rows.length === most ? (full ??= textOf(most)) : textOf(rows.length),
      parameters: rows.flat(),
    }),
  }
}
