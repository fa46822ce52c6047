import { DatabaseSync } from 'node:sqlite'
import { sqlite } from '../../src/sqlite.ts'
import type { AppDatabase } from './app-database.ts'

/** The application's own connection to a file. Morango has another one, and sees what this one writes. */
export function openSqlite(file: string): AppDatabase {
  const db = new DatabaseSync(file, { timeout: 10_000 })
  db.exec('pragma journal_mode = wal')
  db.exec('pragma synchronous = normal')
  return {
    forMorango: () => sqlite(file),
    script: async (sql) => {
      db.exec(sql)
    },
    query: async (sql, ...values) => db.prepare(sql).all(...values),
    write: async (sql, ...values) => Number(db.prepare(sql).run(...values).changes),

    async insert(table, rows) {
      const columns = Object.keys(rows[0] ?? {})
      if (columns.length === 0) return
      const insert = db.prepare(
        `insert into ${table} (${columns.join(', ')}) values (${columns.map(() => '?').join(', ')})`,
      )
      db.exec('begin')
      try {
        for (const row of rows) insert.run(...Object.values(row))
        db.exec('commit')
      } catch (error) {
        db.exec('rollback')
        throw error
      }
    },

    async tables() {
      const names = db.prepare(`select name from sqlite_schema where type = 'table'`).all()
      const columns = db.prepare(`select name from pragma_table_info(?)`)
      return new Map(
        names.map(({ name }) => [
          String(name),
          columns.all(name ?? null).map((column) => String(column['name'])),
        ]),
      )
    },

    async close() {
      db.close()
    },
  }
}
