import { basename } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { postgres } from '../../src/postgres.ts'
import { copyStatement, copyText } from './copy-text.ts'
import type { BenchDatabase, PlainDatabase, PlainRow } from './database.ts'

const DEFAULT_URL = 'postgres://postgres@127.0.0.1:5432/postgres'

/** A database of its own on a PostgreSQL server, by a connection string. */
export const postgresServer: BenchDatabase = {
  locate: (directory, name) => {
    const url = new URL(serverUrl())
    url.pathname = `/${basename(directory)}_${name}`.replaceAll('-', '_')
    return url.href
  },
  create: async (at) =>
    await onServer(async (server) => {
      await server.query(`create database ${identifier(at)} template template0`)
    }),
  remove: async (at) =>
    await onServer(async (server) => {
      await server.query(`drop database if exists ${identifier(at)} with (force)`)
      await server.query(`drop database if exists ${savedIdentifier(at)} with (force)`)
    }),
  open: (at) => postgres(at),
  openPlain,
  save: async (at) =>
    await onServer(async (server) => {
      await analyze(at)
      await endSessions(server, at)
      await server.query(`create database ${savedIdentifier(at)} template ${identifier(at)}`)
    }),
  restore: async (at) =>
    await onServer(async (server) => {
      await server.query(`drop database if exists ${identifier(at)} with (force)`)
      await server.query(`create database ${identifier(at)} template ${savedIdentifier(at)}`)
      // So that none falls into what is measured.
      await server.query('checkpoint')
    }),
  bytes: async (at) =>
    await onServer(async (server) => {
      const found = await server.query<{ bytes: string }>('select pg_database_size($1) as bytes', [
        databaseName(at),
      ])
      return Number(found.rows[0]?.bytes)
    }),
}

/** The server to measure on. */
export function serverUrl(): string {
  return process.env['MORANGO_BENCH_POSTGRES_URL'] ?? process.env['MORANGO_TEST_POSTGRES_URL'] ?? DEFAULT_URL
}

async function openPlain(at: string): Promise<PlainDatabase> {
  const client = new pg.Client(at)
  await client.connect()
  return {
    selectAll: async (tables) => {
      const all: Record<string, PlainRow[]> = {}
      for (const table of tables) {
        // oxlint-disable-next-line no-await-in-loop
        all[table] = (await client.query<PlainRow>(`select * from ${table}`)).rows
      }
      return all
    },
    insertAll: async (tables) => {
      await client.query('begin')
      for (const [table, rows] of Object.entries(tables)) {
        const [first] = rows
        if (first === undefined) continue
        const copy = client.query(copyFrom(copyStatement(table, first, 'stdin')))
        // oxlint-disable-next-line no-await-in-loop
        await pipeline(Readable.from(copyText(rows)), copy)
      }
      await client.query('commit')
    },
    close: async () => await client.end(),
  }
}

// As a server does by itself a minute after so many rows were written.
async function analyze(at: string): Promise<void> {
  await withClient(at, async (client) => {
    await client.query('vacuum analyze')
  })
}

// A database can be copied only when nobody is connected; a connection that was closed takes a moment to end.
async function endSessions(server: pg.Client, at: string): Promise<void> {
  await server.query('select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = $1', [
    databaseName(at),
  ])
}

async function onServer<Result>(work: (server: pg.Client) => Promise<Result>): Promise<Result> {
  return await withClient(serverUrl(), work)
}

async function withClient<Result>(
  url: string,
  work: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000 })
  try {
    await client.connect()
  } catch (error) {
    throw new Error(
      `No PostgreSQL server at ${new URL(url).host} (${String(error)}): set MORANGO_BENCH_POSTGRES_URL.`,
      { cause: error },
    )
  }
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

function databaseName(at: string): string {
  return new URL(at).pathname.slice(1)
}

function identifier(at: string): string {
  return pg.escapeIdentifier(databaseName(at))
}

function savedIdentifier(at: string): string {
  return pg.escapeIdentifier(`${databaseName(at)}_saved`)
}
