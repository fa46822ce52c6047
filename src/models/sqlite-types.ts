import type { ColumnKind } from './compiled.ts'

/** What a column's declared type says on SQLite. */
export interface SqliteType {
  readonly kind: ColumnKind | undefined
  readonly maxLength: number | undefined
  readonly scale: number | undefined
  readonly coercesText: boolean
}

// In order: the first that matches counts.
const KINDS: readonly (readonly [pattern: RegExp, kind: ColumnKind | undefined])[] = [
  [/BOOL/, 'boolean'],
  [/^(?:DATETIME|TIMESTAMP)/, 'date-time'],
  [/^DATE$/, 'date'],
  [/^TIME/, 'time'],
  [/^JSON/, 'json'],
  [/^UUID$/, 'uuid'],
  // Contain INT and are none.
  [/INTERVAL|POINT/, undefined],
  [/INT/, 'integer'],
  [/CHAR|CLOB|TEXT/, 'text'],
  [/BLOB|BINARY|BYTEA/, 'binary'],
  [/REAL|FLOA|DOUB/, 'real'],
  [/NUMERIC|DECIMAL/, 'decimal'],
]

/** Reads a declared type such as `varchar(40)` or `DECIMAL(10, 2)`. */
export function sqliteType(declared: string): SqliteType {
  const match = /^([^(]*)(?:\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\))?/.exec(declared.trim().toUpperCase())
  const [, base = '', size, scale] = match ?? []
  const name = base.trim()
  const kind = KINDS.find(([pattern]) => pattern.test(name))?.[1]
  return {
    kind,
    maxLength: kind === 'text' && size !== undefined ? Number(size) : undefined,
    scale: kind === 'decimal' && scale !== undefined ? Number(scale) : undefined,
    coercesText: !keepsText(declared.toUpperCase()),
  }
}

// SQLite's own rules of affinity: only TEXT and BLOB leave a text of digits alone.
function keepsText(declared: string): boolean {
  if (declared.includes('INT')) return false
  return declared === '' || /CHAR|CLOB|TEXT|BLOB/.test(declared) || declared === 'ANY'
}
