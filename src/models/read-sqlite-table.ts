import { sqliteType } from './sqlite-types.ts'
import type { ColumnInfo, ForeignKeyInfo, TableInfo, UniqueIndexInfo, UniqueKey } from './table-info.ts'

/** Runs one statement and gives its rows. */
export type Query = <Row>(sql: string, parameters: readonly unknown[]) => Promise<Row[]>

interface ColumnRow {
  readonly name: string
  readonly type: string
  readonly notnull: number
  readonly dflt_value: string | null
  readonly pk: number
  readonly hidden: number
}

interface ForeignKeyRow {
  readonly id: number
  readonly table: string
  readonly from: string
  readonly to: string | null
}

interface IndexRow {
  readonly name: string
  readonly partial: number
  /** Null for an expression. */
  readonly column: string | null
  readonly collation: string
}

const TABLE = `
  select name, type from pragma_table_list where schema = 'main' and lower(name) = lower(?)`
const TABLES = `
  select name from pragma_table_list where schema = 'main' and type in ('table', 'view', 'virtual')
  and name not like 'sqlite\\_%' escape '\\' order by name`
const COLUMNS = `
  select name, type, "notnull", dflt_value, pk, hidden from pragma_table_xinfo(?) order by cid`
const FOREIGN_KEYS = `
  select id, "table", "from", "to" from pragma_foreign_key_list(?) order by id, seq`
const UNIQUE_INDEXES = `
  select i.name as name, i.partial as partial, c.name as "column", c.coll as collation
  from pragma_index_list(?) as i join pragma_index_xinfo(i.name) as c
  where i."unique" = 1 and i.origin <> 'pk' and c.key = 1 order by i.seq, c.seqno`

/** Describes a table of a SQLite database; undefined when there is none of that name. */
export async function readSqliteTable(query: Query, table: string): Promise<TableInfo | undefined> {
  const [found] = await query<{ name: string; type: string }>(TABLE, [table])
  if (found === undefined) return undefined
  const { name } = found
  const columns = await query<ColumnRow>(COLUMNS, [name])
  const foreignKeys = await query<ForeignKeyRow>(FOREIGN_KEYS, [name])
  const indexes = await query<IndexRow>(UNIQUE_INDEXES, [name])
  const key = columns.filter(({ pk }) => Number(pk) > 0).sort((a, b) => Number(a.pk) - Number(b.pk))
  return {
    name,
    type: found.type === 'view' || found.type === 'virtual' ? found.type : 'table',
    columns: columns.filter(({ hidden }) => Number(hidden) === 0).map(toColumn),
    generatedColumns: columns.filter(({ hidden }) => Number(hidden) > 1).map((column) => column.name),
    primaryKey: key.map((column) => column.name),
    foreignKeys: toForeignKeys(foreignKeys, columns),
    uniqueIndexes: toUniqueIndexes(indexes),
    evictingKeys: toEvictingKeys(indexes),
  }
}

/** Describes all tables of a SQLite database, by name, SQLite's own left out. */
export async function readSqliteTables(query: Query): Promise<ReadonlyMap<string, TableInfo>> {
  const tables = new Map<string, TableInfo>()
  for (const { name } of await query<{ name: string }>(TABLES, [])) {
    const table = await readSqliteTable(query, name)
    if (table !== undefined) tables.set(name, table)
  }
  return tables
}

function toColumn(column: ColumnRow): ColumnInfo {
  return {
    name: column.name,
    declaredType: column.type,
    ...sqliteType(column.type),
    nullable: Number(column.notnull) === 0,
    defaultSql: column.dflt_value ?? undefined,
  }
}

function toForeignKeys(rows: readonly ForeignKeyRow[], columns: readonly ColumnRow[]): ForeignKeyInfo[] {
  // A constraint may spell a column with other capitals than the table does.
  const names = new Map(columns.map(({ name }) => [name.toLowerCase(), name]))
  const keys = Map.groupBy(rows, ({ id }) => Number(id))
  return Array.from(keys.values(), (parts) => ({
    columns: parts.map(({ from }) => names.get(from.toLowerCase()) ?? from),
    targetTable: parts[0]?.table ?? '',
    targetColumns: parts.flatMap(({ to }) => (to === null ? [] : [to])),
  }))
}

// Of a partial index and of one on expressions the row in the way cannot be found by an equality alone.
function toEvictingKeys(rows: readonly IndexRow[]): UniqueKey[] {
  const indexes = [...Map.groupBy(rows, ({ name }) => name).values()]
  return indexes
    .map((parts) =>
      parts.flatMap(({ partial, column, collation }) =>
        column === null || Number(partial) === 1 ? [] : [{ column, collation }],
      ),
    )
    .filter((key, index) => key.length > 0 && key.length === indexes[index]?.length)
}

function toUniqueIndexes(rows: readonly IndexRow[]): UniqueIndexInfo[] {
  return Array.from(
    Map.groupBy(rows, ({ name }) => name),
    ([name, parts]) => ({
      name,
      columns: parts.flatMap(({ column }) => (column === null ? [] : [column])),
      partial: Number(parts[0]?.partial) === 1,
      exact:
        Number(parts[0]?.partial) === 0 &&
        parts.every(({ column, collation }) => column !== null && collation === 'BINARY'),
    }),
  )
}
