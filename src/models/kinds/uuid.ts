import { parseUuid } from '../../core/ids.ts'
import { databaseText, invalidValue, jsonText } from './codec.ts'
import type { KindCodec, KindOptions } from './codec.ts'

/**
 * UUIDs of the application (not ids of records): with dashes in the JSON, in the database as 32 hex digits
 * (storage `hex`) or with dashes too (`dashed`).
 */
export function uuidKind({ field, storage }: KindOptions): KindCodec {
  const dashed = storage === 'dashed'
  return {
    select: 'text',
    encode(value) {
      const hex = parseUuid(databaseText(value))
      if (hex === undefined) throw invalidValue('invalid-uuid', field, 'a UUID', value)
      return `"${withDashes(hex)}"`
    },
    decode(raw) {
      const hex = parseUuid(jsonText(raw))
      if (hex === undefined) throw invalidValue('invalid-uuid', field, 'a UUID', raw)
      return dashed ? withDashes(hex) : hex
    },
  }
}

function withDashes(hex: string): string {
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
