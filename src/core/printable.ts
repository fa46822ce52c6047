/**
 * Characters that make a terminal or a reader see something else than what is there: controls (C0, DEL, C1), formats (text
 * directions, zero-width ones, tags), line and paragraph separators, halves of surrogate pairs, blanks that pass for nothing.
 */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\u034F\u115F\u1160\u17B4\u17B5\u2800\u3164\uFFA0]/gu

/**
 * A text that can be shown as it is, whoever wrote it: characters that would move the cursor, turn the direction of
 * writing or stay unseen become escapes such as `\u202e`. Line breaks are among them.
 */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, escapeOf)
}

/** The text of a JSON document with those characters as JSON's own escapes, so that it reads as the same values. */
export function printableJson(json: string): string {
  // Outside of strings JSON has none of them but line breaks.
  return json.replace(UNPRINTABLE, (character) => (character === '\n' ? character : jsonEscapeOf(character)))
}

function escapeOf(character: string): string {
  const code = character.codePointAt(0) ?? 0
  return code > 0xffff ? `\\u{${code.toString(16)}}` : unitEscape(code)
}

function jsonEscapeOf(character: string): string {
  return Array.from({ length: character.length }, (_, index) => unitEscape(character.charCodeAt(index))).join(
    '',
  )
}

function unitEscape(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, '0')}`
}
