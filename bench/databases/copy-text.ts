import type { PlainRow } from './database.ts'

const CHUNK = 1000

/** The statement that copies rows of these columns into a table of PostgreSQL. */
export function copyStatement(table: string, row: PlainRow, from: string): string {
  return `copy ${table} (${Object.keys(row).join(', ')}) from ${from}`
}

/** Rows in the text format of PostgreSQL's `copy`, some at a time. */
export function* copyText(rows: readonly PlainRow[]): Generator<string> {
  for (let start = 0; start < rows.length; start += CHUNK) {
    yield rows
      .slice(start, start + CHUNK)
      .map((row) => `${Object.values(row).map(copyValue).join('\t')}\n`)
      .join('')
  }
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['\\', '\\\\'],
  ['\t', '\\t'],
  ['\n', '\\n'],
  ['\r', '\\r'],
])

function copyValue(value: string | number | null): string {
  if (value === null) return '\\N'
  return String(value).replaceAll(/[\\\t\n\r]/g, (character) => ESCAPES.get(character) ?? character)
}
