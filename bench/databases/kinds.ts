import type { Database } from '../../src/index.ts'
import type { BenchDatabase } from './database.ts'
import { sqliteFile } from './sqlite.ts'

/** The kinds of database that can be chosen. */
export type DatabaseKind = 'sqlite'

const KINDS: Readonly<Record<DatabaseKind, BenchDatabase>> = { sqlite: sqliteFile }

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
