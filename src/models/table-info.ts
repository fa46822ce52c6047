import type { ColumnKind } from './compiled.ts'

/** How SQL turns a column's values into other ones and back. Both take and give an SQL expression. */
export interface SqlForm {
  /** From a value of the column to one that the kinds read, for ids to 32 hex digits. */
  readonly read: (column: string) => string
  /** From a text to a value of the column's own type and collation, so that an index on it serves. */
  readonly cast: (text: string) => string
}

/** One column of a table, as the database describes it. Generated columns are not listed. */
export interface ColumnInfo {
  readonly name: string
  /** The type as it was declared. */
  readonly declaredType: string
  /** The type to cast a text to, where the database wants that: without length or precision, domains resolved. */
  readonly castType?: string | undefined
  /** What such a type holds; undefined when it says nothing. */
  readonly kind: ColumnKind | undefined
  /** The most characters of a text. */
  readonly maxLength: number | undefined
  /** Digits after the point of a decimal. */
  readonly scale: number | undefined
  readonly nullable: boolean
  /** The default as a SQL expression. */
  readonly defaultSql: string | undefined
  /** Whether the database makes numbers of texts that look like numbers, so that ids would be damaged. */
  readonly coercesText: boolean
  /** How SQL turns its values into what kinds read, and back. Undefined: they are taken as they are. */
  readonly form?: SqlForm | undefined
  /** How a column of its kind stores values, where that is not the kind's default. */
  readonly storage?: string | undefined
  /** The kind of its elements, for an array. */
  readonly element?: { readonly kind: ColumnKind; readonly storage: string | undefined } | undefined
}

/** A foreign key constraint. */
export interface ForeignKeyInfo {
  readonly columns: readonly string[]
  readonly targetTable: string
  /** Empty: the target's primary key. */
  readonly targetColumns: readonly string[]
}

/** A unique constraint or index, the primary key's not among them. */
export interface UniqueIndexInfo {
  readonly name: string
  /** Expressions are left out. */
  readonly columns: readonly string[]
  /** Whether it holds for some rows only. */
  readonly partial: boolean
  /** Whether it forbids just what has equal columns, by the database's own `=` (in SQLite: that of `binary`). */
  readonly exact: boolean
}

/** Columns that are unique together, with the collations by which they are compared. */
export type UniqueKey = readonly { readonly column: string; readonly collation: string }[]

/** A table, as the database describes it; the same for every database. */
export interface TableInfo {
  readonly name: string
  readonly type: 'table' | 'view' | 'virtual'
  /** In the table's order. */
  readonly columns: readonly ColumnInfo[]
  readonly generatedColumns: readonly string[]
  /** In the key's order; empty when there is none. */
  readonly primaryKey: readonly string[]
  readonly foreignKeys: readonly ForeignKeyInfo[]
  readonly uniqueIndexes: readonly UniqueIndexInfo[]
  /** Those of whole tables and plain columns, where a statement may evict the row that is in its way. */
  readonly evictingKeys?: readonly UniqueKey[] | undefined
}
