import pg from 'pg'
import { inject } from 'vitest'
import { postgres } from '../../src/postgres.ts'
import type { Database } from '../../src/storage/dialect.ts'
import type { TestDatabase } from '../../src/testing/index.ts'

// Some tests look at who waits for whom in their database, so workers do not share one.
const url = await ownDatabase(inject('postgresUrl'))
const admin = new pg.Pool({ connectionString: url, max: 2 })
let serial = 0

const END_CONNECTIONS = 'select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1'

async function ownDatabase(runs: string): Promise<string> {
  if (runs === '') return runs
  const own = new URL(runs)
  own.pathname += `_${process.env['VITEST_POOL_ID']}`
  const client = new pg.Client({ connectionString: runs })
  await client.connect()
  const name = own.pathname.slice(1)
  const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [name])
  if (rowCount === 0) await client.query(`create database ${name}`)
  await client.end()
  return own.href
}

/** A database on the server, with the URL by which others may reach it. */
export interface ServerDatabase extends TestDatabase {
  readonly url: string
  open(): Database
}

/** A schema of the run's database on the server, with connections of its own. */
export async function makeOnServer(): Promise<ServerDatabase> {
  const schema = `peer_${process.pid}_${serial++}`
  await admin.query(`create schema ${schema}`)
  const own = new URL(url)
  // What a test has written need not outlive the machine.
  own.searchParams.set('options', `-c search_path=${schema} -c synchronous_commit=off`)
  own.searchParams.set('application_name', schema)
  const pools: pg.Pool[] = []
  const crash = async (): Promise<void> => {
    // The server's own way of waiting for the end of a connection looks only every tenth of a second.
    while ((await admin.query(END_CONNECTIONS, [schema])).rowCount !== 0);
    for (const pool of pools.splice(0)) pool.end().catch(() => undefined)
  }
  return {
    url: own.href,
    open: () => {
      const pool = new pg.Pool({ connectionString: own.href, max: 4 })
      pool.on('error', () => undefined)
      pools.push(pool)
      return postgres(pool)
    },
    crash,
    destroy: async () => {
      await crash()
      await admin.query(`drop schema ${schema} cascade`)
    },
  }
}
