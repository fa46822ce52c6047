import type { ColumnKind } from './compiled.ts'
import type { ColumnInfo, SqlForm } from './table-info.ts'

/** What `pg_attribute` and `pg_type` say of a column's type, domains resolved. */
export interface PostgresType {
  /** The type's name in `pg_type`; for an array its elements'. */
  readonly name: string
  readonly isArray: boolean
  readonly isEnum: boolean
  /** Its modifier: length, or precision and scale; -1 for none. */
  readonly modifier: number
  /** The column's collation as SQL, for types that have one. */
  readonly collation: string | null
}

/** What follows from a column's type. */
export type TypeInfo = Pick<
  ColumnInfo,
  'kind' | 'maxLength' | 'scale' | 'coercesText' | 'form' | 'storage' | 'element'
>

const KINDS: Readonly<Record<string, ColumnKind>> = {
  bool: 'boolean',
  int2: 'integer',
  int4: 'integer',
  int8: 'integer',
  float4: 'real',
  float8: 'real',
  numeric: 'decimal',
  text: 'text',
  varchar: 'text',
  bpchar: 'text',
  citext: 'text',
  name: 'text',
  timestamptz: 'date-time',
  timestamp: 'date-time',
  date: 'date',
  time: 'time',
  interval: 'duration',
  json: 'json',
  jsonb: 'json',
  bytea: 'binary',
  uuid: 'uuid',
}
const STORAGES: Readonly<Partial<Record<ColumnKind, string>>> = {
  boolean: 'boolean',
  duration: 'interval',
  uuid: 'dashed',
}
const HEADER = 4

const inIsoForm = (value: string): string => `(to_json(${value}) #>> '{}')`
const asText = (column: string): string => `cast(${column} as text)`

// What a driver makes of these, and how the server prints them, depends on settings; this does not.
const READS: Readonly<Record<string, (column: string) => string>> = {
  timestamptz: (column) => inIsoForm(`${column} at time zone 'UTC'`),
  timestamp: inIsoForm,
  date: inIsoForm,
  // Without the blanks that fill it up.
  bpchar: asText,
  interval: (column) => `cast(extract(epoch from ${column}) as text)`,
  uuid: (column) => `replace(${asText(column)}, '-', '')`,
}

/** Reads a column's type on PostgreSQL. */
export function postgresType(type: PostgresType): TypeInfo {
  const { isEnum, modifier, name } = type
  const kind = isEnum ? 'text' : KINDS[name]
  const hasLength = (name === 'varchar' || name === 'bpchar') && modifier >= HEADER
  const scale = name === 'numeric' && modifier >= HEADER ? (modifier - HEADER) & 0x7ff : undefined
  const own: TypeInfo = {
    kind,
    maxLength: hasLength ? modifier - HEADER : undefined,
    scale,
    coercesText: false,
    form: formOf(type),
    storage: kind === undefined ? undefined : STORAGES[kind],
  }
  if (!type.isArray) return own
  if (kind === undefined || kind === 'duration') return { ...own, kind: undefined, form: undefined }
  return {
    ...own,
    kind: 'json',
    storage: 'array',
    element: { kind, storage: own.storage },
    form: { read: (column) => readArray(name, column), cast: (text) => text },
  }
}

function formOf({ collation, isEnum, name }: PostgresType): SqlForm | undefined {
  const read = isEnum ? asText : READS[name]
  const cast =
    name === 'uuid'
      ? (text: string): string => `cast(${text} as uuid)`
      : (text: string): string =>
          `${name === 'bpchar' ? `cast(${text} as bpchar)` : text}${collation === null ? '' : ` collate ${collation}`}`
  return { read: read ?? ((column) => column), cast }
}

// Instants in JSON's form, which no setting changes; all else as the types print themselves.
function readArray(element: string, column: string): string {
  const isTime = element === 'timestamptz' || element === 'timestamp' || element === 'date'
  return `cast(to_json(${isTime ? column : `cast(${column} as text[])`}) as text)`
}
