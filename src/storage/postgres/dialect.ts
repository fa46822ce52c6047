import { type Kysely, sql } from 'kysely'
import { type PostgresQuery, readPostgresTable } from '../../models/read-postgres-table.ts'
import type { Dialect } from '../dialect.ts'
import type { Schema } from '../schema.ts'
import { sideBySide } from './side-by-side.ts'
import { codeOf, faultyIds, isBusy, isFull, isRowFault } from './errors.ts'
import { postgresHealth } from './health.ts'
import { insertion, rowsOf } from './insertion.ts'
import { dropTrigger, installedTriggers, noteRemovals, schemaState, triggers } from './triggers.ts'

/** PostgreSQL 14 and later, and PGlite. Our tables are in the current schema, the first of the search path. */
export const postgresDialect: Dialect = {
  name: 'postgres',
  isolation: 'repeatable read',
  sideBySide,
  skipLocked: 'for update skip locked',
  checkNow: 'set constraints all immediate',
  // Whoever holds the lock that it takes does the same.
  analyze: (table, columns) => `analyze (skip_locked) ${table} (${columns.join(', ')})`,
  makeDurable: undefined,
  deletesInWith: true,
  setTracking: (on) => sql`select set_config('morango.tracking', ${on ? 'on' : 'off'}, true)`,
  insertion,
  now: sql`cast(extract(epoch from clock_timestamp()) * 1000 as bigint)`,
  greatest: (a, b) => sql`greatest(${a}, ${b})`,
  list: (json) => sql`json_array_elements_text(cast(${json} as json))`,
  members: (object) => sql`json_each_text(cast(${object} as json))`,
  objectOf: (key, value) => sql`cast(json_object_agg(${key}, ${value}) as text)`,
  numberAt: (object, key) => sql`cast(cast(${object} as json) ->> ${key} as integer)`,
  textAt: (object, key) => sql`(cast(${object} as json) ->> ${key})`,
  rowsOf,
  hexNumber: (digits) => sql`cast(cast('x' || ${digits} as bit(60)) as bigint)`,
  noteRemovals,
  equalInIndex: (a, b) => sql`${a} = ${b}`,
  triggers,
  installedTriggers,
  dropTrigger,
  schemaState,
  readTable: (db, table) => readPostgresTable(queryWith(db), table),
  tableNames: async (db) => {
    const rows = await sql<{ name: string }>`select c.relname as name from pg_catalog.pg_class c
      where c.relkind in ('r', 'p', 'v') and pg_catalog.pg_table_is_visible(c.oid)
        and c.relname not like 'morango\\_%' and not c.relispartition
        and c.relnamespace not in (select oid from pg_catalog.pg_namespace
          where nspname in ('pg_catalog', 'information_schema'))
      order by c.relname`.execute(db)
    return rows.rows.map((row) => row.name)
  },
  health: postgresHealth,
  isBusy,
  canLeaveOut: undefined,
  faultyIds,
  isFull,
  isRowFault,
  isUniqueFault: (error) => codeOf(error) === UNIQUE_VIOLATION,
}

const UNIQUE_VIOLATION = '23505'

/** The same in one session, which a transaction has to itself. */
export const pgliteDialect: Dialect = { ...postgresDialect, sideBySide: undefined }

// The reader's statements use `$1` for their one parameter and never as text.
function queryWith(db: Kysely<Schema>): PostgresQuery {
  return async <Row>(text: string, [value]: readonly unknown[]): Promise<Row[]> => {
    const parts = text.split('$1').map((part) => sql.raw(part))
    return (await sql<Row>`${sql.join(parts, sql`${value}`)}`.execute(db)).rows
  }
}
