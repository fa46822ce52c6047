import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { CompiledModel, SqlValue } from '../../models/compiled.ts'
import { type Query, readSqliteTable } from '../../models/read-sqlite-table.ts'
import type { Dialect, TriggerText } from '../dialect.ts'
import { literal, quote } from '../rows.ts'
import { MIGRATION_MARK } from '../migration-mark.ts'
import { removedFromStore } from '../removed-from-store.ts'
import type { Schema } from '../schema.ts'
import { sqliteHealth } from './health.ts'
import { insertion } from './insertion.ts'

const BUSY = 5
const LOCKED = 6
const CONSTRAINT = 19
const MISMATCH = 20
const TOO_BIG = 18
const NO_ROOM = 13
const SYNCHRONOUS_FULL = 2

/** SQLite 3.45 and later, whatever the driver. */
export const sqliteDialect: Dialect = {
  name: 'sqlite',
  isolation: undefined,
  sideBySide: undefined,
  skipLocked: '',
  checkNow: undefined,
  analyze: undefined,
  makeDurable,
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
  rowsOf,
  hexNumber: (digits) => sql`(('0x' || ${digits}) ->> '$')`,
  noteRemovals: [noteRemovals()],
  equalInIndex: (a, b) => sql`${a} = ${b} collate binary`,
  triggers,
  installedTriggers: async (db) => {
    const rows = await sql<{ name: string; sql: string }>`select name, sql from sqlite_master
      where type = 'trigger' and (name like 'morango\\_log\\_%' escape '\\'
        or name like 'morango\\_note\\_%' escape '\\')`.execute(db)
    return new Map(rows.rows.map((row) => [row.name, row.sql]))
  },
  dropTrigger: (name) => `drop trigger if exists ${quote(name)}`,
  schemaState: async (db) => {
    const found = await sql<{ state: string }>`select schema_version || ':' || coalesce(
      (select value from morango_meta where key = ${MIGRATION_MARK}), '') as state
      from pragma_schema_version`.execute(db)
    return found.rows[0]?.state ?? ''
  },
  readTable: (db, table) => readSqliteTable(queryWith(db), table),
  tableNames: async (db) => {
    const rows = await sql<{ name: string }>`select name from sqlite_master
      where type in ('table', 'view') and name not like 'sqlite\\_%' escape '\\'
      and name not like 'morango\\_%' escape '\\' order by name`.execute(db)
    return rows.rows.map((row) => row.name)
  },
  health: sqliteHealth,
  isBusy: (error) => [BUSY, LOCKED].includes(primaryCode(error) ?? -1),
  isFull: (error) => primaryCode(error) === NO_ROOM,
  isRowFault: (error) => [CONSTRAINT, MISMATCH, TOO_BIG].includes(primaryCode(error) ?? -1),
  canLeaveOut: hasNoTriggers,
  faultyIds: undefined,
  isUniqueFault: (error) =>
    primaryCode(error) === CONSTRAINT &&
    error instanceof Error &&
    error.message.includes('UNIQUE constraint'),
}

// `or ignore` would hold for what triggers of the application write, too. Ours are switched off where rows come from a peer.
async function hasNoTriggers(db: Kysely<Schema>, table: string): Promise<boolean> {
  const found = await sql`select 1 from (select type, name, tbl_name from sqlite_master
      union all select type, name, tbl_name from sqlite_temp_master)
    where type = 'trigger' and lower(tbl_name) = lower(${table})
      and name not like 'morango\\_%' escape '\\' limit 1`.execute(db)
  return found.rows.length === 0
}

// One parameter, where rows as `values` take longer to put into a statement than to look up. JSON has no bytes.
function rowsOf(
  types: readonly (string | undefined)[],
  rows: readonly (readonly SqlValue[])[],
): RawBuilder<unknown> {
  if (rows.some((row) => row.some((value) => value instanceof Uint8Array))) {
    return sql`(select ${sql.join(types.map((_, index) => sql.raw(`column${index + 1} as c${index}`)))}
      from (values ${sql.join(rows.map((row) => sql`(${sql.join(row)})`))}))`
  }
  const json = `[${rows.map((row) => `[${row.map(jsonOf).join(',')}]`).join(',')}]`
  const columns = types.map((_, index) => `value ->> ${index} as c${index}`).join(', ')
  return sql`(select ${sql.raw(columns)} from json_each(${json}))`
}

function noteRemovals(): string {
  return `create trigger morango_store_removed after delete on morango_store begin
    ${removedFromStore(`(('0x' || substr(old.id, 1, 8) || substr(old.id, 26)) ->> '$')`)}; end`
}

function jsonOf(value: SqlValue): string {
  switch (typeof value) {
    case 'bigint':
      return String(value)
    case 'boolean':
      return value ? '1' : '0'
    default:
      return JSON.stringify(value)
  }
}

/**
 * `insert or replace` and `update or replace` evict rows that are in the way, and unless the connection has
 * `recursive_triggers` on, no trigger fires for those. So the rows that may be evicted are noted before, and those
 * that are gone logged after. Triggers of the application may come in between; what is noted as gone stays noted.
 */
function evictions(model: CompiledModel): { readonly note: string; readonly log: string } | undefined {
  if (model.evictingKeys.length === 0) return undefined
  const name = literal(model.name)
  const table = quote(model.table)
  const still = `model_name = ${name} and exists (select 1 from ${table} t where t.id = record_id)`
  const notes = model.evictingKeys.map((key) => {
    const equal = key.map(
      ({ column, collation }) => `t.${quote(column)} = new.${quote(column)} collate ${quote(collation)}`,
    )
    return `insert into morango_evicted (model_name, record_id)
      select ${name}, t.id from ${table} t where ${equal.join(' and ')} and t.id <> new.id;`
  })
  return {
    note: `delete from morango_evicted where ${still}; ${notes.join(' ')}`,
    log: `insert into morango_change_log (model_name, record_id, hard)
      select model_name, record_id, 0 from morango_evicted e
      where e.model_name = ${name} and not exists (select 1 from ${table} t where t.id = e.record_id);
      delete from morango_evicted where model_name = ${name};`,
  }
}

// In WAL mode with `synchronous = normal` commits are not waited for; one that is carries all before it to the disk.
async function makeDurable(db: Kysely<Schema>): Promise<void> {
  await db.connection().execute(async (connection) => {
    const { rows } = await sql<{ synchronous: number }>`pragma synchronous`.execute(connection)
    const usual = rows[0]?.synchronous ?? SYNCHRONOUS_FULL
    if (usual >= SYNCHRONOUS_FULL) return
    await sql`pragma synchronous = full`.execute(connection)
    try {
      await sql`update morango_control set tracking = tracking where id = 1`.execute(connection)
    } finally {
      await sql`pragma synchronous = ${sql.lit(usual)}`.execute(connection)
    }
  })
}

function triggers(model: CompiledModel): TriggerText[] {
  const log = (id: string): string =>
    `insert into morango_change_log (model_name, record_id, hard) values (${literal(model.name)}, ${id}, 0);`
  const trigger = (event: 'insert' | 'update' | 'delete', body: string, when = 'after'): TriggerText => {
    const name = `morango_${when === 'after' ? 'log' : 'note'}_${model.name}_${event}`
    const text =
      `CREATE TRIGGER ${quote(name)} ${when} ${event} on ${quote(model.table)}` +
      ` when (select tracking from morango_control where id = 1) = 1 begin ${body} end`
    return { name, text, statements: [text] }
  }
  const evicted = evictions(model)
  const evictedLog = evicted === undefined ? '' : ` ${evicted.log}`
  const wanted = [
    trigger('insert', log('new.id') + evictedLog),
    // A changed primary key is a deletion and a creation; the second row of the log is harmless otherwise.
    trigger(
      'update',
      `${log('new.id')} insert into morango_change_log (model_name, record_id, hard)
      select ${literal(model.name)}, old.id, 0 where old.id <> new.id;${evictedLog}`,
    ),
    trigger('delete', log('old.id')),
  ]
  if (evicted === undefined) return wanted
  return [...wanted, trigger('insert', evicted.note, 'before'), trigger('update', evicted.note, 'before')]
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
  if (error.code.startsWith('SQLITE_FULL')) return NO_ROOM
  if (error.code.startsWith('SQLITE_CONSTRAINT')) return CONSTRAINT
  if (error.code.startsWith('SQLITE_MISMATCH')) return MISMATCH
  if (error.code.startsWith('SQLITE_TOOBIG')) return TOO_BIG
  return undefined
}
