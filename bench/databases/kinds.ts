import type { Database } from '../../src/index.ts'
import type { BenchDatabase } from './database.ts'
import { pgliteDirectory } from './pglite.ts'
import { postgresServer } from './postgres.ts'
import { sqliteFile } from './sqlite.ts'

/** The kinds of database that can be chosen. */
export type DatabaseKind = 'sqlite' | 'postgres' | 'pglite'

const KINDS: Readonly<Record<DatabaseKind, BenchDatabase>> = {
  sqlite: sqliteFile,
  postgres: postgresServer,
  pglite: pgliteDirectory,
}

/** All kinds, in the order of reports. */
export const DATABASE_KINDS: readonly DatabaseKind[] = Object.keys(KINDS).filter(isDatabaseKind)

/** Where one database is: its kind, and the text by which that kind finds it. */
export interface Place {
  readonly kind: DatabaseKind
  readonly at: string
}

/** Whether there is a kind of this name. */
export function isDatabaseKind(name: string): name is DatabaseKind {
  return Object.hasOwn(KINDS, name)
}

/** The kind of this name. */
export function databaseOf(kind: DatabaseKind): BenchDatabase {
  return KINDS[kind]
}

/** A place opened for the library. */
export function openDatabase({ kind, at }: Place): Database {
  return databaseOf(kind).open(at)
}

/** Runs `work` with empty databases at these places, which are removed whatever happens. */
export async function withDatabases<Result>(
  places: readonly Place[],
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    for (const { kind, at } of places) {
      // oxlint-disable-next-line no-await-in-loop
      await databaseOf(kind).create(at)
    }
    return await work()
  } finally {
    for (const { kind, at } of places) {
      // oxlint-disable-next-line no-await-in-loop
      await databaseOf(kind).remove(at)
    }
  }
}
