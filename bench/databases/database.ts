import type { Database } from '../../src/index.ts'

/** Rows by table, the tables in an order that foreign keys allow. */
export type Tables = Readonly<Record<string, readonly PlainRow[]>>

/** A row by its columns. */
export type PlainRow = Readonly<Record<string, string | number | null>>

/** A database as one uses it who just wants to copy tables. */
export interface PlainDatabase {
  /** All rows of these tables, all columns. */
  selectAll(tables: readonly string[]): Promise<Tables>
  /** Inserts all in one transaction, by the fastest plain means: a prepared statement, or `copy`. */
  insertAll(tables: Tables): Promise<void>
  close(): Promise<void>
}

/** A kind of database to measure with. */
export interface BenchDatabase {
  /** Where the database of this name is, for a run in this directory. */
  locate(directory: string, name: string): string
  /** Makes it, empty. What of it is in the directory of the run goes with that. */
  create(at: string): Promise<void>
  /** Removes what of it is not in the directory of the run. */
  remove(at: string): Promise<void>
  /** As the library takes it. */
  open(at: string): Database
  /** With the same settings, without the library. */
  openPlain(at: string): Promise<PlainDatabase>
  /** Keeps a copy of the closed database as it is. */
  save(at: string): Promise<void>
  /** Back to what was saved. */
  restore(at: string): Promise<void>
  bytes(at: string): Promise<number>
}
