import { isBase64 } from '../../core/base64.ts'
import { invalidValue, jsonText } from './codec.ts'
import type { KindCodec, KindOptions } from './codec.ts'

// A call takes only so many arguments.
const CHUNK = 0x2000

/** Bytes: standard base64 in the JSON. */
export function binaryKind({ field }: KindOptions): KindCodec {
  return {
    select: 'plain',
    encode(value) {
      if (!(value instanceof Uint8Array)) throw invalidValue('invalid-binary', field, 'bytes', value)
      return `"${toBase64(value)}"`
    },
    decode(raw) {
      const text = jsonText(raw)
      if (text === undefined || !isBase64(text)) {
        throw invalidValue('invalid-binary', field, 'base64', raw)
      }
      return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
    },
  }
}

function toBase64(bytes: Uint8Array): string {
  let text = ''
  for (let start = 0; start < bytes.length; start += CHUNK) {
    text += String.fromCharCode(...bytes.subarray(start, start + CHUNK))
  }
  return btoa(text)
}
