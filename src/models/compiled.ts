import type { RawField } from '../core/python-json.ts'
import type { DeletionBrake } from './deletion-brake.ts'
import type { SqlForm, UniqueKey } from './table-info.ts'

/** A value as a SQL driver takes it as a parameter. */
export type SqlValue = string | number | bigint | boolean | Uint8Array | null

/** What a column holds, and so how its values look in a record's JSON (Django's encoder is the model). */
export type ColumnKind =
  | 'text'
  | 'integer'
  | 'real'
  | 'boolean'
  | 'json'
  | 'date-time'
  | 'date'
  | 'time'
  | 'duration'
  | 'decimal'
  | 'uuid'
  | 'binary'

/** One synced column of a table. */
export interface CompiledColumn {
  /** The column's name, which is also its key in the record's JSON. */
  readonly name: string
  readonly kind: ColumnKind
  readonly nullable: boolean
  /**
   * How the engine selects the column so that no driver loses precision: `text` columns are cast to text
   * (64-bit integers, numerics), `plain` ones are taken as the driver gives them. A function makes the
   * expression from the column's name as SQL.
   */
  readonly select: 'plain' | 'text' | ((column: string) => string)
  /**
   * The value as JSON text, in the form of Django's encoder and Python's `json.dumps`.
   * @throws FieldError when the value cannot be of this kind.
   */
  readonly encode: (value: unknown) => string
  /**
   * The value for the database from the raw JSON text of the field.
   * @throws FieldError when the JSON is not of this kind, too long, or null where that is not allowed.
   */
  readonly decode: (raw: string) => SqlValue
  /** What a row gets when the record's JSON lacks the field; undefined: the database's own default. */
  readonly whenMissing: SqlValue | undefined
  /** Whether its values may be JSON lists. */
  readonly holdsLists: boolean
  /** The database's own default as it stands in the table's definition, a SQL expression. */
  readonly defaultSql: string | undefined
}

/** A foreign key from a synced table to another synced table (or to itself). */
export interface CompiledForeignKey {
  readonly column: string
  readonly targetModel: string
  readonly targetTable: string
  /** How the target's table holds its ids. */
  readonly targetId: SqlForm
}

/** A reason why one field of one record cannot be serialized or deserialized. */
export class FieldError extends Error {
  override readonly name = 'FieldError'
  readonly code: string
  readonly field: string | undefined

  constructor(code: string, message: string, field?: string) {
    super(message)
    this.code = code
    this.field = field
  }
}

/** Who a row is on the network. */
export interface RecordIdentity {
  readonly id: string
  readonly sourceId: string
  /** With the record's own id in place of the placeholder. */
  readonly partition: string
}

/** What a `validate` hook says: nothing, or why the record is not acceptable. */
export type Validation = { readonly ok: true } | { readonly ok: false; readonly message: string }

/** A record in the hands of a merge hook. */
export interface MergeSide {
  /** Its JSON text. */
  readonly raw: string
  /** The same, parsed. */
  readonly value: Readonly<Record<string, unknown>>
  /** Who saved this version, and at which counter. */
  readonly instance: string
  readonly counter: number
  /** The highest counter of each instance that ever saved the record, `instance` among them. */
  readonly history: Readonly<Record<string, number>>
}

/** What a merge makes of two sides. */
export interface MergedFields {
  /** What to put over our side's fields. */
  readonly fields: readonly RawField[]
  /** Whether there was a policy for all in which the sides differed, so that nobody need look at it. */
  readonly settled: boolean
  /** Whether what both sides had is in the result, so that neither has to be kept beside it. */
  readonly combined: boolean
}

/** An edit of a model with sums, as it is serialized. */
export interface NotedEdit {
  /** The stored JSON; undefined for a record that is new. */
  readonly before: string | undefined
  readonly after: readonly RawField[]
  readonly instance: string
  /** The counter at which the instance saved the record before; 0 when it never did. */
  readonly counter: number
}

/** A declared model joined with what the database says of its table. */
export interface CompiledModel {
  readonly profile: string
  /** The model's name on the wire, at most 40 characters. */
  readonly name: string
  readonly table: string
  /** How the table holds its ids. */
  readonly id: SqlForm
  /** In declared order, `id` among them; the source id column is not. Fields not to sync are left out. */
  readonly columns: readonly CompiledColumn[]
  /** The column that stores a random source id, if the source id is not derived from other columns. */
  readonly sourceIdColumn: string | undefined
  /** How that column holds them. */
  readonly sourceIdForm: SqlForm
  /** What a text is cast to for a column, by the column's name; only where the database wants that. */
  readonly types: Readonly<Record<string, string>>
  /** To other models only; those to tables that do not sync are the database's own business. */
  readonly foreignKeys: readonly CompiledForeignKey[]
  /**
   * Columns that no two rows may have equal, of what syncs: those of unique constraints that say just that. There
   * may be others, which only the database can judge.
   */
  readonly uniqueKeys: readonly (readonly string[])[]
  /** The column of the one foreign key to the own table. */
  readonly selfReference: string | undefined
  /**
   * Id, source id and partition that a row must have.
   * @throws FieldError `partition-empty`, `source-id-empty`, `id-mismatch`, `…-too-long`.
   */
  readonly identify: (row: Readonly<Record<string, unknown>>) => RecordIdentity
  /**
   * The whole record as JSON fields in declared order, `_morango_source_id` and `_morango_partition` right
   * after `id`.
   * @throws FieldError
   */
  readonly encode: (row: Readonly<Record<string, unknown>>, identity: RecordIdentity) => RawField[]
  /** The same as the text of the JSON object, for a record that is new. */
  readonly encodeText: (row: Readonly<Record<string, unknown>>, identity: RecordIdentity) => string
  /** Whether `identity.id` re-derives for this model (the id override included). */
  readonly idMatches: (identity: RecordIdentity) => boolean
  /**
   * Who a row not yet written will be: like `identify`, but derives an id that is not there, and takes
   * `randomUuid()` for a random source id that is not there.
   * @throws FieldError like `identify`
   */
  readonly build: (values: Readonly<Record<string, unknown>>, randomUuid: () => string) => RecordIdentity
  /**
   * Why a row is not of the record that has this label (protocol §11), by the same rules as `identify`; undefined when
   * it is. Where the model says so, only the beginning of its partition is looked at.
   */
  readonly elsewhere: (row: Readonly<Record<string, unknown>>, label: RecordIdentity) => string | undefined
  /** The columns that `elsewhere` looks at; undefined where a function may look at all. */
  readonly identityColumns: readonly string[] | undefined
  /** For `compileTemplateSql`; undefined where the partition comes from a function. */
  readonly partitionTemplate: string | undefined
  /** For `compileTemplateSql`; undefined where the source id is random or comes from a function. */
  readonly sourceIdTemplate: string | undefined
  /** Undefined where the model has no `validate`. Gets the decoded row. */
  readonly validate:
    | ((row: Readonly<Record<string, SqlValue>>) => Validation | Promise<Validation>)
    | undefined
  /** Where a row that is in the way of another can be found by the values of some columns. */
  readonly evictingKeys: readonly UniqueKey[]
  /** Undefined: what holds for the database. */
  readonly deletionBrake: DeletionBrake | false | undefined
  /** Undefined where the model has no `merge`. @throws FieldError, or what the hook throws */
  readonly merge: ((ours: MergeSide, theirs: MergeSide, instance: string) => MergedFields) | undefined
  /** Undefined where no column is summed. Gives the field that says what each instance has added, after an edit. */
  readonly noteSums: ((edit: NotedEdit) => RawField) | undefined
}

/** A profile whose models are compiled, in dependency order: referred-to models first. */
export interface CompiledProfile {
  readonly name: string
  readonly models: readonly CompiledModel[]
  readonly model: (name: string) => CompiledModel | undefined
}
