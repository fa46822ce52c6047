import { declarationError } from './declaration-error.ts'
import type { ModelDeclaration } from './model.ts'
import { suggestName } from './near-names.ts'
import { modelName } from './profile.ts'
import type { Profile } from './profile.ts'
import type { ColumnInfo, SqlForm, TableInfo } from './table-info.ts'

const DEFAULT_SOURCE_ID_COLUMN = 'morango_source_id'
const UUID_DIGITS = 32
const AS_IT_IS: SqlForm = { read: (column) => column, cast: (text) => text }

/** A declared model with the table that it is about. */
export interface DeclaredTable {
  readonly name: string
  readonly declared: ModelDeclaration
  readonly info: TableInfo
  /** The column of random source ids, if the model has one; `migrate()` may still have to add it. */
  readonly sourceIdColumn: string | undefined
}

/**
 * Finds every model's table, in declared order, and checks that its primary key can be a record id.
 *
 * @throws MorangoError `invalid-declaration`
 */
export function findTables(
  profile: Profile,
  tables: ReadonlyMap<string, TableInfo>,
  tableNames: Iterable<string> = tables.keys(),
): DeclaredTable[] {
  const names = [...tableNames]
  return Object.entries(profile.models).map(([key, declared]) => {
    const name = modelName(key, declared)
    const info = findTable(name, declared.table, tables, names)
    checkPrimaryKey(name, info)
    return { name, declared, info, sourceIdColumn: sourceIdColumnOf(declared) }
  })
}

/** The refusal of one column of a model. */
export function columnError(model: string, column: string, problem: string, hint: string): Error {
  return declarationError(`Model "${model}", column "${column}": ${problem}`, hint)
}

/** A table of SQL's loose spelling: exact, or else in other capitals. */
export function tableNamed(name: string, tables: Iterable<TableInfo>): TableInfo | undefined {
  let loose: TableInfo | undefined
  for (const table of tables) {
    if (table.name === name) return table
    if (table.name.toLowerCase() === name.toLowerCase()) loose = table
  }
  return loose
}

function findTable(
  model: string,
  table: string,
  tables: ReadonlyMap<string, TableInfo>,
  tableNames: readonly string[],
): TableInfo {
  const info = tables.get(table) ?? tableNamed(table, tables.values())
  if (info === undefined) {
    throw declarationError(
      `Model "${model}": the database has no table "${table}"`,
      `Create it first. ${suggestName(table, tableNames)}`.trim(),
    )
  }
  if (info.type === 'table') return info
  throw declarationError(
    `Model "${model}": "${table}" is a ${info.type === 'view' ? 'view' : 'virtual table'}`,
    'Declare the table that holds the rows: triggers can follow the changes of real tables only',
  )
}

function checkPrimaryKey(model: string, info: TableInfo): void {
  const [key] = info.primaryKey
  if (info.primaryKey.length !== 1 || key !== 'id') {
    const found = info.primaryKey.length === 0 ? 'none' : `(${info.primaryKey.join(', ')})`
    throw declarationError(
      `Model "${model}": the primary key of table "${info.name}" must be the one column "id", and is ${found}`,
      'Declare it as `id char(32) primary key not null`, and fill it with morango.record()',
    )
  }
  const id = info.columns.find(({ name }) => name === key)
  if (id !== undefined) checkHoldsIds(model, id)
}

/** How a column of a table, when there is one, holds ids. */
export function formOf({ info }: DeclaredTable, column: string | undefined): SqlForm {
  return info.columns.find(({ name }) => name === column)?.form ?? AS_IT_IS
}

/** Refuses a column that cannot hold 32 hex digits as they are. */
export function checkHoldsIds(model: string, column: ColumnInfo): void {
  const { name, declaredType, kind, maxLength = UUID_DIGITS } = column
  if ((kind === 'text' || kind === 'uuid') && !column.coercesText && maxLength >= UUID_DIGITS) return
  const problem = column.coercesText && kind !== 'integer' && kind !== 'real'
  throw columnError(
    model,
    name,
    problem
      ? `in a column of type "${declaredType}" SQLite makes numbers of ids that look like numbers`
      : `its type "${declaredType}" cannot hold a record id`,
    'Record ids are 32 hex digits: declare the column as char(32) or text',
  )
}

function sourceIdColumnOf(declared: ModelDeclaration): string | undefined {
  if (declared.sourceIdColumn !== undefined) return declared.sourceIdColumn
  // An id that is the source id needs no second place for it.
  if (declared.sourceId !== undefined || declared.id === 'source-id') return undefined
  return DEFAULT_SOURCE_ID_COLUMN
}
