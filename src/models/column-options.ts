import type { ColumnKind, SqlValue } from './compiled.ts'

/** How a kind's values may stand in the database, the default first. Kinds not named have one form only. */
export interface StorageByKind {
  readonly boolean: 'integer' | 'text'
  readonly json: 'json' | 'string'
  readonly 'date-time': 'iso' | 'sql' | 'epoch-seconds' | 'epoch-milliseconds'
  readonly duration: 'text' | 'seconds' | 'microseconds'
  readonly uuid: 'hex' | 'dashed'
}

/** The storages of {@link StorageByKind} at run time. */
export const STORAGES: Readonly<Partial<Record<ColumnKind, readonly string[]>>> = {
  boolean: ['integer', 'text'],
  json: ['json', 'string'],
  'date-time': ['iso', 'sql', 'epoch-seconds', 'epoch-milliseconds'],
  duration: ['text', 'seconds', 'microseconds'],
  uuid: ['hex', 'dashed'],
} satisfies { readonly [Kind in keyof StorageByKind]: readonly StorageByKind[Kind][] }

interface CommonOptions {
  /** The most characters a text may have; what arrives longer is refused. Default: the database's. */
  readonly maxLength?: number
  /** What a row gets, as the database stores it, when an arriving record lacks the field. */
  readonly default?: SqlValue
  /** `false`: the column stays on this device. */
  readonly sync?: false
}

type OptionsOfKind<Kind extends ColumnKind> = CommonOptions & {
  readonly kind: Kind
  /** How the database holds the values. */
  readonly storage?: Kind extends keyof StorageByKind ? StorageByKind[Kind] : never
}

/** What is said of a column that the database itself cannot tell. */
export type ColumnOptions =
  | (CommonOptions & { readonly kind?: never; readonly storage?: never })
  | { [Kind in ColumnKind]: OptionsOfKind<Kind> }[ColumnKind]

/** A column's kind, or that and more. */
export type ColumnDeclaration = ColumnKind | ColumnOptions

/** The long form of a declaration. */
export function columnOptions(declaration: ColumnDeclaration | undefined): ColumnOptions {
  if (declaration === undefined) return {}
  return typeof declaration === 'string' ? { kind: declaration } : declaration
}
