import { databaseText, invalidValue, jsonTextOrNumber } from './codec.ts'
import type { KindCodec, KindOptions } from './codec.ts'
import { plainDigits } from './plain-digits.ts'

/**
 * Decimals: a string of plain digits in the JSON. A declared scale (`decimal(10, 2)`) is filled up with
 * zeros, because a database that keeps numbers drops them. They are selected as text, exact to the digits
 * that the database has.
 */
export function decimalKind({ field, scale = 0 }: KindOptions): KindCodec {
  return {
    select: 'text',
    encode(value) {
      const digits = plainDigits(databaseText(value) ?? '', scale)
      if (digits === undefined) throw invalidValue('invalid-decimal', field, 'a decimal number', value)
      return `"${digits}"`
    },
    decode(raw) {
      const digits = plainDigits(jsonTextOrNumber(raw) ?? '', scale)
      if (digits === undefined) throw invalidValue('invalid-decimal', field, 'a decimal number', raw)
      return digits
    },
  }
}
