import { FieldError } from '../compiled.ts'
import type { ColumnKind, CompiledColumn, SqlValue } from '../compiled.ts'
import { arrayKind } from './array.ts'
import { binaryKind } from './binary.ts'
import { booleanKind } from './boolean.ts'
import type { KindCodec, KindOptions } from './codec.ts'
import { dateTimeKind } from './date-time.ts'
import { dateKind } from './date.ts'
import { decimalKind } from './decimal.ts'
import { durationKind } from './duration.ts'
import { integerKind } from './integer.ts'
import { jsonKind } from './json.ts'
import { realKind } from './real.ts'
import { recordIdKind } from './record-id.ts'
import { textKind } from './text.ts'
import { timeKind } from './time.ts'
import { uuidKind } from './uuid.ts'

type CodecFactory = (options: KindOptions) => KindCodec

const FACTORIES: Readonly<Record<ColumnKind, CodecFactory>> = {
  text: textKind,
  integer: integerKind,
  real: realKind,
  boolean: booleanKind,
  json: jsonKind,
  'date-time': dateTimeKind,
  date: dateKind,
  time: timeKind,
  duration: durationKind,
  decimal: decimalKind,
  uuid: uuidKind,
  binary: binaryKind,
}

/** Everything that the compiled form of one column is made from. */
export interface ColumnSpecification extends KindOptions {
  readonly kind: ColumnKind
  /** Whether it holds ids of records: then `kind` is `text`. */
  readonly recordId: boolean
  readonly whenMissing: SqlValue | undefined
  readonly defaultSql: string | undefined
  /** The expression to select, where the database has a form of its own. */
  readonly read: ((column: string) => string) | undefined
  /** What the elements of an array are. */
  readonly element: { readonly kind: ColumnKind; readonly storage: string | undefined } | undefined
}

/** Compiles one column: its kind's two conversions with null taken care of. */
export function compileColumn(column: ColumnSpecification): CompiledColumn {
  const { field, kind, nullable, storage, whenMissing, defaultSql } = column
  const codec = codecOf(column)
  const { encode, decode } = codec
  // Where null is not allowed, JSON's own null is still a value of a JSON column.
  const holdsJsonNull = kind === 'json' && storage !== 'string' && !nullable
  return {
    name: field,
    kind,
    nullable,
    select: column.read ?? codec.select,
    encode: (value) => (value === null || value === undefined ? 'null' : encode(value)),
    decode: (raw) => {
      if (raw !== 'null' || holdsJsonNull) return decode(raw)
      if (nullable) return null
      throw new FieldError('null-not-allowed', `"${field}" must not be null`, field)
    },
    whenMissing,
    holdsLists: kind === 'json' && storage !== 'string',
    defaultSql,
  }
}

function codecOf(column: ColumnSpecification): KindCodec {
  const { element, field, kind, maxLength, scale, storage } = column
  if (column.recordId) return recordIdKind(column)
  if (element === undefined || kind !== 'json' || storage !== 'array') return FACTORIES[kind](column)
  const each = { field, nullable: true, maxLength, scale, storage: element.storage }
  return arrayKind(field, element.kind, FACTORIES[element.kind](each))
}
