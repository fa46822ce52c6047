const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

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

/**
 * Whether a text is standard base64 with padding, without line breaks. By a loop: a pattern that repeats a group
 * exhausts its stack on a long text.
 */
export function isBase64(text: string): boolean {
  if (text.length % 4 !== 0) return false
  const digits = digitCount(text)
  for (let index = 0; index < digits; index++) if (!isDigit(text.charCodeAt(index))) return false
  return true
}

/** The bytes of a standard base64 text, whitespace ignored; undefined when it is none. */
export function base64Decode(text: string): Uint8Array<ArrayBuffer> | undefined {
  const compact = text.replace(/\s+/g, '')
  if (!isBase64(compact)) return undefined
  const digits = digitCount(compact)
  const bytes = new Uint8Array(Math.floor((digits * 3) / 4))
  let bits = 0
  let position = 0
  for (let index = 0; index < digits; index++) {
    bits = ((bits << 6) | ALPHABET.indexOf(compact.charAt(index))) & 0xffffff
    if (index % 4 !== 0) bytes[position++] = (bits >> (6 - 2 * (index % 4))) & 0xff
  }
  return bytes
}

/** How many characters are not padding, of which there may be two. */
function digitCount(text: string): number {
  if (text.endsWith('==')) return text.length - 2
  return text.endsWith('=') ? text.length - 1 : text.length
}

function isDigit(code: number): boolean {
  return (
    (code >= 0x61 && code <= 0x7a) ||
    (code >= 0x41 && code <= 0x5a) ||
    (code >= 0x30 && code <= 0x39) ||
    code === 0x2b ||
    code === 0x2f
  )
}
