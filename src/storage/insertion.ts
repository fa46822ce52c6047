import type { SqlValue } from '../models/compiled.ts'

/** Where rows are inserted. */
export interface InsertTarget {
  readonly table: string
  /** The columns that each row has a value for. */
  readonly columns: readonly string[]
  /** Further columns with the same value in every row. */
  readonly constants?: Readonly<Record<string, string | number | null>>
  /** What a text has to be cast to, for columns that don't take a text: a type of the database's. */
  readonly types?: Readonly<Record<string, string>>
  /** What follows the rows: `on conflict …`, or nothing. */
  readonly suffix?: string
  /** Whether rows that break a constraint are left out; see `Dialect.canLeaveOut`. */
  readonly leavingOut?: boolean
}

/** A statement with its parameters. */
export interface Statement {
  readonly text: string
  readonly parameters: readonly unknown[]
}

/** How rows are inserted into one target. */
export interface Insertion {
  /** How many of so many rows the next statement should have. */
  readonly take: (left: number) => number
  readonly statement: (rows: readonly (readonly SqlValue[])[]) => Statement
}
