import { type Kysely, sql } from 'kysely'
import type { CompiledModel } from '../../models/compiled.ts'
import { type Query, readSqliteTable } from '../../models/read-sqlite-table.ts'
import type { Dialect, TriggerText } from '../dialect.ts'
import { literal, quote } from '../rows.ts'
import type { Schema } from '../schema.ts'
import { insertion } from './insertion.ts'

const BUSY = 5
const LOCKED = 6
const CONSTRAINT = 19
const MISMATCH = 20
const TOO_BIG = 18

/** SQLite 3.45 and later, whatever the driver. */
export const sqliteDialect: Dialect = {
  name: 'sqlite',
  isolation: undefined,
  sideBySide: undefined,
  skipLocked: '',
  checkNow: undefined,
  analyze: undefined,
  deletesInWith: false,
  // It is one row, but set back before the transaction ends, and nobody else can write meanwhile.
  setTracking: (on) => sql`update morango_control set tracking = ${on ? 1 : 0} where id = 1`,
  insertion,
  now: sql`cast(unixepoch('subsec') * 1000 as integer)`,
  greatest: (a, b) => sql`max(${a}, ${b})`,
  list: (json) => sql`json_each(${json})`,
  members: (object) => sql`json_each(${object})`,
  objectOf: (key, value) => sql`json_group_object(${key}, ${value})`,
  numberAt: (object, key) => sql`(${object} ->> ${key})`,
  textAt: (object, key) => sql`(${object} ->> ${key})`,
  rowsOf: (types, rows) =>
    sql`(select ${sql.join(types.map((_, index) => sql.raw(`column${index + 1} as c${index}`)))}
      from (values ${sql.join(rows.map((row) => sql`(${sql.join(row)})`))}))`,
  equalInIndex: (a, b) => sql`${a} = ${b} collate binary`,
  triggers,
  installedTriggers: async (db) => {
    const rows = await sql<{ name: string; sql: string }>`select name, sql from sqlite_master
      where type = 'trigger' and name like 'morango\\_log\\_%' escape '\\'`.execute(db)
    return new Map(rows.rows.map((row) => [row.name, row.sql]))
  },
  dropTrigger: (name) => `drop trigger if exists ${quote(name)}`,
  readTable: (db, table) => readSqliteTable(queryWith(db), table),
  tableNames: async (db) => {
    const rows = await sql<{ name: string }>`select name from sqlite_master
      where type in ('table', 'view') and name not like 'sqlite\\_%' escape '\\'
      and name not like 'morango\\_%' escape '\\' order by name`.execute(db)
    return rows.rows.map((row) => row.name)
  },
  isBusy: (error) => [BUSY, LOCKED].includes(primaryCode(error) ?? -1),
  isRowFault: (error) => [CONSTRAINT, MISMATCH, TOO_BIG].includes(primaryCode(error) ?? -1),
  isUniqueFault: (error) =>
    primaryCode(error) === CONSTRAINT &&
    error instanceof Error &&
    error.message.includes('UNIQUE constraint'),
}

function triggers(model: CompiledModel): TriggerText[] {
  const log = (id: string): string =>
    `insert into morango_change_log (model_name, record_id, hard) values (${literal(model.name)}, ${id}, 0);`
  const trigger = (event: 'insert' | 'update' | 'delete', body: string): TriggerText => {
    const name = `morango_log_${model.name}_${event}`
    const text =
      `CREATE TRIGGER ${quote(name)} after ${event} on ${quote(model.table)}` +
      ` when (select tracking from morango_control where id = 1) = 1 begin ${body} end`
    return { name, text, statements: [text] }
  }
  return [
    trigger('insert', log('new.id')),
    // A changed primary key is a deletion and a creation; the second row of the log is harmless otherwise.
    trigger(
      'update',
      `${log('new.id')} insert into morango_change_log (model_name, record_id, hard)
      select ${literal(model.name)}, old.id, 0 where old.id <> new.id;`,
    ),
    trigger('delete', log('old.id')),
  ]
}

// The reader's statements use `?` for parameters and never as text.
function queryWith(db: Kysely<Schema>): Query {
  return async <Row>(text: string, parameters: readonly unknown[]): Promise<Row[]> => {
    const values = [...parameters]
    const parts = text
      .split('?')
      .map((part, index) => (index === 0 ? sql.raw(part) : sql`${values[index - 1]}${sql.raw(part)}`))
    return (await sql<Row>`${sql.join(parts, sql``)}`.execute(db)).rows
  }
}

// node:sqlite gives the extended code as a number, better-sqlite3 its name.
function primaryCode(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined
  if ('errcode' in error && typeof error.errcode === 'number') return error.errcode & 0xff
  if (!('code' in error) || typeof error.code !== 'string') return undefined
  if (error.code.startsWith('SQLITE_BUSY')) return BUSY
  if (error.code.startsWith('SQLITE_LOCKED')) return LOCKED
  if (error.code.startsWith('SQLITE_CONSTRAINT')) return CONSTRAINT
  if (error.code.startsWith('SQLITE_MISMATCH')) return MISMATCH
  if (error.code.startsWith('SQLITE_TOOBIG')) return TOO_BIG
  return undefined
}
