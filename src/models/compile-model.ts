import type { RawField } from '../core/python-json.ts'
import { pythonStringify } from '../core/python-json.ts'
import { compileColumns, syncedColumns } from './columns.ts'
import { FieldError } from './compiled.ts'
import type { CompiledColumn, CompiledModel, RecordIdentity } from './compiled.ts'
import type { DeclaredTable } from './declared-table.ts'
import { compileIdentity } from './identity.ts'
import { compileReferences } from './references.ts'
import { checkTemplateColumns } from './template-columns.ts'
import { compileValidate } from './validation.ts'

/**
 * Joins one declared model with its table.
 *
 * @param all - the profile's models, for foreign keys
 * @throws MorangoError `invalid-declaration`
 */
export function compileModel(
  profile: string,
  table: DeclaredTable,
  all: readonly DeclaredTable[],
): CompiledModel {
  const { declared, info, name, sourceIdColumn } = table
  const synced = syncedColumns(table)
  const references = compileReferences(table, all, (column) => synced.includes(column))
  const columns = compileColumns(table, synced, references)
  checkTemplateColumns(table, columns)
  return {
    profile,
    name,
    table: info.name,
    columns,
    sourceIdColumn,
    ...references,
    ...compileIdentity(name, declared, sourceIdColumn),
    encode: compileEncode(columns),
    validate: compileValidate(declared.validate),
    merge: declared.merge,
    partitionTemplate: typeof declared.partition === 'string' ? declared.partition : undefined,
    sourceIdTemplate: typeof declared.sourceId === 'string' ? declared.sourceId : undefined,
  }
}

function compileEncode(columns: readonly CompiledColumn[]): CompiledModel['encode'] {
  const idAt = columns.findIndex(({ name }) => name === 'id')
  const before = columns.slice(0, idAt)
  const after = columns.slice(idAt + 1)
  return (row, identity) => {
    const fields: RawField[] = []
    encodeInto(fields, before, row)
    pushIdentity(fields, identity)
    encodeInto(fields, after, row)
    return fields
  }
}

function encodeInto(
  fields: RawField[],
  columns: readonly CompiledColumn[],
  row: Readonly<Record<string, unknown>>,
): void {
  for (const { name, encode } of columns) {
    const value = row[name]
    // Taken for null it would empty the field everywhere.
    if (value === undefined) {
      throw new FieldError('missing-column', `"${name}" was not read from the database`, name)
    }
    fields.push({ key: name, raw: encode(value) })
  }
}

function pushIdentity(fields: RawField[], { id, sourceId, partition }: RecordIdentity): void {
  fields.push(
    { key: 'id', raw: `"${id}"` },
    { key: '_morango_source_id', raw: pythonStringify(sourceId) },
    { key: '_morango_partition', raw: pythonStringify(partition) },
  )
}
