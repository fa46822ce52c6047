/** The UTF-8 bytes of a text. */
export function utf8Bytes(text: string): number {
  let bytes = text.length
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    // Each half of a surrogate pair counts two of its four bytes.
    if (unit > 0x7f) bytes += unit > 0x7ff && (unit < 0xd800 || unit > 0xdfff) ? 2 : 1
  }
  return bytes
}

/** Whether the texts have more UTF-8 bytes together than `most`. Counts them only where their lengths leave a doubt. */
export function exceedsBytes(most: number, ...texts: readonly string[]): boolean {
  const length = texts.reduce((sum, text) => sum + text.length, 0)
  if (length > most) return true
  // No code unit takes more than three bytes.
  if (length * 3 <= most) return false
  return texts.reduce((sum, text) => sum + utf8Bytes(text), 0) > most
}
