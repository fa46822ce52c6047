const LONGEST_QUOTE = 300

// Control characters, and those that change the direction or cannot be seen: a terminal may obey them.
const UNPRINTABLE =
  // oxlint-disable-next-line no-control-regex
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g

/**
 * A peer's words as they may stand in a sentence of ours: on one line, without characters that a terminal obeys, and
 * cut at `most` characters.
 */
export function quotedText(text: string, most: number = LONGEST_QUOTE): string {
  const cut = text.length <= most ? text : `${text.slice(0, most)}…`
  return cut
    .replace(UNPRINTABLE, (character) => (character < ' ' && character !== '\u001b' ? ' ' : ''))
    .toWellFormed()
}
