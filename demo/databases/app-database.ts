import type { Database } from '../../src/storage/dialect.ts'
import { SCHEMA } from '../gazetteer.ts'
import { openPGlite, openServer } from './postgres.ts'
import { openSqlite } from './sqlite.ts'

/** What SQL takes in this demo. */
export type Value = string | number | null

/** What it gives. */
export type Row = Readonly<Record<string, unknown>>

/** A device's database as its application has it: plain SQL, with `?` or `?1` for parameters. */
export interface AppDatabase {
  /** The same database, for `createMorango`. */
  forMorango: () => Database
  /** Runs statements without parameters. */
  script(sql: string): Promise<void>
  query(sql: string, ...values: Value[]): Promise<Row[]>
  /** Runs a statement, and gives how many rows it changed. */
  write(sql: string, ...values: Value[]): Promise<number>
  /** Inserts rows of one table, all or none. */
  insert(table: string, rows: readonly object[]): Promise<void>
  /** Every table with its columns, the application's and Morango's. */
  tables(): Promise<ReadonlyMap<string, readonly string[]>>
  close(): Promise<void>
}

/** Which database a device has. */
export type DatabaseChoice =
  | { readonly kind: 'sqlite'; readonly file: string }
  | { readonly kind: 'pglite'; readonly directory: string }
  | { readonly kind: 'postgres'; readonly url: string }

/** Opens it, and makes the application's tables. */
export async function openAppDatabase(choice: DatabaseChoice): Promise<AppDatabase> {
  const db = await open(choice)
  await db.script(SCHEMA)
  return db
}

async function open(choice: DatabaseChoice): Promise<AppDatabase> {
  switch (choice.kind) {
    case 'sqlite':
      return openSqlite(choice.file)
    case 'pglite':
      return await openPGlite(choice.directory)
    case 'postgres':
      return openServer(choice.url)
  }
}
