import { invalidValue, jsonText } from './codec.ts'
import type { KindCodec, KindOptions } from './codec.ts'

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/
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
      if (text === undefined || !BASE64.test(text)) {
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
