import { pythonFloat } from '../../core/python-number.ts'
import { invalidValue, jsonTextOrNumber } from './codec.ts'
import type { KindCodec, KindOptions } from './codec.ts'

const NUMBER = /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/
const CONSTANTS: ReadonlyMap<string, number> = new Map([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
])

/** Floating-point numbers, printed as Python prints them, its constants for JSON included. */
export function realKind({ field }: KindOptions): KindCodec {
  return {
    select: 'plain',
    encode(value) {
      if (typeof value !== 'number' && typeof value !== 'bigint') {
        throw invalidValue('invalid-number', field, 'a number', value)
      }
      const number = Number(value)
      return realText(number)
    },
    decode(raw) {
      const constant = CONSTANTS.get(raw)
      if (constant !== undefined) return constant
      const text = jsonTextOrNumber(raw)
      if (text === undefined || !NUMBER.test(text)) {
        throw invalidValue('invalid-number', field, 'a number', raw)
      }
      return Number(text)
    },
  }
}

function realText(number: number): string {
  const size = Math.abs(number)
  // Where JavaScript and Python write no exponent they write the same digits, at less cost.
  if (size >= 1e-4 && size < 1e16) return Number.isInteger(number) ? `${number}.0` : String(number)
  // `String` names NaN and the infinities as Python's json does.
  return Number.isFinite(number) ? pythonFloat(number) : String(number)
}
