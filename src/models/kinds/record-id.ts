import { isHexUuid } from '../../core/ids.ts'
import { invalidValue } from './codec.ts'
import type { KindCodec, KindOptions } from './codec.ts'

/** Ids of records, and foreign keys to them: 32 lowercase hex digits, in the database as in the JSON. */
export function recordIdKind({ field }: KindOptions): KindCodec {
  return {
    select: 'plain',
    encode(value) {
      if (!isHexUuid(value)) throw invalidValue('invalid-uuid', field, '32 lowercase hex digits', value)
      return `"${value}"`
    },
    decode(raw) {
      const id = raw.length === 34 ? raw.slice(1, -1) : ''
      if (!isHexUuid(id)) throw invalidValue('invalid-uuid', field, '32 lowercase hex digits', raw)
      return id
    },
  }
}
