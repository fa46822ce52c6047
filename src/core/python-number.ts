/**
 * A number that stood in a text as a float (`1.0`, `1e3`): JavaScript would print it as the integer,
 * Python does not.
 */
export class PythonFloat {
  readonly value: number

  constructor(value: number) {
    this.value = value
  }
}

/** A float as Python's `repr` prints it: always with a fraction or an exponent, the latter of two digits. */
export function pythonFloat(value: number): string {
  if (Number.isNaN(value)) return 'nan'
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf'
  if (Object.is(value, -0)) return '-0.0'
  if (value === 0) return '0.0'
  const [mantissa = '', exponentText = '0'] = value.toExponential().split('e')
  const exponent = Number(exponentText)
  if (exponent >= 16 || exponent < -4) {
    const sign = exponent < 0 ? '-' : '+'
    return `${mantissa}e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`
  }
  if (exponent < 0) {
    const digits = mantissa.replace('-', '').replace('.', '')
    return `${value < 0 ? '-' : ''}0.${'0'.repeat(-exponent - 1)}${digits}`
  }
  const plain = String(value)
  return plain.includes('.') ? plain : `${plain}.0`
}
