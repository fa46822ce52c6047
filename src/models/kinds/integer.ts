import { FieldError } from '../compiled.ts'
import { databaseText, invalidValue, jsonTextOrNumber } from './codec.ts'
import type { KindCodec, KindOptions } from './codec.ts'

const DIGITS = /^-?(?:0|[1-9]\d*)$/
const WHOLE = /^(-?\d+)(?:\.0*)?$/
/** With zeros in front, which are no reason to refuse. */
const LONGEST = 400
const MAX = 2n ** 63n - 1n
const MIN = -(2n ** 63n)

/** Integers of 64 bits. They are selected as text, because a `number` holds only 53 of them. */
export function integerKind({ field }: KindOptions): KindCodec {
  return {
    select: 'text',
    encode(value) {
      const digits = databaseText(value)
      if (digits === undefined || !DIGITS.test(digits)) {
        throw invalidValue('invalid-integer', field, 'an integer', value)
      }
      return digits
    },
    decode(raw) {
      const digits = WHOLE.exec(jsonTextOrNumber(raw) ?? '')?.[1]
      if (digits === undefined) throw invalidValue('invalid-integer', field, 'an integer', raw)
      const number = Number(digits)
      if (Number.isSafeInteger(number)) return number + 0
      const big = digits.length > LONGEST ? undefined : BigInt(digits)
      if (big === undefined || big > MAX || big < MIN) {
        throw new FieldError('out-of-range', `"${field}" does not fit into an integer of 64 bits`, field)
      }
      return big
    },
  }
}
