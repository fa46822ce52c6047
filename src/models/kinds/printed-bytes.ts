/** The bytes that PostgreSQL prints as `\x00ff`, or as `\000\377` where `bytea_output` is `escape`. */
export function parsePrintedBytes(text: string): Uint8Array {
  if (text.startsWith(String.raw`\x`)) {
    return Uint8Array.from(text.slice(2).match(/../g) ?? [], (digits) => Number.parseInt(digits, 16))
  }
  const parts = text.match(/\\\\|\\[0-7]{3}|[^\\]/g) ?? []
  return Uint8Array.from(parts, (part) => {
    if (part === String.raw`\\`) return 0x5c
    return part.startsWith('\\') ? Number.parseInt(part.slice(1), 8) : part.charCodeAt(0)
  })
}
