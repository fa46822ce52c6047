import type { ColumnDeclaration, ColumnOptions } from '../../models/column-options.ts'
import type { ColumnInfo } from '../../models/table-info.ts'
import type { Sample } from './samples.ts'

type Epoch = 'epoch-seconds' | 'epoch-milliseconds'

const BOOLEAN_NAME =
  /^(?:is|has|can|was|did|should|allow|needs)_|_(?:flag|enabled|active|done)$|^(?:active|archived|closed|completed|deleted|done|enabled|hidden|open|published|urgent|verified|visible)$/iu
const TIME_NAME = /(?:_at|_on|_time|timestamp)$|^(?:created|updated|modified)$/iu
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3})?Z$/u
const SQL = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?$/u
// From 2001 on, and no later than 5138.
const SECONDS = { from: 1e9, to: 1e11 }
const MILLISECONDS = { from: 1e12, to: 1e14 }

/**
 * What to declare of a column, because SQL does not tell: by its name, its default and its values. Undefined when its
 * type says enough.
 */
export function proposeKind(column: ColumnInfo, samples: readonly Sample[]): ColumnDeclaration | undefined {
  switch (column.kind) {
    case undefined:
      return untyped(samples)
    case 'integer':
      return column.coercesText ? ofInteger(column, samples) : undefined
    case 'date-time':
      return column.castType === undefined ? ofDateTime(column, samples) : undefined
    case 'text':
      return ofText(samples)
    default:
      return undefined
  }
}

function untyped(samples: readonly Sample[]): ColumnDeclaration {
  if (samples.length === 0) return 'text'
  if (all(samples, ({ type }) => type === 'integer')) return 'integer'
  if (all(samples, ({ type }) => type === 'integer' || type === 'real')) return 'real'
  return all(samples, ({ type }) => type === 'blob') ? 'binary' : 'text'
}

function ofInteger(
  { name, defaultSql = '' }: ColumnInfo,
  samples: readonly Sample[],
): ColumnDeclaration | undefined {
  const flags = all(samples, ({ text }) => text === '0' || text === '1')
  if (flags && BOOLEAN_NAME.test(name) && ['', '0', '1'].includes(defaultSql)) return 'boolean'
  if (samples.length === 0 || !TIME_NAME.test(name)) return undefined
  return epoch(samples)
}

function ofDateTime({ defaultSql = '' }: ColumnInfo, samples: readonly Sample[]): ColumnOptions | undefined {
  if (samples.length === 0) {
    return /current_timestamp|datetime\(/iu.test(defaultSql)
      ? { kind: 'date-time', storage: 'sql' }
      : undefined
  }
  if (all(samples, ({ text }) => SQL.test(text))) return { kind: 'date-time', storage: 'sql' }
  return epoch(samples)
}

function ofText(samples: readonly Sample[]): ColumnDeclaration | undefined {
  if (samples.length === 0) return undefined
  if (all(samples, ({ text }) => ISO.test(text))) return 'date-time'
  if (all(samples, ({ text }) => SQL.test(text))) return { kind: 'date-time', storage: 'sql' }
  return all(samples, isJsonContainer) ? 'json' : undefined
}

function epoch(samples: readonly Sample[]): ColumnOptions | undefined {
  const within = ({ from, to }: typeof SECONDS): boolean =>
    all(samples, ({ type, text }) => type === 'integer' && Number(text) >= from && Number(text) < to)
  const storage: Epoch | undefined = within(SECONDS)
    ? 'epoch-seconds'
    : within(MILLISECONDS)
      ? 'epoch-milliseconds'
      : undefined
  return storage === undefined ? undefined : { kind: 'date-time', storage }
}

function isJsonContainer({ text }: Sample): boolean {
  if (!/^\s*[[{]/u.test(text)) return false
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function all(samples: readonly Sample[], holds: (sample: Sample) => boolean): boolean {
  return samples.every(holds)
}
