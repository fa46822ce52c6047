import { type RawBuilder, sql } from 'kysely'
import type { CompiledColumn, CompiledModel } from '../models/compiled.ts'
import { quote } from './rows.ts'

/**
 * What to select of an application row `t`, so that a model can identify and encode it.
 *
 * @param only the columns that are needed; undefined: all
 */
export function rowColumns(model: CompiledModel, only?: readonly string[]): RawBuilder<unknown> {
  const columns: Pick<CompiledColumn, 'name' | 'select'>[] = [...model.columns]
  if (model.sourceIdColumn !== undefined && !columns.some(({ name }) => name === model.sourceIdColumn)) {
    columns.push({ name: model.sourceIdColumn, select: model.sourceIdForm.read })
  }
  return sql.join(
    (only === undefined ? columns : columns.filter(({ name }) => only.includes(name))).map(
      (column) => sql`${sql.raw(selected(column, `t.${quote(column.name)}`))} as ${sql.id(column.name)}`,
    ),
  )
}

/** A column as the engine reads it, so that no driver loses precision. */
export function selected({ select }: Pick<CompiledColumn, 'select'>, column: string): string {
  return select === 'plain' ? column : select === 'text' ? `cast(${column} as text)` : select(column)
}
