import { databaseText, invalidValue, jsonText } from './codec.ts'
import type { KindCodec, KindOptions } from './codec.ts'
import { formatInstant, isInstant, parseInstant } from './calendar.ts'

const NUMBER = /^-?\d+(?:\.\d+)?$/

/**
 * Instants. Storage `iso` (`2024-05-06T07:08:09.123Z`, and reads any ISO form, naive ones as UTC), `sql`
 * (`2024-05-06 07:08:09.123`, the form of SQLite's `CURRENT_TIMESTAMP`), `epoch-seconds` or
 * `epoch-milliseconds`.
 */
export function dateTimeKind({ field, storage }: KindOptions): KindCodec {
  const unit = storage === 'epoch-seconds' ? 1000 : storage === 'epoch-milliseconds' ? 1 : undefined
  const separator = storage === 'sql'
  const expected = unit === undefined ? 'a date and time in ISO form' : `a number (${storage})`
  return {
    select: 'text',
    encode(value) {
      const text = databaseText(value) ?? ''
      const instant = unit === undefined ? parseInstant(text) : parseEpoch(text, unit)
      if (instant === undefined) throw invalidValue('invalid-date-time', field, expected, value)
      return `"${formatInstant(instant)}"`
    },
    decode(raw) {
      const instant = parseInstant(jsonText(raw) ?? '')
      if (instant === undefined) {
        throw invalidValue('invalid-date-time', field, 'a date and time in ISO form', raw)
      }
      if (unit !== undefined) return Math.floor(instant / unit)
      const text = formatInstant(instant)
      return separator ? text.slice(0, -1).replace('T', ' ') : text
    },
  }
}

function parseEpoch(text: string, unit: number): number | undefined {
  if (!NUMBER.test(text)) return undefined
  const instant = Math.floor(Number(text) * unit)
  return isInstant(instant) ? instant : undefined
}
