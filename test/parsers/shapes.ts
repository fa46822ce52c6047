/** Texts that have brought parsers and patterns to their knees, each of about `size` characters. */
export const SHAPES: Readonly<Record<string, (size: number) => string>> = {
  zeros: (size) => fill('0', size),
  'a point and zeros': (size) => `0.${fill('0', size)}1`,
  digits: (size) => fill('9', size),
  'a length of days': (size) => `P${fill('9', size)}D`,
  'digits with an exponent': (size) => `${fill('1', size)}e999`,
  blanks: (size) => `x${fill(' ', size)}x`,
  'line breaks': (size) => fill('\r\n', size),
  'short words': (size) => fill('a ', size),
  'growing words': (size) => growing(size),
  'distinct words': (size) => numbered(size, (n) => `p${n}\n`),
  'open lists': (size) => fill('[', size),
  'open objects': (size) => fill('{"a":', size),
  'empty lists': (size) => `[${fill('[],', size)}[]]`,
  keys: (size) => `{${numbered(size, (n) => `"k${n}": ${n}, `)}"end": 1}`,
  'one key again and again': (size) => `{${fill('"a": 1, ', size)}"a": 2}`,
  quotes: (size) => fill('"', size),
  backslashes: (size) => `"${fill('\\', size)}"`,
  'escaped quotes': (size) => `"${fill('\\"', size)}"`,
  'a long string': (size) => `"${fill('x', size)}"`,
  placeholders: (size) => fill('${a', size),
  'beginnings of titles': (size) => fill('<title>', size),
  'pairs beyond the basic plane': (size) => fill('\u{1F600}', size),
  'lone surrogates': (size) => fill('\uD800', size),
  base64: (size) => `${fill('QUJD', size)}=`,
  colons: (size) => fill('0:', size),
  armour: (size) => fill('-----BEGIN PUBLIC KEY-----', size),
}

function fill(text: string, size: number): string {
  return text.repeat(Math.ceil(size / text.length))
}

function numbered(size: number, part: (n: number) => string): string {
  const parts: string[] = []
  for (let length = 0; length < size; length += parts.at(-1)?.length ?? 0) parts.push(part(parts.length))
  return parts.join('')
}

/** Each word begins with the one before; they end at 128 characters, as prefixes do. */
function growing(size: number): string {
  return numbered(size, (n) => `${fill('p', (n % 128) + 1)} `)
}
