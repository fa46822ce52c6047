import { copyFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { sqlite } from '../../src/sqlite.ts'
import type { BenchDatabase, PlainDatabase, PlainRow } from './kinds.ts'

/** A SQLite file, opened by `node:sqlite`. */
export const sqliteFile: BenchDatabase = {
  locate: (directory, name) => join(directory, `${name}.db`),
  open: (at) => sqlite(at),
  openPlain,
  save: async (at) => await copyFile(at, saved(at)),
  restore: async (at) => {
    await removeFile(at)
    await copyFile(saved(at), at)
  },
  bytes: async (at) => {
    const sizes = await Promise.all([at, `${at}-wal`].map(async (file) => (await stat(file).catch(() => undefined))?.size))
    return sizes.reduce<number>((total, size) => total + (size ?? 0), 0)
  },
}

function openPlain(at: string): PlainDatabase {
  const database = new DatabaseSync(at)
  copySettings(at, database)
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

// `all` gives null-prototype objects of what SQLite holds; these tables hold texts and numbers.
function toPlainRow(row: Readonly<Record<string, unknown>>): PlainRow {
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

// What the library sets on its connections is set on the plain one, whatever it is.
function copySettings(at: string, database: DatabaseSync): void {
  const like = new DatabaseSync(at)
  const library = sqlite(like)
  for (const name of SETTINGS) {
    const [value] = Object.values(like.prepare(`pragma ${name}`).get() ?? {})
    if (typeof value === 'string' || typeof value === 'number') database.exec(`pragma ${name} = ${value}`)
  }
  void library
  like.close()
}

async function removeFile(at: string): Promise<void> {
  await Promise.all(['', '-wal', '-shm'].map(async (suffix) => await rm(at + suffix, { force: true })))
}

function saved(at: string): string {
  return `${at}.saved`
}
