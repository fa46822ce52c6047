import type { Database } from '../../src/index.ts'
import { sqliteFile } from './sqlite.ts'

/** Where one database is: what kind, and the text by which that kind finds it. */
export interface Place {
  readonly kind: DatabaseKind
  readonly at: string
}

/** Rows by table, the tables in an order that foreign keys allow. */
export type Tables = Readonly<Record<string, readonly PlainRow[]>>

/** A row by its columns. */
export type PlainRow = Readonly<Record<string, string | number | null>>

/** A database as one uses it who just wants to copy tables. */
export interface PlainDatabase {
  /** All rows of these tables, all columns. */
  selectAll(tables: readonly string[]): Promise<Tables>
  /** Inserts all in one transaction, by a prepared statement a table. */
  insertAll(tables: Tables): Promise<void>
  close(): Promise<void>
}

/** A kind of database to measure with. */
export interface BenchDatabase {
  /** Where the database of this name is, below the directory of the run. */
  locate(directory: string, name: string): string
  /** As the library takes it. */
  open(at: string): Database
  /** With the same settings, without the library. */
  openPlain(at: string): PlainDatabase
  /** Keeps a copy of the closed database as it is. */
  save(at: string): Promise<void>
  /** Back to what was saved. */
  restore(at: string): Promise<void>
  bytes(at: string): Promise<number>
}

const KINDS = { sqlite: sqliteFile } as const satisfies Record<string, BenchDatabase>

/** The kinds that can be chosen. */
export type DatabaseKind = keyof typeof KINDS

/** Whether there is a kind of this name. */
export function isDatabaseKind(name: string): name is DatabaseKind {
  return Object.hasOwn(KINDS, name)
}

/** The kind of this name. */
export function databaseOf(kind: DatabaseKind): BenchDatabase {
  return KINDS[kind]
}

/** Opens a place for the library. */
export function openDatabase({ kind, at }: Place): Database {
  return databaseOf(kind).open(at)
}
