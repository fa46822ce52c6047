import { hash } from 'node:crypto'
import { realpathSync } from 'node:fs'
import { resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Kysely, type SqliteDatabase } from 'kysely'
import { useSha256 } from '../../core/sha256.ts'
import type { Database } from '../dialect.ts'
import { thisMachine } from '../machine.ts'
import type { Schema } from '../schema.ts'
import { sqliteDialect } from './dialect.ts'
import { nodeSqliteDriver } from './node-sqlite.ts'
import { PatientSqliteDialect } from './patient-dialect.ts'
import { createPrivately } from './private-file.ts'

useSha256((text) => hash('sha256', text))

// How long a statement blocks the event loop while another connection writes. Then it waits without blocking.
const BUSY_MS = 100

/** How {@link sqlite} opens a file. */
export interface SqliteOptions {
  /** Kilobytes of page cache. Default: 32,000. */
  readonly cacheKilobytes?: number
}

/**
 * A SQLite database for `createMorango`: a path (`node:sqlite` opens it, in WAL mode), or a connection that is
 * open already, of `node:sqlite` or better-sqlite3. Give a path unless the database is in memory: a connection
 * must be for this alone, for what is written through it while a sync runs falls into the sync's transactions.
 *
 * Foreign keys and recursive triggers are switched on for the connection: without the latter an `insert or replace` that
 * evicts another row by a partial unique index would not be seen.
 *
 * A file that is not there yet is made readable by its owner alone (mode 0600), because private keys lie in it. The mode of
 * a file that exists stays as it is; `morango doctor` warns where others can read the keys.
 *
 * @example
 * const morango = await createMorango({ database: sqlite('field.db'), profiles: [gazetteer] })
 */
export function sqlite(
  database: string | DatabaseSync | SqliteDatabase,
  options: SqliteOptions = {},
): Database {
  const opened = typeof database === 'string'
  if (opened) createPrivately(database)
  const connection = opened ? new DatabaseSync(database) : database
  const driver = connection instanceof DatabaseSync ? nodeSqliteDriver(connection) : connection
  for (const pragma of [
    ...(opened ? [`busy_timeout = ${BUSY_MS}`] : []),
    'foreign_keys = on',
    'recursive_triggers = on',
    ...(opened
      ? [
          'journal_mode = wal',
          'synchronous = normal',
          'wal_autocheckpoint = 8000',
          `cache_size = -${options.cacheKilobytes ?? 32_000}`,
        ]
      : []),
  ]) {
    driver.prepare(`pragma ${pragma}`).all([])
  }
  const kysely = new Kysely<Schema>({ dialect: new PatientSqliteDialect(driver) })
  const path = filePath(driver)
  const machine = thisMachine()
  return {
    kysely,
    dialect: sqliteDialect,
    machine,
    fingerprint: () => Promise.resolve(path === undefined ? 'memory' : `${machine.systemId}:${path}`),
    description: path ?? ':memory:',
    close: async () => {
      if (opened) await kysely.destroy()
    },
  }
}

function filePath(driver: SqliteDatabase): string | undefined {
  const rows = driver.prepare('pragma database_list').all([])
  for (const row of rows) {
    if (typeof row !== 'object' || row === null || !('name' in row) || row.name !== 'main') continue
    if ('file' in row && typeof row.file === 'string' && row.file !== '')
      return realpathSync(resolve(row.file))
  }
  return undefined
}
