import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import type { SqliteDatabase, SqliteStatement } from 'kysely'

const STATEMENT_CACHE = 200

/**
 * `node:sqlite` as Kysely's `SqliteDialect` wants its driver. Statements are prepared once and kept, least
 * recently used ones dropped. Transactions begin `immediate`: a deferred one that reads first and writes later
 * fails half way when another process wrote in between.
 */
export function nodeSqliteDriver(database: DatabaseSync): SqliteDatabase {
  const statements = new Map<string, SqliteStatement>()
  return {
    close: () => {
      statements.clear()
      if (database.isOpen) database.close()
    },
    prepare: (sql) => {
      const text = sql === 'begin' ? 'begin immediate' : sql
      const cached = statements.get(text)
      if (cached !== undefined) {
        statements.delete(text)
        statements.set(text, cached)
        return cached
      }
      const statement = wrap(database.prepare(text))
      statements.set(text, statement)
      if (statements.size > STATEMENT_CACHE) {
        const oldest = statements.keys().next()
        if (!oldest.done) statements.delete(oldest.value)
      }
      return statement
    },
  }
}

function wrap(statement: StatementSync): SqliteStatement {
  return {
    reader: statement.columns().length > 0,
    all: (parameters) => statement.all(...inputs(parameters)),
    run: (parameters) => statement.run(...inputs(parameters)),
    *iterate(parameters) {
      yield* statement.iterate(...inputs(parameters))
    },
  }
}

function inputs(parameters: readonly unknown[]): SQLInputValue[] {
  return parameters.map((value) => {
    switch (typeof value) {
      case 'string':
      case 'number':
      case 'bigint':
        return value
      case 'boolean':
        return value ? 1 : 0
      default:
        if (value === null || value === undefined) return null
        if (value instanceof Uint8Array) return value
        throw new TypeError(`SQLite cannot take a parameter of type ${Object.prototype.toString.call(value)}`)
    }
  })
}
