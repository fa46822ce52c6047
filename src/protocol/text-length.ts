/** Whether a text has at most so many code points; takes no longer for a longer text. */
export function isWithin(text: string, most: number): boolean {
  if (text.length <= most) return true
  if (text.length > 2 * most) return false
  let points = 0
  for (const _ of text) points++
  return points <= most
}

const UTF8_PER_UNIT = 3

/** The UTF-8 bytes of texts together. Exact from a third of `interesting` on, below that an upper bound. */
export function bytesOf(texts: readonly string[], interesting: number): number {
  const units = texts.reduce((sum, text) => sum + text.length, 0)
  if (units * UTF8_PER_UNIT <= interesting) return units * UTF8_PER_UNIT
  return texts.reduce((sum, text) => sum + utf8Length(text), 0)
}

function utf8Length(text: string): number {
  let bytes = 0
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    // Half of a surrogate pair has half of its four bytes.
    bytes += unit < 0x80 ? 1 : unit < 0x800 || (unit >= 0xd800 && unit < 0xe000) ? 2 : 3
  }
  return bytes
}
