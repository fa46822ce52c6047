import {
  type CompiledQuery,
  type DatabaseConnection,
  type Driver,
  type SqliteDatabase,
  SqliteDialect,
  SqliteDriver,
} from 'kysely'
import { sqliteDialect } from './dialect.ts'

const MAX_WAIT_MS = 30_000
const FIRST_PAUSE_MS = 5
const LONGEST_PAUSE_MS = 250

/**
 * Kysely's dialect for SQLite, but a statement outside of a transaction waits while another process writes,
 * without blocking the event loop. Transactions are begun again by `inTransaction`, which lets others use the
 * connection meanwhile.
 */
export class PatientSqliteDialect extends SqliteDialect {
  readonly #database: SqliteDatabase

  constructor(database: SqliteDatabase) {
    super({ database })
    this.#database = database
  }

  override createDriver(): Driver {
    return new PatientSqliteDriver({ database: this.#database })
  }
}

class PatientSqliteDriver extends SqliteDriver {
  #connection: DatabaseConnection | undefined

  override async acquireConnection(): Promise<DatabaseConnection> {
    return (this.#connection ??= patient(await super.acquireConnection()))
  }

  // After some errors, that of a full disk among them, SQLite has rolled back by itself. What went wrong is to be seen
  // then, not that nothing is left to roll back.
  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    try {
      await super.rollbackTransaction(connection)
    } catch (error) {
      if (!(error instanceof Error && error.message.includes('no transaction is active'))) throw error
    }
  }
}

function patient(connection: DatabaseConnection): DatabaseConnection {
  return {
    executeQuery: async <Row>(query: CompiledQuery) => {
      const giveUpAt = Date.now() + MAX_WAIT_MS
      for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
        try {
          // oxlint-disable-next-line no-await-in-loop
          return await connection.executeQuery<Row>(query)
        } catch (error) {
          if (query.sql === 'begin' || !sqliteDialect.isBusy(error) || Date.now() > giveUpAt) throw error
        }
        const wait = pause
        // oxlint-disable-next-line no-await-in-loop
        await new Promise((resolve) => setTimeout(resolve, wait))
      }
    },
    streamQuery: (query, chunkSize) => connection.streamQuery(query, chunkSize),
  }
}
