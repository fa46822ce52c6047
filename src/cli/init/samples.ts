import { sql } from 'kysely'
import type { Database } from '../../storage/dialect.ts'
import type { TableInfo } from '../../models/table-info.ts'

/** One value of a column that is not null. */
export interface Sample {
  /** What the value is, whatever the column was declared as: SQLite's `typeof`. */
  readonly type: string
  readonly text: string
}

/** Values by column; columns without any have an empty list. */
export type Samples = ReadonlyMap<string, readonly Sample[]>

/** A table of the database with some of its values. */
export interface SampledTable {
  readonly info: TableInfo
  readonly samples: Samples
}

const SAMPLED = 200
const LONGEST = 4000

/** All tables that are not ours, with some values of each column. Reads only. */
export async function readSampledTables({ kysely, dialect }: Database): Promise<SampledTable[]> {
  const tables: SampledTable[] = []
  for (const name of await dialect.tableNames(kysely)) {
    const info = await dialect.readTable(kysely, name)
    if (info === undefined) continue
    const samples = new Map<string, readonly Sample[]>()
    for (const column of info.type === 'table' ? info.columns : []) {
      const value = sql.id(column.name)
      const type = dialect.name === 'sqlite' ? sql`typeof(${value})` : sql`'text'`
      const found = await sql<Sample>`select type, substr(value, 1, ${LONGEST}) as text from (
        select ${type} as type, cast(${value} as text) as value from ${sql.id(info.name)}
        where ${value} is not null limit ${SAMPLED}) x`.execute(kysely)
      samples.set(column.name, found.rows)
    }
    tables.push({ info, samples })
  }
  return tables
}
