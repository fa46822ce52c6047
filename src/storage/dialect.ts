import type { IsolationLevel, Kysely, RawBuilder } from 'kysely'
import type { CompiledModel, SqlValue } from '../models/compiled.ts'
import type { TableInfo } from '../models/table-info.ts'
import type { Finding } from './finding.ts'
import type { Insertion, InsertTarget } from './insertion.ts'
import type { Machine } from './instance.ts'
import type { Schema } from './schema.ts'
import type { SideBySide } from './turn.ts'

/** One trigger that the engine keeps on an application's table. */
export interface TriggerText {
  readonly name: string
  /** What {@link Dialect.installedTriggers} says of it while it is there and as it should be. */
  readonly text: string
  /** What makes it, once one of that name is dropped. */
  readonly statements: readonly string[]
}

/** The few things in which databases differ. Everything else is one text of SQL for all. */
export interface Dialect {
  readonly name: 'sqlite' | 'postgres'
  /** How the engine's transactions begin; undefined: the database has but one way. */
  readonly isolation: IsolationLevel | undefined
  /** How several turns run at once; undefined: one transaction has the database to itself. */
  readonly sideBySide: SideBySide | undefined
  /** What makes a `select` pass over rows that another transaction has locked; empty where there is none. */
  readonly skipLocked: string
  /** Statement that checks now what the database would otherwise check at the commit, where that can be. */
  readonly checkNow: string | undefined
  /** Statement that counts anew what a table's columns hold; undefined: plans don't depend on that. */
  readonly analyze: ((table: string, columns: readonly string[]) => string) | undefined
  /** Makes what was committed survive a loss of power; undefined: every commit does. */
  readonly makeDurable: ((db: Kysely<Schema>) => Promise<void>) | undefined
  /** Whether a `with` may hold a statement that deletes. */
  readonly deletesInWith: boolean
  /** Statement by which triggers log changes, or do not, until the transaction ends. Nobody else is affected. */
  readonly setTracking: (on: boolean) => RawBuilder<unknown>
  /** How many rows at once are inserted. */
  readonly insertion: (target: InsertTarget) => Insertion
  /** Expression: the database's own clock, in milliseconds since 1970; within a transaction too it goes on. */
  readonly now: RawBuilder<number>
  /** The larger of two expressions. */
  readonly greatest: (a: RawBuilder<unknown>, b: RawBuilder<unknown>) => RawBuilder<number>
  /** `from`-source that gives the texts of a JSON list of strings as column `value`. */
  readonly list: (json: string) => RawBuilder<unknown>
  /** `from`-source that gives a JSON object's members as columns `key` and `value` (a text or a number). */
  readonly members: (object: RawBuilder<unknown>) => RawBuilder<unknown>
  /** Aggregate: the text of a JSON object from keys and values. */
  readonly objectOf: (key: RawBuilder<unknown>, value: RawBuilder<unknown>) => RawBuilder<string | null>
  /** Expression: the text in member `key` of a JSON object. */
  readonly textAt: (object: RawBuilder<unknown>, key: string) => RawBuilder<string>
  /**
   * `from`-source: rows of values as columns `c0`, `c1` …
   * @param types what each column is cast to; undefined: it stays a text
   */
  readonly rowsOf: (
    types: readonly (string | undefined)[],
    rows: readonly (readonly SqlValue[])[],
  ) => RawBuilder<unknown>
  /** Expression: the number in member `key` of a JSON object, null where there is none. */
  readonly numberAt: (object: RawBuilder<unknown>, key: RawBuilder<unknown>) => RawBuilder<number | null>
  /** Expression: the number that 15 hex digits are, as an integer of 64 bits. */
  readonly hexNumber: (digits: RawBuilder<unknown>) => RawBuilder<number>
  /** Statements that have a row's removal from the Store change what is kept of its instance and partition. */
  readonly noteRemovals: readonly string[]
  /** The triggers that log the changes of a model's table. */
  readonly triggers: (model: CompiledModel) => readonly TriggerText[]
  /** The trigger texts that the database has now, by name. */
  readonly installedTriggers: (db: Kysely<Schema>) => Promise<ReadonlyMap<string, string>>
  /** Statements that remove a trigger of ours, whatever table it is on by now. */
  readonly dropTrigger: (name: string) => string
  /**
   * A text that changes when the columns of these tables or triggers of ours on them do (or anything else of the
   * schema, where that is cheaper to tell), and while a tool is at work on them.
   */
  readonly schemaState: (db: Kysely<Schema>, tables: readonly string[]) => Promise<string>
  /** What the database says of a table, undefined when there is none of that name. */
  readonly readTable: (db: Kysely<Schema>, table: string) => Promise<TableInfo | undefined>
  /** All tables that are not ours, to suggest near names. */
  readonly tableNames: (db: Kysely<Schema>) => Promise<string[]>
  /** What of the database, its settings and its place would make syncing of these tables fail or go wrong. */
  readonly health: (db: Kysely<Schema>, tables: readonly string[]) => Promise<Finding[]>
  /** Whether an error says that another transaction was in the way, so that a retry makes sense. */
  readonly isBusy: (error: unknown) => boolean
  /** Whether an error says that the database has no room left. */
  readonly isFull: (error: unknown) => boolean
  /** Whether an error is the rows' own fault (a constraint, a value out of range), not the database's. */
  readonly isRowFault: (error: unknown) => boolean
  /** Whether it says that another row has what may be there only once. */
  readonly isUniqueFault: (error: unknown) => boolean
  /**
   * Whether an insertion into the table can leave out the rows that break a constraint, and write the others in the
   * same statement; undefined: never. An update that comes of it may still fail, and so may foreign keys.
   */
  readonly canLeaveOut: ((db: Kysely<Schema>, table: string) => Promise<boolean>) | undefined
  /** Which of the rows written a row fault is about, as far as the error tells; undefined: errors never do. */
  readonly faultyIds: ((error: Error, ids: readonly string[]) => ReadonlySet<string>) | undefined
  /** Expression: two columns are equal as an exact unique index has it; see `UniqueIndexInfo.exact`. */
  readonly equalInIndex: (a: RawBuilder<unknown>, b: RawBuilder<unknown>) => RawBuilder<boolean>
}

/** A database the engine works on. */
export interface Database {
  readonly kysely: Kysely<Schema>
  readonly dialect: Dialect
  /**
   * What tells this copy of the database from another: a file's path and identity, or a server's. When it
   * changes between two openings, the database was copied and takes a new database id.
   */
  readonly fingerprint: () => Promise<string>
  /** What instance ids are made from, besides the database id. */
  readonly machine: Machine
  /** For people: the file's path, or the server's name. */
  readonly description: string
  /** Closes what this object opened itself. */
  close(): Promise<void>
}
