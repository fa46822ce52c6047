import type { SqlValue } from '../compiled.ts'
import { invalidValue, jsonText } from './codec.ts'
import type { KindCodec, KindOptions } from './codec.ts'

// What drivers give and what Django takes.
const TRUE: ReadonlySet<unknown> = new Set<unknown>([true, 1, 1n, '1', 't', 'true', 'True', 'TRUE'])
const FALSE: ReadonlySet<unknown> = new Set<unknown>([false, 0, 0n, '0', 'f', 'false', 'False', 'FALSE'])

/** Booleans, kept as 0 and 1, as texts `false` and `true` (storage `text`), or as such (storage `boolean`). */
export function booleanKind({ field, storage }: KindOptions): KindCodec {
  const yes: SqlValue = storage === 'text' ? 'true' : storage === 'boolean' ? true : 1
  const no: SqlValue = storage === 'text' ? 'false' : storage === 'boolean' ? false : 0
  return {
    select: 'plain',
    encode(value) {
      if (TRUE.has(value)) return 'true'
      if (FALSE.has(value)) return 'false'
      throw invalidValue('invalid-boolean', field, 'a boolean', value)
    },
    decode(raw) {
      const text = jsonText(raw) ?? raw
      if (TRUE.has(text)) return yes
      if (FALSE.has(text)) return no
      throw invalidValue('invalid-boolean', field, 'true or false', raw)
    },
  }
}
