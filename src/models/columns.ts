import { STORAGES, columnOptions } from './column-options.ts'
import type { ColumnOptions } from './column-options.ts'
import type { ColumnKind, CompiledColumn } from './compiled.ts'
import { checkHoldsIds, columnError } from './declared-table.ts'
import type { DeclaredTable } from './declared-table.ts'
import { compileColumn } from './kinds/column.ts'
import { suggestName } from './near-names.ts'
import type { References } from './references.ts'
import type { ColumnInfo } from './table-info.ts'

const RESERVED = '_morango_'
const UNITS = {
  'date-time': ['epoch-seconds', 'epoch-milliseconds'],
  duration: ['seconds', 'microseconds'],
} as const

/**
 * The names of a model's columns that sync, in the table's order.
 *
 * @throws MorangoError `invalid-declaration` when the declaration names a column that is not there, or one
 * that cannot be left out
 */
export function syncedColumns(table: DeclaredTable): string[] {
  const { declared, info, name: model, sourceIdColumn } = table
  const unsynced = new Set(declared.exclude)
  for (const [column, declaration] of Object.entries(declared.columns)) {
    checkExists(table, column)
    if (columnOptions(declaration).sync === false) unsynced.add(column)
  }
  for (const column of unsynced) checkExists(table, column)
  for (const column of info.columns) if (unsynced.has(column.name)) checkCanBeLeftOut(model, column)
  const names = info.columns.map(({ name }) => name)
  return names.filter((name) => name !== sourceIdColumn && !unsynced.has(name))
}

/**
 * Compiles a model's columns.
 *
 * @throws MorangoError `invalid-declaration` when a column's kind is not known or does not fit
 */
export function compileColumns(
  table: DeclaredTable,
  synced: readonly string[],
  { foreignKeys, selfReference }: References,
): CompiledColumn[] {
  const { declared, info, name: model, sourceIdColumn } = table
  const holdIds = new Set(['id', selfReference, ...foreignKeys.map(({ column }) => column)])
  const columns: CompiledColumn[] = []
  for (const column of info.columns) {
    const { name } = column
    if (name === sourceIdColumn) checkHoldsIds(model, column)
    if (!synced.includes(name)) continue
    const options = columnOptions(declared.columns[name])
    const kind = kindOf(model, column, options, holdIds.has(name))
    columns.push(
      compileColumn({
        field: name,
        kind,
        recordId: holdIds.has(name),
        nullable: column.nullable && name !== 'id',
        storage: storageOf(model, column, kind, options),
        maxLength: options.maxLength ?? column.maxLength,
        scale: column.scale,
        whenMissing: options.default,
        defaultSql: column.defaultSql,
        read: column.form?.read,
        element: column.element,
      }),
    )
  }
  return columns
}

function checkExists({ name, info }: DeclaredTable, column: string): void {
  if (info.generatedColumns.includes(column)) {
    throw columnError(name, column, 'it is generated', 'Take it out of the declaration: it never syncs')
  }
  const names = info.columns.map((known) => known.name)
  if (names.includes(column)) return
  throw columnError(
    name,
    column,
    `table "${info.name}" has no such column`,
    `Mend the name in \`columns\` or \`exclude\`. ${suggestName(column, names)}`,
  )
}

function checkCanBeLeftOut(model: string, column: ColumnInfo): void {
  if (column.name === 'id') {
    throw columnError(model, 'id', 'it cannot stay on this device', 'Take it out of `exclude`')
  }
  if (column.nullable || column.defaultSql !== undefined) return
  throw columnError(
    model,
    column.name,
    'it does not sync, but may not be null and has no default, so records that arrive could not be written',
    'Give it a default in the database, let it be null, or let it sync',
  )
}

function kindOf(model: string, column: ColumnInfo, options: ColumnOptions, holdsId: boolean): ColumnKind {
  const { name, declaredType } = column
  if (name.startsWith(RESERVED)) {
    throw columnError(
      model,
      name,
      `names that begin with ${RESERVED} belong to the protocol`,
      'Rename the column, or put it into `exclude`',
    )
  }
  if (holdsId) {
    if (options.kind === undefined || options.kind === 'text') return 'text'
    throw columnError(
      model,
      name,
      `it holds record ids and cannot be of kind "${options.kind}"`,
      'Take the kind out of `columns`: ids and foreign keys to synced tables travel as they are',
    )
  }
  const kind = options.kind ?? column.kind
  if (kind !== undefined) return kind
  throw columnError(
    model,
    name,
    declaredType === '' ? 'it has no type' : `its type "${declaredType}" does not say what it holds`,
    `Say it in the declaration: columns: { ${name}: 'text' }, or another kind`,
  )
}

function storageOf(
  model: string,
  column: ColumnInfo,
  kind: ColumnKind,
  { storage }: ColumnOptions,
): string | undefined {
  const allowed = STORAGES[kind]
  if (storage !== undefined) {
    if (allowed?.includes(storage)) return storage
    throw columnError(
      model,
      column.name,
      `values of kind "${kind}" cannot have the storage "${String(storage)}"`,
      allowed === undefined ? 'Leave the storage out' : `It can be: ${allowed.join(', ')}`,
    )
  }
  if (kind === column.kind && column.storage !== undefined) return column.storage
  if (kind === 'boolean' && column.kind === 'text') return 'text'
  // Dashes keep SQLite from taking it for a number; 36 characters are made for them.
  if (kind === 'uuid' && (column.coercesText || column.maxLength === 36)) return 'dashed'
  const isNumber = column.kind === 'integer' || column.kind === 'real'
  if (!isNumber || (kind !== 'date-time' && kind !== 'duration')) return allowed?.[0]
  throw columnError(
    model,
    column.name,
    `it holds numbers (its type is "${column.declaredType}"), which do not say their unit`,
    `Say it: { kind: '${kind}', storage: '…' } with one of ${UNITS[kind].join(', ')}`,
  )
}
