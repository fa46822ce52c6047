import { base64Decode, base64Encode } from '../../src/core/base64.ts'
import { keys } from '../core/golden-certificates.ts'

/** A public key of the recordings. */
export const good: string = keys.keys[0]?.public_key_string ?? ''
/** Its bytes. */
export const der: readonly number[] = Array.from(base64Decode(good) ?? [])
// SEQUENCE and INTEGER with two bytes of length each, a zero, then the modulus.
/** Its modulus. */
export const modulus: readonly number[] = der.slice(9, 9 + 256)

/** A length of DER. */
export function length(bytes: number): number[] {
  if (bytes < 0x80) return [bytes]
  return bytes < 0x100 ? [0x81, bytes] : [0x82, bytes >> 8, bytes & 0xff]
}

/** A positive number of DER. */
export function integer(bytes: readonly number[]): number[] {
  const content = (bytes[0] ?? 0) >= 0x80 ? [0, ...bytes] : bytes
  return [2, ...length(content.length), ...content]
}

/** A list of DER. */
export function sequence(...parts: readonly (readonly number[])[]): number[] {
  const content = parts.flat()
  return [0x30, ...length(content.length), ...content]
}

/** The base64 of bytes. */
export function text(bytes: readonly number[]): string {
  return base64Encode(Uint8Array.from(bytes))
}

/** The public key of two numbers, whatever they are. */
export function key(n: readonly number[], e: readonly number[]): string {
  return text(sequence(integer(n), integer(e)))
}
