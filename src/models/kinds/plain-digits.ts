const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?$/

/** `1.5e+3` as `1500`, with at least `scale` digits after the point; undefined when it is no number. */
export function plainDigits(text: string, scale = 0): string | undefined {
  const match = DECIMAL.exec(text)
  if (match === null) return undefined
  const [, sign = '', whole = '', fraction = '', exponentText = '0'] = match
  const digits = whole + fraction
  if (digits === '') return undefined
  const point = whole.length + Number(exponentText)
  const padded = point <= 0 ? '0'.repeat(1 - point) + digits : digits.padEnd(point, '0')
  const split = Math.max(point, 1)
  const integer = padded.slice(0, split).replace(/^0+(?=\d)/, '')
  const decimals = padded.slice(split).padEnd(scale, '0')
  return `${sign === '-' ? '-' : ''}${integer}${decimals === '' ? '' : `.${decimals}`}`
}
