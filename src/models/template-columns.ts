import type { CompiledColumn } from './compiled.ts'
import { declarationError } from './declaration-error.ts'
import type { DeclaredTable } from './declared-table.ts'
import { suggestName } from './near-names.ts'
import { ID_COLUMN, parseTemplate } from './template.ts'

/**
 * Checks that a model's templates name columns whose values are the same text on every peer.
 *
 * @throws MorangoError `invalid-declaration`
 */
export function checkTemplateColumns(table: DeclaredTable, columns: readonly CompiledColumn[]): void {
  const { partition, partitionBegins, sourceId } = table.declared
  if (typeof partition === 'string') checkTemplate(table, columns, 'partition', partition)
  if (partitionBegins !== undefined) checkTemplate(table, columns, 'partitionBegins', partitionBegins)
  if (typeof sourceId === 'string') checkTemplate(table, columns, 'sourceId', sourceId)
}

function checkTemplate(
  table: DeclaredTable,
  columns: readonly CompiledColumn[],
  which: 'partition' | 'partitionBegins' | 'sourceId',
  template: string,
): void {
  for (const name of parseTemplate(template).columns) {
    if (name === ID_COLUMN || name === table.sourceIdColumn) continue
    const where = `Model "${table.name}", column "${name}": the ${which} "${template}" needs it, but`
    const column = columns.find((known) => known.name === name)
    if (column === undefined) throw unusable(table, where, name)
    if (column.kind === 'text' || column.kind === 'integer') continue
    throw declarationError(
      `${where} its kind is "${column.kind}", whose values need not be the same text on every peer`,
      `Use columns of kind text or integer, or give a function as ${which}`,
    )
  }
}

function unusable({ info }: DeclaredTable, where: string, name: string): Error {
  const names = info.columns.map((column) => column.name)
  if (info.generatedColumns.includes(name)) {
    return declarationError(`${where} it is generated`, 'Name the columns that it is generated from')
  }
  if (names.includes(name)) {
    return declarationError(
      `${where} it does not sync, so other peers could not derive the same`,
      'Let it sync, or take it out of the template',
    )
  }
  return declarationError(`${where} table "${info.name}" has no such column`, suggestName(name, names))
}
