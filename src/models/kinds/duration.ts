import type { SqlValue } from '../compiled.ts'
import { databaseText, invalidValue, jsonText } from './codec.ts'
import type { KindCodec, KindOptions } from './codec.ts'
import { plainDigits } from './plain-digits.ts'

const ISO = /^([+-]?)P(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:[.,](\d+))?S)?)?$/
const PLAIN = /^(?:(-?\d+) (?:days?,? )?)?(-?)(\d+):(\d\d):(\d\d)(?:[.,](\d+))?$/
const SECONDS = /^(-?)(\d+)(?:\.(\d+))?$/
const WHOLE = /^-?\d+$/
const MICROSECONDS = 1_000_000n

/**
 * Lengths of time, `P1DT02H03M04S` in the JSON. Storage `text` (that form; `1 02:03:04` is read too),
 * `seconds`, `microseconds` or `interval` (SQL's type: read as seconds, written as `-1 days -02:03:04`). Digits beyond microseconds are cut off.
 */
export function durationKind({ field, storage }: KindOptions): KindCodec {
  const parse =
    storage === 'seconds' || storage === 'interval'
      ? parseSeconds
      : storage === 'microseconds'
        ? parseWhole
        : parseText
  const expected = storage === 'seconds' || storage === 'microseconds' ? `${storage}` : 'a length of time'
  return {
    select: 'text',
    encode(value) {
      const microseconds = parse(databaseText(value) ?? '')
      if (microseconds === undefined) throw invalidValue('invalid-duration', field, expected, value)
      return `"${format(microseconds)}"`
    },
    decode(raw) {
      const microseconds = parseText(jsonText(raw) ?? '')
      if (microseconds === undefined) {
        throw invalidValue('invalid-duration', field, 'a length of time like P1DT02H03M04S', raw)
      }
      return stored(microseconds, storage)
    },
  }
}

function stored(microseconds: bigint, storage: string | undefined): SqlValue {
  if (storage === 'seconds') return Number(microseconds) / Number(MICROSECONDS)
  if (storage === 'interval') return formatInterval(microseconds)
  if (storage !== 'microseconds') return format(microseconds)
  const number = Number(microseconds)
  return Number.isSafeInteger(number) ? number : microseconds
}

/** So many characters are a length of time. A number of far more digits takes time by the square. */
const LONGEST = 400

function parseText(text: string): bigint | undefined {
  if (text.length > LONGEST) return undefined
  const iso = ISO.exec(text)
  if (iso !== null && !text.endsWith('P')) {
    const [, sign, days = '0', hours = '0', minutes = '0', seconds = '0', fraction = ''] = iso
    const size = add(BigInt(days), hours, minutes, seconds, fraction)
    return sign === '-' ? -size : size
  }
  const plain = PLAIN.exec(text)
  if (plain === null) return undefined
  const [, days = '0', sign, hours = '0', minutes = '0', seconds = '0', fraction = ''] = plain
  const size = add(0n, hours, minutes, seconds, fraction)
  return BigInt(days) * 86_400n * MICROSECONDS + (sign === '-' ? -size : size)
}

function parseSeconds(text: string): bigint | undefined {
  // A database prints small fractions with an exponent.
  const match = SECONDS.exec(plainDigits(text) ?? '')
  if (match === null) return undefined
  const [, sign, seconds = '0', fraction = ''] = match
  const size = add(0n, '0', '0', seconds, fraction)
  return sign === '-' ? -size : size
}

function parseWhole(text: string): bigint | undefined {
  return WHOLE.test(text) ? BigInt(text) : undefined
}

function add(days: bigint, hours: string, minutes: string, seconds: string, fraction: string): bigint {
  const whole = ((days * 24n + BigInt(hours)) * 60n + BigInt(minutes)) * 60n + BigInt(seconds)
  return whole * MICROSECONDS + BigInt(fraction.slice(0, 6).padEnd(6, '0'))
}

function format(microseconds: bigint): string {
  const size = microseconds < 0n ? -microseconds : microseconds
  const seconds = size / MICROSECONDS
  const fraction = size % MICROSECONDS
  const time = [
    `${two((seconds / 3600n) % 24n)}H`,
    `${two((seconds / 60n) % 60n)}M`,
    `${two(seconds % 60n)}${fraction === 0n ? '' : `.${String(fraction).padStart(6, '0')}`}S`,
  ]
  return `${microseconds < 0n ? '-' : ''}P${seconds / 86_400n}DT${time.join('')}`
}

function formatInterval(microseconds: bigint): string {
  const sign = microseconds < 0n ? '-' : ''
  const size = microseconds < 0n ? -microseconds : microseconds
  const seconds = size / MICROSECONDS
  const time = `${two((seconds / 3600n) % 24n)}:${two((seconds / 60n) % 60n)}:${two(seconds % 60n)}`
  const fraction = String(size % MICROSECONDS).padStart(6, '0')
  return `${sign}${seconds / 86_400n} days ${sign}${time}.${fraction}`
}

function two(value: bigint): string {
  return String(value).padStart(2, '0')
}
