import { compareCodePoints } from '../../core/code-points.ts'
import type { ColumnKind } from '../compiled.ts'
import { parseInstant, parseTimeOfDay } from '../kinds/calendar.ts'
import { invalidValue, jsonText, jsonTextOrNumber } from '../kinds/codec.ts'
import { compareExact, parseExact } from './exact-number.ts'

/** Below zero when the first comes before the second. Both are JSON texts, of which neither is null. */
export type Compare = (a: string, b: string) => number

/**
 * How values of a column are ordered; undefined for kinds whose values have no order. Values that mean the same and
 * are written otherwise are ordered by their texts, or it would matter which side is which.
 *
 * @throws FieldError, the function does, when a value is not of the kind
 */
export function compareOf(kind: ColumnKind, field: string): Compare | undefined {
  const compare = compareMeanings(kind, field)
  if (compare === undefined) return undefined
  return (a, b) => (a === b ? 0 : compare(a, b) || compareCodePoints(a, b))
}

function compareMeanings(kind: ColumnKind, field: string): Compare | undefined {
  switch (kind) {
    case 'integer':
    case 'decimal':
      return by(field, 'a number', (raw) => parseExact(jsonTextOrNumber(raw) ?? ''), compareExact)
    case 'real':
      return by(field, 'a number', realOf, subtractFrom)
    case 'boolean':
      return by(field, 'true or false', (raw) => ['false', 'true'].indexOf(raw), subtractFrom)
    case 'date-time':
      return by(field, 'a date and time', (raw) => parseInstant(jsonText(raw) ?? ''), subtractFrom)
    case 'time':
      return by(field, 'a time', (raw) => parseTimeOfDay(jsonText(raw) ?? ''), subtractFrom)
    case 'date':
    case 'text':
    case 'uuid':
      return by(field, 'a text', jsonText, compareCodePoints)
    case 'json':
    case 'duration':
    case 'binary':
      return undefined
  }
}

function by<Value>(
  field: string,
  expected: string,
  read: (raw: string) => Value | undefined,
  compare: (a: Value, b: Value) => number,
): Compare {
  const value = (raw: string): Value => {
    const found = read(raw)
    if (found === undefined) throw invalidValue('invalid-value', field, expected, raw)
    return found
  }
  return (a, b) => compare(value(a), value(b))
}

function subtractFrom(a: number, b: number): number {
  return a === b ? 0 : a < b ? -1 : 1
}

// Python writes them so. What is no number is before all that are.
const CONSTANTS = new Map([
  ['NaN', Number.NEGATIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
  ['Infinity', Number.POSITIVE_INFINITY],
])

function realOf(raw: string): number | undefined {
  const value = CONSTANTS.get(raw) ?? Number(raw)
  return Number.isNaN(value) ? undefined : value
}
