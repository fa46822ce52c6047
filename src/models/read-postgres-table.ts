import { postgresType } from './postgres-types.ts'
import type { PostgresType } from './postgres-types.ts'
import type { ColumnInfo, ForeignKeyInfo, TableInfo, UniqueIndexInfo } from './table-info.ts'

/** Runs one statement, its parameters written `$1`, `$2` …, and gives its rows. */
export type PostgresQuery = <Row>(sql: string, parameters: readonly unknown[]) => Promise<Row[]>

interface ColumnRow extends PostgresType {
  readonly column: string
  readonly declared: string
  readonly castType: string
  readonly nullable: boolean
  readonly default: string | null
  readonly generated: boolean
}

interface KeyRow {
  readonly constraint: string
  readonly type: 'f' | 'p'
  readonly column: string
  readonly target: string | null
  readonly target_column: string | null
}

const COLUMNS = `
  with recursive base as (
    select a.attnum, t.oid as type, case when t.typtype = 'd' then t.typtypmod else a.atttypmod end as modifier,
      t.typtype, t.typbasetype, a.attnotnull or t.typnotnull as not_null
    from pg_catalog.pg_attribute a join pg_catalog.pg_type t on t.oid = a.atttypid
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    union all
    select b.attnum, t.oid, case when t.typtype = 'd' then t.typtypmod else b.modifier end, t.typtype,
      t.typbasetype, b.not_null or t.typnotnull
    from base b join pg_catalog.pg_type t on t.oid = b.typbasetype where b.typtype = 'd'
  )
  select a.attname as "column", pg_catalog.format_type(a.atttypid, a.atttypmod) as declared,
    pg_catalog.format_type(t.oid, -1) as "castType",
    coalesce(e.typname, t.typname) as name, e.oid is not null as "isArray",
    coalesce(e.typtype, t.typtype) = 'e' as "isEnum", b.modifier as modifier, not b.not_null as nullable,
    case when a.attcollation <> 0
      then (select quote_ident(n.nspname) || '.' || quote_ident(l.collname) from pg_catalog.pg_collation l
        join pg_catalog.pg_namespace n on n.oid = l.collnamespace where l.oid = a.attcollation) end as collation,
    case when a.attidentity <> '' then 'identity' else pg_catalog.pg_get_expr(d.adbin, d.adrelid) end as "default",
    a.attgenerated <> '' as generated
  from base b
  join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum = b.attnum
  join pg_catalog.pg_type t on t.oid = b.type
  left join pg_catalog.pg_type e on e.oid = t.typelem and t.typcategory = 'A'
  left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
  where b.typtype <> 'd' order by a.attnum`
const KEYS = `
  select k.conname as constraint, cast(k.contype as text) as type, a.attname as "column", t.relname as target,
    f.attname as target_column
  from pg_catalog.pg_constraint k
  cross join lateral unnest(k.conkey) with ordinality as u (number, place)
  join pg_catalog.pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.number
  left join pg_catalog.pg_class t on t.oid = k.confrelid
  left join pg_catalog.pg_attribute f on f.attrelid = k.confrelid and f.attnum = k.confkey[u.place]
  where k.conrelid = c.oid and k.contype in ('f', 'p')
    and (k.contype = 'p' or pg_catalog.pg_table_is_visible(k.confrelid))
  order by k.oid, u.place`
const UNIQUE_INDEXES = `
  select x.relname as name, i.indpred is not null as partial, a.attname as "column",
    i.indpred is null and a.attname is not null and a.attcollation = i.indcollation[k.place - 1] as exact
  from pg_catalog.pg_index i
  join pg_catalog.pg_class x on x.oid = i.indexrelid
  cross join lateral unnest(i.indkey) with ordinality as k (number, place)
  left join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.number and k.number <> 0
  where i.indrelid = c.oid and i.indisunique and not i.indisprimary and k.place <= i.indnkeyatts
  order by x.relname, k.place`
const listOf = (rows: string): string => `cast((select coalesce(json_agg(x), '[]') from (${rows}) x) as text)`
// A name is looked for on the search path: exact, or else in other capitals.
const TABLE = `
  select c.relname as name, cast(c.relkind as text) as kind, ${listOf(COLUMNS)} as columns,
    ${listOf(KEYS)} as keys, ${listOf(UNIQUE_INDEXES)} as indexes
  from pg_catalog.pg_class c
  where c.relkind in ('r', 'p', 'v', 'm', 'f') and pg_catalog.pg_table_is_visible(c.oid)
    and lower(c.relname) = lower($1) order by c.relname <> $1 limit 1`

interface TableRow {
  readonly name: string
  readonly kind: string
  /** Lists of rows as JSON. */
  readonly columns: string
  readonly keys: string
  readonly indexes: string
}

interface IndexRow {
  readonly name: string
  readonly partial: boolean
  readonly column: string | null
  readonly exact: boolean
}

/** Describes a table on the search path of a PostgreSQL database; undefined when there is none of that name. */
export async function readPostgresTable(query: PostgresQuery, table: string): Promise<TableInfo | undefined> {
  const [found] = await query<TableRow>(TABLE, [table])
  if (found === undefined) return undefined
  const columns: ColumnRow[] = JSON.parse(found.columns)
  const keys: KeyRow[] = JSON.parse(found.keys)
  const indexes: IndexRow[] = JSON.parse(found.indexes)
  const isTable = found.kind === 'r' || found.kind === 'p'
  return {
    name: found.name,
    type: isTable ? 'table' : found.kind === 'f' ? 'virtual' : 'view',
    columns: columns.filter(({ generated }) => !generated).map(toColumn),
    generatedColumns: columns.filter(({ generated }) => generated).map(({ column }) => column),
    primaryKey: keys.filter(({ type }) => type === 'p').map(({ column }) => column),
    foreignKeys: toForeignKeys(keys.filter(({ type }) => type === 'f')),
    uniqueIndexes: toUniqueIndexes(indexes),
  }
}

function toColumn(row: ColumnRow): ColumnInfo {
  return {
    name: row.column,
    declaredType: row.declared,
    castType: row.castType,
    ...postgresType(row),
    nullable: row.nullable,
    defaultSql: row.default ?? undefined,
  }
}

function toForeignKeys(rows: readonly KeyRow[]): ForeignKeyInfo[] {
  return Array.from(Map.groupBy(rows, ({ constraint }) => constraint).values(), (parts): ForeignKeyInfo => ({
    columns: parts.map(({ column }) => column),
    targetTable: parts[0]?.target ?? '',
    targetColumns: parts.flatMap(({ target_column: column }) => column ?? []),
  }))
}

function toUniqueIndexes(rows: readonly IndexRow[]): UniqueIndexInfo[] {
  return Array.from(
    Map.groupBy(rows, ({ name }) => name),
    ([name, parts]) => ({
      name,
      columns: parts.flatMap(({ column }) => column ?? []),
      partial: parts[0]?.partial === true,
      exact: parts.every(({ exact }) => exact),
    }),
  )
}
