import { existsSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { Database } from '../../storage/dialect.ts'
import { CommandError, usageError } from '../failure.ts'
import type { Place } from './config-text.ts'

const SERVER = /^postgres(?:ql)?:\/\//u

/** An existing database to read from. */
export interface OpenedPlace {
  readonly place: Place
  readonly database: Database
  close(): Promise<void>
}

/** What is wrong with where a database is said to be; undefined when it can be tried. */
export function placeProblem(text: string): string | undefined {
  if (text === '') return 'Name a SQLite file, or a URL such as postgres://app@db.example/clinic.'
  if (SERVER.test(text)) return URL.canParse(text) ? undefined : 'That is no URL.'
  return existsSync(text) ? undefined : `There is no file ${text}.`
}

/**
 * Opens a database to read its tables: a file's path, or the URL of a PostgreSQL database. Changes nothing in it.
 *
 * @throws CommandError when there is none
 */
export async function openPlace(text: string): Promise<OpenedPlace> {
  const problem = placeProblem(text)
  if (problem !== undefined)
    throw usageError(problem.replace(/\.$/u, ''), 'Name one that exists with --database.')
  return SERVER.test(text) ? await openServer(text) : await openFile(text)
}

async function openFile(path: string): Promise<OpenedPlace> {
  const { sqlite } = await import('../../storage/sqlite/database.ts')
  try {
    const connection = new DatabaseSync(path, { readOnly: true })
    // Opening alone does not read it.
    connection.prepare('select count(*) from sqlite_master').get()
    const database = sqlite(connection)
    return { place: { kind: 'sqlite', path }, database, close: async () => connection.close() }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new CommandError(`${path} cannot be read as a SQLite database: ${reason}`, {
      hint: 'Check what --database names.',
      code: 'database',
      cause: error,
    })
  }
}

async function openServer(text: string): Promise<OpenedPlace> {
  const { postgres } = await import('../../storage/postgres/database.ts')
  const database = postgres(text, { maxConnections: 1 })
  const url = new URL(text)
  const hasPassword = url.password !== ''
  url.password = ''
  return {
    place: { kind: 'postgres', url: url.href, hasPassword },
    database,
    close: () => database.close(),
  }
}
