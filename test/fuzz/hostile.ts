import fc from 'fast-check'

const HEX = '0123456789abcdef0123456789abcdef'

/** Texts that have been taken for something else than they are. */
export const TEXTS: readonly string[] = [
  '',
  ' ',
  '\n',
  '\0',
  'a\0b',
  '\uD800',
  '\uDC00x',
  '\u{1F600}',
  '\u202Eabc',
  '\uFEFF',
  '\u0085',
  '\u2028',
  'e\u0301',
  'İ',
  '٣',
  '\r\n',
  '\\',
  '"',
  "'",
  '%',
  '%00',
  '%ff',
  '%2e%2e%2f',
  '../',
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'then',
  'null',
  'NaN',
  '-Infinity',
  '0',
  '-0',
  '-1',
  '+5',
  ' 5 ',
  '5.0',
  '1e3',
  '1e999',
  '-1e-999',
  '0x10',
  '1_000',
  '2147483647',
  '2147483648',
  '9007199254740993',
  '18446744073709551616',
  '9'.repeat(400),
  '9'.repeat(5000),
  HEX,
  HEX.toUpperCase(),
  '01234567-89ab-cdef-0123-456789abcdef',
  '-'.repeat(40),
  'x'.repeat(129),
  'x'.repeat(9000),
  '\u{1F600}'.repeat(100),
  '${id}',
  '$$',
  '${a',
  'a b',
  'a\nb',
  ':',
  '::',
  ':(nothing)',
  '[]',
  '{}',
  '{"a": 1, "a": 2}',
  '{"__proto__": {"id": "x"}}',
  '['.repeat(600),
  '{"a":'.repeat(600),
  '\u0001\u0002\u0003',
  "'; drop table place; --",
  '2026-02-30T25:61:61+99:99',
  '9999-12-31T23:59:59.999999Z',
  'P9999999999DT1S',
  '-----BEGIN PUBLIC KEY-----',
  'AAAA',
  'AA==',
  '=',
]

/** Any text, also of code units that are no characters. */
export const hostileText: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...TEXTS) },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 20 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 20 }) },
  {
    weight: 1,
    arbitrary: fc
      .array(fc.nat(0xff_ff), { maxLength: 10 })
      .map((units) => String.fromCharCode(...units)),
  },
)

function nested(depth: number): unknown {
  let value: unknown = []
  for (let level = 0; level < depth; level++) value = level % 2 === 0 ? { a: value } : [value]
  return value
}

/** Values of JSON that are at an edge of something. */
const VALUES: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -0,
  -1,
  0.5,
  1e308,
  5e-324,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 53,
  -(2 ** 53),
  1e21,
  [],
  {},
  [[]],
  [null],
  [{}],
  { '': 0 },
  { toString: 1, valueOf: 2 },
  Object.fromEntries([['__proto__', { id: HEX }]]),
  { constructor: { prototype: {} } },
  // Keys that are shown alike.
  Object.fromEntries(TEXTS.map((text) => [text, 0])),
  nested(40),
  nested(600),
  Array.from({ length: 1100 }, (_, n) => n),
  Object.fromEntries(Array.from({ length: 1100 }, (_, n) => [`k${n}`, n])),
]

/** A value of JSON that does not belong where it is put. */
export const hostileValue: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...VALUES) },
  { weight: 3, arbitrary: hostileText },
  { weight: 1, arbitrary: fc.oneof(fc.integer(), fc.double(), fc.maxSafeInteger()) },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
)
