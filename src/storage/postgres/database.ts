import { hash } from 'node:crypto'
import { type Dialect as KyselyDialect, Kysely, PGliteDialect, PostgresDialect, sql } from 'kysely'
import type { Pool } from 'pg'
import { useSha256 } from '../../core/sha256.ts'
import type { Database } from '../dialect.ts'
import { serverMachine, thisMachine } from '../machine.ts'
import type { Schema } from '../schema.ts'
import { pgliteDialect, postgresDialect } from './dialect.ts'
import { codeOf } from './errors.ts'
import { typedPool } from './pg-pool.ts'
import { type PGliteLike, typedPGlite } from './pglite.ts'

useSha256((text) => hash('sha256', text))

const NOT_PERMITTED = '42501'

/** How {@link postgres} opens a database. */
export interface PostgresOptions {
  /** The most connections to have at once, for a connection string. Default: 10. */
  readonly maxConnections?: number
}

/**
 * A PostgreSQL database for `createMorango`: a connection string (`pg` opens a pool, which is closed with the
 * database), a pool of `pg`, or a PGlite instance. Our tables and triggers are made in the current schema, the first of the
 * search path. The parsers and settings of a pool or an instance that is given do not matter.
 *
 * Needs `pg` 8, or `@electric-sql/pglite` 0.5.
 *
 * @example
 * const morango = await createMorango({
 *   database: postgres('postgres://app@db.example/clinic'),
 *   profiles: [clinic],
 * })
 */
export function postgres(database: string | Pool | PGliteLike, options: PostgresOptions = {}): Database {
  if (typeof database === 'string') {
    const kysely = kyselyOn(
      new PostgresDialect({ pool: async () => typedPool(await openPool(database, options)) }),
    )
    return onServer(kysely, describeUrl(database), () => kysely.destroy())
  }
  if (isPGlite(database)) return onPGlite(database)
  const kysely = kyselyOn(new PostgresDialect({ pool: typedPool(database) }))
  const { host, database: name } = database.options
  return onServer(kysely, `PostgreSQL ${[host, name].filter(Boolean).join('/')}`.trim(), noClosing)
}

async function openPool(connectionString: string, { maxConnections = 10 }: PostgresOptions): Promise<Pool> {
  const { default: pg } = await import('pg')
  const pool = new pg.Pool({ connectionString, max: maxConnections })
  // An idle connection that breaks is replaced; without a listener it would end the process.
  pool.on('error', () => undefined)
  return pool
}

function onServer(kysely: Kysely<Schema>, description: string, close: () => Promise<void>): Database {
  return {
    kysely,
    dialect: postgresDialect,
    machine: serverMachine(),
    fingerprint: () => serverFingerprint(kysely),
    description,
    close,
  }
}

function onPGlite(pglite: PGliteLike & { readonly dataDir?: string | undefined }): Database {
  const machine = thisMachine()
  const { dataDir } = pglite
  return {
    kysely: kyselyOn(new PGliteDialect({ pglite: typedPGlite(pglite) })),
    dialect: pgliteDialect,
    machine,
    fingerprint: () => Promise.resolve(dataDir === undefined ? 'memory' : `${machine.systemId}:${dataDir}`),
    description: `PGlite ${dataDir ?? 'in memory'}`,
    close: noClosing,
  }
}

/** Which database of which server, and which schema of it: a copy has another, wherever it was made. */
async function serverFingerprint(kysely: Kysely<Schema>): Promise<string> {
  const own = sql`(select cast(oid as text) from pg_catalog.pg_database where datname = current_database())
    || ':' || coalesce(current_schema(), '')`
  try {
    const found = await sql<{ text: string }>`select cast((pg_control_system()).system_identifier as text)
      || ':' || ${own} as text`.execute(kysely)
    return found.rows[0]?.text ?? ''
  } catch (error) {
    if (codeOf(error) !== NOT_PERMITTED) throw error
  }
  const found = await sql<{ text: string }>`select ${own} as text`.execute(kysely)
  return found.rows[0]?.text ?? ''
}

function kyselyOn(dialect: KyselyDialect): Kysely<Schema> {
  return new Kysely<Schema>({ dialect })
}

function isPGlite(database: Pool | PGliteLike): database is PGliteLike {
  return 'waitReady' in database
}

function describeUrl(connectionString: string): string {
  if (!URL.canParse(connectionString)) return 'PostgreSQL'
  const { host, pathname } = new URL(connectionString)
  return `PostgreSQL ${host}${pathname}`
}

async function noClosing(): Promise<void> {
  // Whoever opened it closes it.
}
