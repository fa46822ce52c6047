import { isMorangoError } from '../core/errors.ts'
import { rawValues } from '../core/python-json.ts'
import { type CompiledModel, FieldError, type SqlValue } from '../models/compiled.ts'
import type { DirtyRecord, Failure } from './dirty.ts'

/** What is decoded of a record. */
export type StoredContent = Pick<DirtyRecord, 'id' | 'serialized' | 'sourceId'>

/** A record as a row of its table: only the columns that its JSON has. */
export interface Row {
  readonly id: string
  readonly columns: readonly string[]
  readonly values: readonly SqlValue[]
}

/** A record as a row of its table, or why it cannot be one. */
export async function decodeRow(
  model: CompiledModel,
  shape: Shape,
  record: StoredContent,
): Promise<Row | Failure> {
  try {
    const row = decodeFields(model, shape, record)
    if (model.validate !== undefined) {
      const values = Object.fromEntries(row.columns.map((name, index) => [name, row.values[index] ?? null]))
      const validation = await model.validate(values)
      if (!validation.ok) return { id: record.id, code: 'validation', message: validation.message }
    }
    return row
  } catch (error) {
    return { id: record.id, ...reasonOf(error) }
  }
}

/** The columns of a row that has them all: shared by most rows, so that alike rows are found at a glance. */
export interface Shape {
  readonly written: CompiledModel['columns']
  readonly columns: readonly string[]
}

/** The shape of a model's rows. */
export function shapeOf(model: CompiledModel): Shape {
  const written = model.columns.filter(({ name }) => name !== 'id' && name !== model.sourceIdColumn)
  const own = model.sourceIdColumn === undefined ? ['id'] : ['id', model.sourceIdColumn]
  return { written, columns: [...written.map(({ name }) => name), ...own] }
}

function decodeFields(model: CompiledModel, { written, columns }: Shape, record: StoredContent): Row {
  const fields = rawValues(record.serialized)
  const values: SqlValue[] = []
  const missing = new Set<string>()
  for (const column of written) {
    const raw = fields.get(column.name)
    const value = raw === undefined ? column.whenMissing : column.decode(raw)
    // Left out of the statement: the column's own default applies.
    if (value === undefined) missing.add(column.name)
    else values.push(value)
  }
  values.push(record.id)
  if (model.sourceIdColumn !== undefined) values.push(record.sourceId)
  const present = missing.size === 0 ? columns : columns.filter((name) => !missing.has(name))
  return { id: record.id, columns: present, values }
}

function reasonOf(error: unknown): { code: string; message: string } {
  if (error instanceof FieldError) return { code: error.code, message: error.message }
  if (isMorangoError(error)) return { code: 'malformed-json', message: error.message }
  const message = error instanceof Error ? error.message : 'unknown error'
  return { code: 'validation', message: `A function of the model threw: ${message}` }
}
