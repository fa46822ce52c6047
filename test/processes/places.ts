import type { Database } from '../../src/index.ts'
import { postgres } from '../../src/postgres.ts'
import { sqlite } from '../../src/sqlite.ts'

/** Where a database is that several processes open: a SQLite file, or one on a PostgreSQL server. */
export interface Place {
  readonly kind: 'sqlite' | 'postgres'
  /** The file's path, or the URL. */
  readonly at: string
}

/** Opens it, with connections of its own. */
export function openPlace({ kind, at }: Place, maxConnections = 4): Database {
  return kind === 'sqlite' ? sqlite(at) : postgres(at, { maxConnections })
}
