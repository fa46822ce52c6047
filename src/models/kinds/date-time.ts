import { formatInstant, isInstant, normalizeInstant, parseInstant } from './calendar.ts'
import { databaseText, invalidValue, jsonText } from './codec.ts'
import type { KindCodec, KindOptions } from './codec.ts'

const NUMBER = /^-?\d+(?:\.\d+)?$/
const ISO_FORM = 'a date and time in ISO form'

/**
 * Instants. Storage `iso` (`2024-05-06T07:08:09.123Z`, and reads any ISO form, naive ones as UTC), `sql`
 * (`2024-05-06 07:08:09.123`, the form of SQLite's `CURRENT_TIMESTAMP`), `epoch-seconds` or
 * `epoch-milliseconds`.
 */
export function dateTimeKind(options: KindOptions): KindCodec {
  if (options.storage === 'epoch-seconds') return epochKind(options, 1000)
  if (options.storage === 'epoch-milliseconds') return epochKind(options, 1)
  const { field } = options
  const normalize = (text: string | undefined, value: unknown): string => {
    const normal = normalizeInstant(text ?? '')
    if (normal === undefined) throw invalidValue('invalid-date-time', field, ISO_FORM, value)
    return normal
  }
  const toStorage = options.storage === 'sql' ? sqlForm : (text: string): string => text
  return {
    select: 'text',
    encode: (value) => `"${normalize(databaseText(value), value)}"`,
    decode: (raw) => toStorage(normalize(jsonText(raw), raw)),
  }
}

function epochKind({ field, storage }: KindOptions, unit: number): KindCodec {
  return {
    select: 'text',
    encode(value) {
      const text = databaseText(value) ?? ''
      const instant = NUMBER.test(text) ? Math.floor(Number(text) * unit) : Number.NaN
      if (!isInstant(instant)) throw invalidValue('invalid-date-time', field, `a number (${storage})`, value)
      return `"${formatInstant(instant)}"`
    },
    decode(raw) {
      const instant = parseInstant(jsonText(raw) ?? '')
      if (instant === undefined) throw invalidValue('invalid-date-time', field, ISO_FORM, raw)
      return Math.floor(instant / unit)
    },
  }
}

function sqlForm(text: string): string {
  return text.slice(0, -1).replace('T', ' ')
}
