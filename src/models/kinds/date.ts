import { databaseText, invalidValue, jsonText } from './codec.ts'
import type { KindCodec, KindOptions } from './codec.ts'
import { parseInstant } from './calendar.ts'

// Some tools write a date as its midnight; any other time of day would be lost.
const DATE = /^\d{4}-\d\d-\d\d(?=$|[T ]00:00(?::00(?:[.,]0+)?)?$)/

/** Calendar dates, `2024-05-06`. */
export function dateKind({ field }: KindOptions): KindCodec {
  return {
    select: 'text',
    encode(value) {
      return `"${toDate(databaseText(value), field, value)}"`
    },
    decode(raw) {
      return toDate(jsonText(raw), field, raw)
    },
  }
}

function toDate(text: string | undefined, field: string, value: unknown): string {
  const date = DATE.exec(text ?? '')?.[0]
  if (date === undefined || parseInstant(date) === undefined) {
    throw invalidValue('invalid-date', field, 'a date like 2024-05-06', value)
  }
  return date
}
