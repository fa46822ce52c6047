import { utf8ToBytes } from '@noble/hashes/utils.js'

const HEX_OF_BYTE: readonly string[] = Array.from({ length: 256 }, (_, byte) =>
  byte.toString(16).padStart(2, '0'),
)

// Ids are derived for every record of a transfer, nearly always from short ASCII texts. For those, a loop
// into memory that is used again is several times faster than an encoder.
const scratch: Uint8Array<ArrayBuffer> = new Uint8Array(1024)

/**
 * The UTF-8 bytes of `text`, good only until the next call: the memory is used again. For hashing.
 */
export function transientUtf8(text: string): Uint8Array {
  const { length } = text
  if (length > scratch.length) return utf8ToBytes(text)
  for (let index = 0; index < length; index++) {
    const code = text.charCodeAt(index)
    if (code > 0x7f) return utf8ToBytes(text)
    scratch[index] = code
  }
  return scratch.subarray(0, length)
}

/** The first `digits` (an even number) lowercase hex digits of `bytes`. */
export function hexPrefix(bytes: Uint8Array, digits: number): string {
  let hex = ''
  for (let index = 0; index < digits / 2; index++) hex += HEX_OF_BYTE[bytes[index] ?? 0] ?? ''
  return hex
}
