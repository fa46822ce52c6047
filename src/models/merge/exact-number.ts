import { MAX_INTEGER_DIGITS } from '../../core/limits.ts'
import { plainDigits } from '../kinds/plain-digits.ts'

/** `digits` × 10^-`scale`. */
export interface ExactNumber {
  readonly digits: bigint
  readonly scale: number
}

export const ZERO: ExactNumber = { digits: 0n, scale: 0 }

/** Reads `-12.50` or `1e3`; undefined when the text is no number, or longer than any. */
export function parseExact(text: string): ExactNumber | undefined {
  if (text.length > MAX_INTEGER_DIGITS) return undefined
  const plain = plainDigits(text)
  if (plain === undefined) return undefined
  const [whole = '', fraction = ''] = plain.split('.')
  return { digits: BigInt(whole + fraction), scale: fraction.length }
}

/** In plain digits, without zeros at the end of the fraction. */
export function formatExact({ digits, scale }: ExactNumber): string {
  const sign = digits < 0n ? '-' : ''
  const text = String(digits < 0n ? -digits : digits).padStart(scale + 1, '0')
  const whole = text.slice(0, text.length - scale)
  const fraction = withoutLastZeros(text.slice(text.length - scale))
  return `${sign}${whole}${fraction === '' ? '' : `.${fraction}`}`
}

// From the end: a pattern would look at the same zeros from each of them.
function withoutLastZeros(digits: string): string {
  let end = digits.length
  while (end > 0 && digits[end - 1] === '0') end--
  return digits.slice(0, end)
}

export function add(a: ExactNumber, b: ExactNumber): ExactNumber {
  const scale = Math.max(a.scale, b.scale)
  return { digits: scaledTo(a, scale) + scaledTo(b, scale), scale }
}

export function subtract(a: ExactNumber, b: ExactNumber): ExactNumber {
  return add(a, { digits: -b.digits, scale: b.scale })
}

/** Below zero when `a` is smaller. */
export function compareExact(a: ExactNumber, b: ExactNumber): number {
  const { digits } = subtract(a, b)
  return digits < 0n ? -1 : digits > 0n ? 1 : 0
}

function scaledTo({ digits, scale }: ExactNumber, to: number): bigint {
  return digits * 10n ** BigInt(to - scale)
}
