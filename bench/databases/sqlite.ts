import { copyFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { sql } from 'kysely'
import { sqlite } from '../../src/sqlite.ts'
import type { BenchDatabase, PlainDatabase, PlainRow } from './database.ts'

const PARTS = ['', '-wal', '-shm']

/** A SQLite file, opened by `node:sqlite`. */
export const sqliteFile: BenchDatabase = {
  locate: (directory, name) => join(directory, `${name}.db`),
  create: async () => {},
  remove: async () => {},
  open: (at) => sqlite(at),
  openPlain,
  save: async (at) => await copyFile(at, saved(at)),
  restore: async (at) => {
    await Promise.all(PARTS.map(async (part) => await rm(at + part, { force: true })))
    await copyFile(saved(at), at)
  },
  bytes: async (at) => (await stat(at)).size,
}

async function openPlain(at: string): Promise<PlainDatabase> {
  const settings = await librarySettings(at)
  const database = new DatabaseSync(at)
  for (const setting of settings) database.exec(setting)
  return {
    selectAll: async (tables) =>
      Object.fromEntries(
        tables.map((table) => [table, database.prepare(`select * from ${table}`).all().map(toPlainRow)]),
      ),
    insertAll: async (tables) => {
      database.exec('begin immediate')
      for (const [table, rows] of Object.entries(tables)) insertRows(database, table, rows)
      database.exec('commit')
    },
    close: async () => database.close(),
  }
}

function insertRows(database: DatabaseSync, table: string, rows: readonly PlainRow[]): void {
  const [first] = rows
  if (first === undefined) return
  const columns = Object.keys(first)
  const statement = database.prepare(
    `insert into ${table} (${columns.join(', ')}) values (${columns.map(() => '?').join(', ')})`,
  )
  for (const row of rows) statement.run(...Object.values(row))
}

// These tables hold texts and numbers.
function toPlainRow(row: object): PlainRow {
  return row as PlainRow
}

const SETTINGS = [
  'journal_mode',
  'foreign_keys',
  'recursive_triggers',
  'synchronous',
  'wal_autocheckpoint',
  'cache_size',
  'cache_spill',
  'mmap_size',
  'temp_store',
]

// What the library sets on its connection, whatever that is, is set on the plain one.
async function librarySettings(at: string): Promise<string[]> {
  const library = sqlite(at)
  const settings: string[] = []
  for (const name of SETTINGS) {
    // oxlint-disable-next-line no-await-in-loop
    const { rows } = await sql.raw<Record<string, unknown>>(`pragma ${name}`).execute(library.kysely)
    const [value] = Object.values(rows[0] ?? {})
    if (typeof value === 'string' || typeof value === 'number') settings.push(`pragma ${name} = ${value}`)
  }
  await library.close()
  return settings
}

function saved(at: string): string {
  return `${at}.saved`
}
