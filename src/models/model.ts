import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { ColumnDeclaration } from './column-options.ts'
import type { MergeSide, Validation } from './compiled.ts'
import type { DeletionBrake } from './deletion-brake.ts'
import type { MergePolicies } from './merge/policies.ts'
import type { CheckedTemplate } from './template-types.ts'

// The method form lets a function of a known row type stand where any row may come.
type RowFunction<Row, Result> = { call(row: Row): Result }['call']

/** What a `validate` function gives: nothing when the row is acceptable, else the reason. */
export type ValidateResult = string | undefined | Validation

/** Checks a row that arrived, before it is written: a schema of any Standard Schema library, or a function. */
export type ValidateHook<Row> = StandardSchemaV1 | RowFunction<Row, ValidateResult | Promise<ValidateResult>>

/** Decides a conflict: gives the JSON object that both sides' edits become. */
export type MergeHook = (ours: MergeSide, theirs: MergeSide) => Readonly<Record<string, unknown>>

/** A row whose type is not known. */
export type AnyRow = Readonly<Record<string, unknown>>

type ColumnOf<Row> = keyof Row & string

/** What is said of one synced table. */
export interface ModelOptions<Row extends object = AnyRow, Template extends string = string> {
  /** The table's name in the database. */
  readonly table: string
  /** The model's name on the wire, at most 40 characters. Default: its key in the profile. */
  readonly name?: string
  /**
   * What a record's id is: `hash` (the default) derives it from partition, source id and model name;
   * `source-id` takes the source id itself, which must then be 32 hex digits.
   */
  readonly id?: 'hash' | 'source-id'
  /**
   * What tells the record from others of its partition, as a template over columns that never change, or a
   * function. Default: random, and kept in a column of its own.
   */
  readonly sourceId?: Template | RowFunction<Row, string>
  /** The column for random source ids, `morango_source_id` unless named. `migrate()` adds it. */
  readonly sourceIdColumn?: string
  /**
   * Who gets the record: a template over columns that never change, `${id}` being the record's own id, or a
   * function. Certificates and filters cover prefixes of it; an empty one is in no certificate's reach.
   */
  readonly partition: Template | RowFunction<Row, string>
  /**
   * What a record's partition begins with, as a template over columns: for a `partition` function that looks at other
   * rows, which may not be here yet when a record arrives. The partition of an arriving record is then not computed
   * again; it must begin with this text, up to its end or a colon. Without it, what arrives must give the very
   * partition that it is sent under.
   */
  readonly partitionBegins?: Template
  /** What the database cannot tell about its columns. */
  readonly columns?: { readonly [Column in ColumnOf<Row>]?: ColumnDeclaration }
  /** Columns that stay on this device. */
  readonly exclude?: readonly ColumnOf<Row>[]
  readonly validate?: ValidateHook<Row>
  /**
   * What becomes of a record that two peers have edited: a policy for each column, or a function. Default: ours is kept
   * whole. What lost is kept among the conflicts in any case.
   */
  readonly merge?: MergeHook | MergePolicies<ColumnOf<Row>>
  /**
   * How many deletions at once are too many to be taken for meant, or `false`: never. Default: what
   * `createMorango` was told.
   */
  readonly deletionBrake?: DeletionBrake | false
}

declare const ROW: unique symbol

/** A table declared to sync; made by {@link model}. */
export interface ModelDeclaration<Row extends object = object> {
  readonly table: string
  readonly name: string | undefined
  readonly id: 'hash' | 'source-id'
  readonly sourceId: string | RowFunction<object, string> | undefined
  readonly sourceIdColumn: string | undefined
  readonly partition: string | RowFunction<object, string>
  readonly partitionBegins: string | undefined
  readonly columns: Readonly<Record<string, ColumnDeclaration | undefined>>
  readonly exclude: readonly string[]
  readonly validate: ValidateHook<object> | undefined
  readonly merge: MergeHook | MergePolicies | undefined
  readonly deletionBrake: DeletionBrake | false | undefined
  /** The row type, for the compiler only. */
  readonly [ROW]?: Row
}

/** The row type that a model was declared with. */
export type RowOf<Model> = Model extends ModelDeclaration<infer Row> ? Row : never

/** {@link ModelOptions} whose templates may only name columns of the row. */
type CheckedOptions<
  Row extends object,
  Partition extends string,
  SourceId extends string,
  Begins extends string,
> = Omit<ModelOptions<Row>, 'partition' | 'sourceId' | 'partitionBegins'> & {
  readonly partition: CheckedTemplate<Partition, Row> | RowFunction<Row, string>
  readonly partitionBegins?: CheckedTemplate<Begins, Row>
  readonly sourceId?: CheckedTemplate<SourceId, Row> | RowFunction<Row, string>
}

/** {@link model} for a known row type. */
export type CheckedModel<Row extends object> = <
  Partition extends string,
  SourceId extends string,
  Begins extends string,
>(
  options: CheckedOptions<Row, Partition, SourceId, Begins>,
) => ModelDeclaration<Row>

/**
 * Declares that a table syncs, and how. Columns, keys and foreign keys are read from the database.
 *
 * Called with a row type and no argument it gives a function that checks column names and templates at
 * compile time; called with the options at once, templates are checked against the database only.
 *
 * @example
 * model({ table: 'country', sourceId: '${code}', partition: '${id}' })
 *
 * @example
 * interface Place { id: string; country_id: string; name: string; open: number }
 *
 * model<Place>()({
 *   table: 'place',
 *   partition: '${country_id}:place',
 *   columns: { open: 'boolean' },
 * })
 */
export function model<Row extends object>(): CheckedModel<Row>
export function model(options: ModelOptions): ModelDeclaration<AnyRow>
export function model<Row extends object>(options: ModelOptions<Row>): ModelDeclaration<Row>
export function model<Row extends object>(
  options?: ModelOptions<Row>,
): ModelDeclaration<Row> | CheckedModel<Row> {
  if (options !== undefined) return declare(options)
  return (checked) => declare<Row>(checked)
}

function declare<Row extends object>(options: ModelOptions<Row>): ModelDeclaration<Row> {
  return {
    table: options.table,
    name: options.name,
    id: options.id ?? 'hash',
    sourceId: options.sourceId,
    sourceIdColumn: options.sourceIdColumn,
    partition: options.partition,
    partitionBegins: options.partitionBegins,
    columns: { ...options.columns },
    exclude: options.exclude ?? [],
    validate: options.validate,
    merge: options.merge,
    deletionBrake: options.deletionBrake,
  }
}
