import { type Kysely, sql } from 'kysely'
import { canonicalJson } from '../core/canonical-json.ts'
import { rawValues } from '../core/python-json.ts'
import type { CompiledColumn, CompiledModel } from '../models/compiled.ts'
import { selected } from './row-columns.ts'
import type { Flag, Schema } from './schema.ts'

/** What the Store has of a row, as far as it is compared. */
export interface StoredRow {
  readonly partition: string
  readonly sourceId: string
  readonly serialized: string
  readonly deleted: Flag
}

/** What a row is to the Store. A row that cannot be serialized is `different`, or `missing`. */
export type Comparison = 'same' | 'missing' | 'different'

/** What columns hold in rows whose record lacks the field, as JSON; undefined where that cannot be told. */
export type Defaults = ReadonlyMap<string, string | undefined>

// Anything else may give another value each time, or do something.
const LITERAL = /^\(*(?:[-+]?\d[\d.eE+-]*|'(?:[^']|'')*'|true|false|null)(?:::[\w "[\](),.]+)?\)*$/iu

/** Compares a row with its record by what serializing it would write. */
export function compareRow(
  model: CompiledModel,
  row: Readonly<Record<string, unknown>>,
  stored: StoredRow | undefined,
  defaults: Defaults,
): Comparison {
  if (stored === undefined || stored.deleted === 1) return 'missing'
  try {
    const identity = model.identify(row)
    if (identity.partition !== stored.partition || identity.sourceId !== stored.sourceId) return 'different'
    if (model.encodeText(row, identity) === stored.serialized) return 'same'
    const values = rawValues(stored.serialized)
    const columns = new Map(model.columns.map((column) => [column.name, column]))
    const alike = model.encode(row, identity).every(({ key, raw }) => {
      const column = columns.get(key)
      const other = values.get(key)
      if (other === raw) return true
      if (other !== undefined) return column !== undefined && sameValue(column, raw, other)
      if (column === undefined || column.name === 'id') return true
      const standsFor = defaults.get(key)
      return standsFor === undefined || standsFor === raw || sameValue(column, raw, standsFor)
    })
    return alike ? 'same' : 'different'
  } catch {
    // The serialization will keep it with the reason.
    return 'different'
  }
}

/** What rows have got in the columns that their records lack: the declared default, else the database's. */
export async function readDefaults(
  db: Kysely<Schema>,
  columns: readonly CompiledColumn[],
): Promise<Defaults> {
  const defaults = new Map<string, string | undefined>()
  for (const column of columns) {
    const { name, whenMissing, defaultSql } = column
    if (whenMissing !== undefined) defaults.set(name, encoded(column, whenMissing))
    else if (defaultSql === undefined) defaults.set(name, 'null')
    else if (!LITERAL.test(defaultSql)) defaults.set(name, undefined)
    else {
      const found = await sql<{ value: unknown }>`select ${sql.raw(selected(column, 't.value'))} as value
        from (select ${sql.raw(defaultSql)} as value) t`.execute(db)
      defaults.set(name, encoded(column, found.rows[0]?.value))
    }
  }
  return defaults
}

// Peers may write a value in another form, and databases may give it back in theirs.
function sameValue(column: CompiledColumn, raw: string, other: string): boolean {
  if (encoded(column, () => column.decode(other)) === raw) return true
  return canonicalJson(raw) === canonicalJson(other)
}

function encoded(column: CompiledColumn, value: unknown): string | undefined {
  try {
    const given: unknown = typeof value === 'function' ? value() : value
    return column.encode(typeof given === 'bigint' ? String(given) : given)
  } catch {
    return undefined
  }
}
