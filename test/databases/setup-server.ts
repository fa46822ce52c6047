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

/** Makes a database for this run, dropped when it ends; also those that killed runs have left. */
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
  const { rows } = await admin.query<{ name: string }>(
    `select datname as name from pg_database where datname like '${PREFIX}%'`,
  )
  for (const { name } of rows) {
    const age = Date.now() - Number(name.slice(PREFIX.length).split('_')[0])
    if (age > STALE_MS) await admin.query(`drop database if exists "${name}" with (force)`)
  }
  const name = `${PREFIX}${Date.now()}_${process.pid}`
  await admin.query(`create database ${name}`)
  const own = new URL(url)
  own.pathname = `/${name}`
  project.provide('postgresUrl', own.href)
  return async () => {
    await admin.query(`drop database ${name} with (force)`)
    await admin.end()
  }
}
