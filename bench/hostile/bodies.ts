import { gzipSync, zstdCompressSync } from 'node:zlib'
import { bytesOf } from './caller.ts'

type Bytes = Uint8Array<ArrayBuffer>

/** Texts of JSON that are short and make a parser build much, of about so many bytes. */
export const BOMBS: Readonly<Record<string, (bytes: number) => string>> = {
  'empty lists': (bytes) => `[${'[],'.repeat(bytes / 3)}[]]`,
  'empty objects': (bytes) => `[${'{},'.repeat(bytes / 3)}{}]`,
  numbers: (bytes) => `[${'1,'.repeat(bytes / 2)}1]`,
  texts: (bytes) => `[${'"",'.repeat(bytes / 3)}""]`,
  'lists in lists': (bytes) => '['.repeat(bytes),
  'objects in objects': (bytes) => '{"a":'.repeat(bytes / 5),
  keys: (bytes) => `{${Array.from({ length: bytes / 14 }, (_, key) => `"${key}":1`).join(',')}}`,
  'one number': (bytes) => `[${'1'.repeat(bytes)}]`,
  'escapes in one text': (bytes) => `["${'\\u0061'.repeat(bytes / 6)}"]`,
}

/** Packed as a Python client packs a chunk. */
export function gzipped(text: string): Bytes {
  return new Uint8Array(gzipSync(bytesOf(text), { level: 6 }))
}

/** Packed by Zstandard, as our own clients do. */
export function zstandard(text: string): Bytes {
  return new Uint8Array(zstdCompressSync(bytesOf(text)))
}
