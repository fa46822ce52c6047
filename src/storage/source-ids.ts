import { type Kysely, sql } from 'kysely'
import type { CompiledModel } from '../models/compiled.ts'
import { quote } from './rows.ts'
import type { Schema } from './schema.ts'

/**
 * Fills in the random source ids of rows that have lost them: a tool that does not know the column rebuilds the
 * table without it. The Store has them. Must run untracked.
 */
export async function recoverSourceIds(trx: Kysely<Schema>, model: CompiledModel): Promise<void> {
  const { sourceIdColumn: column, types } = model
  if (column === undefined) return
  const type = types[column]
  const found = sql`(select s.source_id from morango_store s where s.id = ${sql.raw(model.id.read(`${quote(model.table)}.id`))}
    and s.model_name = ${model.name})`
  await sql`update ${sql.id(model.table)}
    set ${sql.id(column)} = ${type === undefined ? found : sql`cast(${found} as ${sql.raw(type)})`}
    where ${sql.id(column)} is null and exists ${found}`.execute(trx)
}
