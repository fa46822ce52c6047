import { gzipSync } from 'node:zlib'

const MB = 1024 * 1024

/** Packs quickly: for what is read, not for what it weighs. */
export function packedText(text: string | Uint8Array): Uint8Array {
  return gzipSync(text, { level: 1 })
}

// Packed once by the megabyte: one gzip file after another is a gzip file.
function many(byte: string, megabytes: number): Uint8Array {
  const one = gzipSync(Buffer.alloc(MB, byte))
  return Buffer.concat(Array.from({ length: megabytes }, () => one))
}

/** 100 kB that become 100 MB of blanks. */
export const BLANKS: Uint8Array = many(' ', 100)

/** The same of zeros. */
export const ZEROS: Uint8Array = many('\0', 100)
