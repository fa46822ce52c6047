import { databaseText, invalidValue, jsonText } from './codec.ts'
import type { KindCodec, KindOptions } from './codec.ts'
import { formatInstant, parseTimeOfDay } from './calendar.ts'

/** Times of day, `07:08:09.123`, the fraction left out when it is zero. */
export function timeKind({ field }: KindOptions): KindCodec {
  return {
    select: 'text',
    encode(value) {
      return `"${toTime(databaseText(value), field, value)}"`
    },
    decode(raw) {
      return toTime(jsonText(raw), field, raw)
    },
  }
}

function toTime(text: string | undefined, field: string, value: unknown): string {
  const milliseconds = parseTimeOfDay(text ?? '')
  if (milliseconds === undefined) {
    throw invalidValue('invalid-time', field, 'a time like 07:08:09', value)
  }
  return formatInstant(milliseconds).slice(11, -1)
}
