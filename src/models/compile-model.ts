import type { RawField } from '../core/python-json.ts'
import { pythonStringify } from '../core/python-json.ts'
import { compileColumns, syncedColumns } from './columns.ts'
import { FieldError } from './compiled.ts'
import type { CompiledColumn, CompiledModel, RecordIdentity } from './compiled.ts'
import { formOf } from './declared-table.ts'
import type { DeclaredTable } from './declared-table.ts'
import { compileIdentity } from './identity.ts'
import { compileMerge } from './merge/compile-merge.ts'
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
    id: formOf(table, 'id'),
    columns,
    sourceIdColumn,
    sourceIdForm: formOf(table, sourceIdColumn),
    types: Object.fromEntries(
      table.info.columns.flatMap(({ name, castType }) => (castType === undefined ? [] : [[name, castType]])),
    ),
    ...references,
    uniqueKeys: table.info.uniqueIndexes
      .filter(({ exact, columns: key }) => exact && key.every((column) => synced.includes(column)))
      .map(({ columns: key }) => key),
    ...compileIdentity(name, declared, sourceIdColumn),
    encode: compileEncode(columns),
    encodeText: compileEncodeText(columns),
    evictingKeys: info.evictingKeys ?? [],
    deletionBrake: declared.deletionBrake,
    validate: compileValidate(declared.validate),
    ...compileMerge(table, columns),
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

function compileEncodeText(columns: readonly CompiledColumn[]): CompiledModel['encodeText'] {
  const fields = columns.map((column, index) => ({
    column,
    lead: `${index === 0 ? '{' : ', '}${pythonStringify(column.name)}: `,
  }))
  return (row, identity) => {
    let text = ''
    for (const { column, lead } of fields) {
      if (column.name === 'id') {
        text +=
          `${lead}"${identity.id}", "_morango_source_id": ${pythonStringify(identity.sourceId)}` +
          `, "_morango_partition": ${pythonStringify(identity.partition)}`
      } else text += lead + column.encode(present(row, column.name))
    }
    return `${text}}`
  }
}

// Taken for null, what was not read would empty the field everywhere.
function present(row: Readonly<Record<string, unknown>>, name: string): unknown {
  const value = row[name]
  if (value !== undefined) return value
  throw new FieldError('missing-column', `"${name}" was not read from the database`, name)
}

function encodeInto(
  fields: RawField[],
  columns: readonly CompiledColumn[],
  row: Readonly<Record<string, unknown>>,
): void {
  for (const { name, encode } of columns) {
    fields.push({ key: name, raw: encode(present(row, name)) })
  }
}

function pushIdentity(fields: RawField[], { id, sourceId, partition }: RecordIdentity): void {
  fields.push(
    { key: 'id', raw: `"${id}"` },
    { key: '_morango_source_id', raw: pythonStringify(sourceId) },
    { key: '_morango_partition', raw: pythonStringify(partition) },
  )
}
