import { isMorangoError } from '../core/errors.ts'
import { rawValues } from '../core/python-json.ts'
import { type CompiledModel, FieldError, type RecordIdentity, type SqlValue } from '../models/compiled.ts'
import { excerpt, jsonTextOrNumber } from '../models/kinds/codec.ts'
import { NOTHING } from '../core/scope.ts'
import type { DirtyRecord, Failure } from './dirty.ts'

/** What is decoded of a record. */
export type StoredContent = Pick<DirtyRecord, 'id' | 'serialized' | 'sourceId' | 'partition'>

/** A record as a row of its table: only the columns that its JSON has. */
export interface Row {
  readonly id: string
  readonly columns: readonly string[]
  readonly values: readonly SqlValue[]
  /** Who its record is: what it came as. */
  readonly label: RecordIdentity
}

/** A record as a row of its table, or why it cannot be one. */
export async function decodeRow(
  model: CompiledModel,
  shape: Shape,
  record: StoredContent,
): Promise<Row | Failure> {
  try {
    const row = decodeFields(model, shape, record)
    const elsewhere = foundElsewhere(model, row)
    if (elsewhere !== undefined) return { id: record.id, code: CONTENT_ELSEWHERE, message: elsewhere }
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

/** The reason that a record waits with whose content belongs to another one, or into another partition. */
export const CONTENT_ELSEWHERE = 'content-elsewhere'

/**
 * Why the JSON of a record is not of the record that its label names, as far as the JSON alone says (protocol §11).
 * Columns that it lacks, and what functions and the database make of it, show once the row is written: see
 * `content-check.ts`.
 */
export function foundElsewhere(model: CompiledModel, row: Row): string | undefined {
  const { identityColumns: needed } = model
  if (needed === undefined || !needed.every((name) => row.columns.includes(name))) return undefined
  const values: Record<string, SqlValue> = {}
  for (const name of needed) values[name] = row.values[row.columns.indexOf(name)] ?? null
  return model.elsewhere(values, row.label)
}

/** The same for a record's JSON; undefined also where it cannot be read. */
export function contentElsewhere(model: CompiledModel, record: StoredContent): string | undefined {
  try {
    return foundElsewhere(model, decodeFields(model, shapeOf(model), record))
  } catch (error) {
    if (error instanceof FieldError) return error.code === CONTENT_ELSEWHERE ? error.message : undefined
    if (isMorangoError(error)) return undefined
    throw error
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
  const { id, sourceId, partition } = record
  const fields = rawValues(record.serialized)
  checkLabel(fields, { id, sourceId, partition })
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
  return { id, columns: present, values, label: { id, sourceId, partition } }
}

// The original writes the row of the id in the JSON, so these members must not name another record than the label.
function checkLabel(fields: ReadonlyMap<string, string>, label: RecordIdentity): void {
  const { id, sourceId, partition } = label
  if (partition.includes(NOTHING)) {
    throw new FieldError('partition-denied', `Nobody may write in the partition "${partition}"`)
  }
  for (const [name, expected] of [
    ['id', id],
    ['_morango_source_id', sourceId],
    ['_morango_partition', partition],
  ] as const) {
    const raw = fields.get(name)
    if (raw === undefined || raw === `"${expected}"` || jsonTextOrNumber(raw) === expected) continue
    throw new FieldError(
      CONTENT_ELSEWHERE,
      `The content of the record belongs elsewhere: its "${name}" is ${excerpt(raw)}, but it came as "${expected}"`,
      name,
    )
  }
}

function reasonOf(error: unknown): { code: string; message: string } {
  if (error instanceof FieldError) return { code: error.code, message: error.message }
  if (isMorangoError(error)) return { code: 'malformed-json', message: error.message }
  const message = error instanceof Error ? error.message : 'unknown error'
  return { code: 'validation', message: `A function of the model threw: ${message}` }
}
