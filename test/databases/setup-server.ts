import pg from 'pg'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  export interface ProvidedContext {
    /** The run's own database on the server, empty where no server is reached. */
    postgresUrl: string
  }
}

const PREFIX = 'morango_test_'
const STALE_MS = 3_600_000

async function databasesLike(admin: pg.Client, prefix: string): Promise<string[]> {
  const { rows } = await admin.query<{ name: string }>(
    'select datname as name from pg_database where starts_with(datname, $1)',
    [prefix],
  )
  return rows.map(({ name }) => name)
}

/**
 * Makes a database for this run, and drops it when it ends, with those that its workers have made; also those that
 * killed runs have left.
 */
export default async function setUp(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const url = process.env['MORANGO_TEST_POSTGRES_URL'] ?? 'postgres://postgres@127.0.0.1:5432/postgres'
  const admin = new pg.Client({ connectionString: url, connectionTimeoutMillis: 3000 })
  try {
    await admin.connect()
  } catch (error) {
    const reason = `No PostgreSQL server at ${new URL(url).host} (${String(error)}): set MORANGO_TEST_POSTGRES_URL.`
    if (process.env['CI'] === 'true') throw new Error(reason, { cause: error })
    console.warn(`${reason} Its tests are skipped.`)
    project.provide('postgresUrl', '')
    return undefined
  }
  for (const name of await databasesLike(admin, PREFIX)) {
    const age = Date.now() - Number(name.slice(PREFIX.length).split('_')[0])
    if (age > STALE_MS) await admin.query(`drop database if exists "${name}" with (force)`)
  }
  const name = `${PREFIX}${Date.now()}_${process.pid}`
  await admin.query(`create database ${name}`)
  const own = new URL(url)
  own.pathname = `/${name}`
  project.provide('postgresUrl', own.href)
  return async () => {
    for (const own of await databasesLike(admin, name)) {
      await admin.query(`drop database ${own} with (force)`)
    }
    await admin.end()
  }
}
