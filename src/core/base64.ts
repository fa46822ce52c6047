const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const SHAPE = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/** Standard base64 with padding, on one line (protocol §3). */
export function base64Encode(bytes: Uint8Array): string {
  let text = ''
  for (let index = 0; index < bytes.length; index += 3) {
    const second = bytes[index + 1]
    const third = bytes[index + 2]
    const bits = ((bytes[index] ?? 0) << 16) | ((second ?? 0) << 8) | (third ?? 0)
    text += ALPHABET.charAt(bits >> 18) + ALPHABET.charAt((bits >> 12) & 63)
    text += second === undefined ? '=' : ALPHABET.charAt((bits >> 6) & 63)
    text += third === undefined ? '=' : ALPHABET.charAt(bits & 63)
  }
  return text
}

/** The bytes of a standard base64 text, whitespace ignored; undefined when it is none. */
export function base64Decode(text: string): Uint8Array<ArrayBuffer> | undefined {
  const compact = text.replace(/\s+/g, '')
  if (!SHAPE.test(compact)) return undefined
  const digits = compact.replace(/=+$/, '')
  const bytes = new Uint8Array(Math.floor((digits.length * 3) / 4))
  let bits = 0
  let position = 0
  for (let index = 0; index < digits.length; index++) {
    bits = ((bits << 6) | ALPHABET.indexOf(digits.charAt(index))) & 0xffffff
    if (index % 4 !== 0) bytes[position++] = (bits >> (6 - 2 * (index % 4))) & 0xff
  }
  return bytes
}
