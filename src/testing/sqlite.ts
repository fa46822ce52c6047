import { DatabaseSync } from 'node:sqlite'
import { sqlite } from '../storage/sqlite/database.ts'
import type { TestDatabase } from './test-database.ts'

/** A SQLite database in memory, by `node:sqlite`: the default of test networks. */
export function memorySqlite(): TestDatabase {
  const connection = new DatabaseSync(':memory:')
  return {
    open: () => sqlite(connection),
    crash: () => {
      if (connection.isTransaction) connection.exec('rollback')
    },
    destroy: () => connection.close(),
  }
}
