import type { CompiledForeignKey } from './compiled.ts'
import { declarationError } from './declaration-error.ts'
import { checkHoldsIds, columnError, formOf, tableNamed } from './declared-table.ts'
import type { DeclaredTable } from './declared-table.ts'
import type { ForeignKeyInfo } from './table-info.ts'

/** Which columns of a model refer to records. */
export interface References {
  /** To other models. */
  readonly foreignKeys: readonly CompiledForeignKey[]
  readonly selfReference: string | undefined
}

/**
 * The foreign keys of a model to tables that sync. Those of columns that do not sync are left out.
 *
 * @throws MorangoError `invalid-declaration`
 */
export function compileReferences(
  table: DeclaredTable,
  all: readonly DeclaredTable[],
  isSynced: (column: string) => boolean,
): References {
  const infos = all.map(({ info }) => info)
  const foreignKeys: CompiledForeignKey[] = []
  const selfReferences = new Set<string>()
  for (const key of table.info.foreignKeys) {
    const target = all.find(({ info }) => info === tableNamed(key.targetTable, infos))
    if (target === undefined || !key.columns.some(isSynced)) continue
    const column = checkKey(table, key, target)
    if (target === table) selfReferences.add(column)
    else if (!foreignKeys.some((known) => known.column === column && known.targetModel === target.name)) {
      foreignKeys.push({
        column,
        targetModel: target.name,
        targetTable: target.info.name,
        targetId: formOf(target, 'id'),
      })
    }
  }
  const [selfReference, another] = selfReferences
  if (another !== undefined) {
    throw declarationError(
      `Model "${table.name}": the columns ${[...selfReferences].map((name) => `"${name}"`).join(' and ')} ` +
        'both refer to its own table, and peers can order records by one such column only',
      `Drop the foreign key constraint of "${another}" (it can stay a column), or put it into \`exclude\``,
    )
  }
  return { foreignKeys, selfReference }
}

function checkKey(table: DeclaredTable, key: ForeignKeyInfo, target: DeclaredTable): string {
  const [column = ''] = key.columns
  if (key.columns.length !== 1) {
    throw declarationError(
      `Model "${table.name}": the foreign key (${key.columns.join(', ')}) to "${target.info.name}" has ` +
        `${key.columns.length} columns`,
      'Refer to the record by its id alone; synced tables can be referred to in no other way',
    )
  }
  const [targetColumn = 'id'] = key.targetColumns
  if (targetColumn.toLowerCase() !== 'id') {
    throw columnError(
      table.name,
      column,
      `its foreign key refers to "${target.info.name}"."${targetColumn}"`,
      'Refer to the id; synced tables can be referred to in no other way',
    )
  }
  const info = table.info.columns.find(({ name }) => name === column)
  if (info !== undefined) checkHoldsIds(table.name, info)
  return column
}
