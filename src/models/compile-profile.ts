import { compileModel } from './compile-model.ts'
import type { CompiledProfile } from './compiled.ts'
import { declarationError } from './declaration-error.ts'
import { findTables } from './declared-table.ts'
import type { DeclaredTable } from './declared-table.ts'
import { dependencyOrder } from './dependency-order.ts'
import type { Profile } from './profile.ts'
import type { TableInfo } from './table-info.ts'

/** A column for random source ids that a table still lacks. */
export interface MissingColumn {
  readonly model: string
  readonly table: string
  readonly column: string
}

/**
 * Joins a profile with what the database says of its tables.
 *
 * @param tables - by name, those of the models at least
 * @param tableNames - all that the database has, so that messages can name what was meant
 * @throws MorangoError `invalid-declaration`, naming model and column
 */
export function compileProfile(
  profile: Profile,
  tables: ReadonlyMap<string, TableInfo>,
  tableNames?: Iterable<string>,
): CompiledProfile {
  const declared = findTables(profile, tables, tableNames)
  checkDistinctTables(declared)
  const models = dependencyOrder(declared.map((table) => compileModel(profile.name, table, declared)))
  const byName = new Map(models.map((model) => [model.name, model]))
  return { name: profile.name, models, model: (name) => byName.get(name) }
}

/**
 * The columns that models with random source ids still need: what `migrate()` has to add, as nullable text.
 *
 * @throws MorangoError `invalid-declaration` when a table is not there
 */
export function missingSourceIdColumn(
  profile: Profile,
  tables: ReadonlyMap<string, TableInfo>,
): MissingColumn[] {
  return findTables(profile, tables).flatMap(({ name, info, sourceIdColumn }) =>
    sourceIdColumn === undefined || info.columns.some((column) => column.name === sourceIdColumn)
      ? []
      : [{ model: name, table: info.name, column: sourceIdColumn }],
  )
}

// Two spellings of one table pass the check at the definition.
function checkDistinctTables(declared: readonly DeclaredTable[]): void {
  const seen = new Map<TableInfo, string>()
  for (const { name, info } of declared) {
    const other = seen.get(info)
    if (other !== undefined) {
      throw declarationError(
        `The models "${other}" and "${name}" have the same table "${info.name}"`,
        'A table can be of one model only: take one of them out',
      )
    }
    seen.set(info, name)
  }
}
