import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MorangoError } from '../../src/core/errors.ts'
import {
  escapeNonAscii,
  joinObject,
  mergeObject,
  parseJsonExact,
  parseJsonWith,
  pythonStringify,
  splitObject,
} from '../../src/core/python-json.ts'
import type { RawField } from '../../src/core/python-json.ts'
import { golden } from './golden.ts'

const text = fc.string({
  unit: fc.oneof(
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
    fc.constantFrom('"', '\\', '\ud800', '\u007f'),
  ),
})
const raw = fc.oneof(
  fc.json().map((json) => json.trim()),
  fc.constantFrom(
    '1.0',
    '12345678901234567890',
    'NaN',
    '-Infinity',
    '[ 1,2 ]',
    '{"b":1, "a" : {}}',
    '"\\u00e9"',
  ),
)
const fields = fc.uniqueArray(fc.record({ key: text, raw }), { selector: ({ key }) => key, maxLength: 6 })
const malformed = expect.objectContaining({ code: 'malformed-message' })

describe('the form of the original', () => {
  it('writes as json.dumps does', () => {
    expect(pythonStringify({ a: [1, 1.5, 'é/\u007f\n\u0001😀'], b: null, c: true, d: {} })).toBe(
      '{"a": [1, 1.5, "\\u00e9/\\u007f\\n\\u0001\\ud83d\\ude00"], "b": null, "c": true, "d": {}}',
    )
    expect(pythonStringify([Number.NaN, Infinity, -Infinity, 1e-7, 1e22, 10n ** 20n])).toBe(
      '[NaN, Infinity, -Infinity, 1e-07, 1e+22, 100000000000000000000]',
    )
  })

  it('writes the records of the original as they were', () => {
    const { scenarios } = golden<{
      scenarios: { final: Record<string, { store: { serialized: string }[] }> }[]
    }>('scenarios_sqlite')
    const stored = scenarios.flatMap(({ final }) =>
      Object.values(final).flatMap(({ store }) => store.map(({ serialized }) => serialized)),
    )
    expect(stored.length).toBeGreaterThan(100)
    for (const serialized of stored) {
      // Some histories spoil a record on purpose.
      if (!serialized.endsWith('}')) continue
      expect(joinObject(splitObject(serialized))).toBe(serialized)
      expect(mergeObject(serialized, [])).toBe(serialized)
    }
  })

  it('comes back from its text', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const plain: unknown = JSON.parse(JSON.stringify(value))
        const written = pythonStringify(parseJsonExact(JSON.stringify(value)))
        expect(written).toMatch(/^[ -~]*$/)
        expect(JSON.parse(written)).toEqual(plain)
      }),
    )
  })

  it('escapes a text that is already JSON', () => {
    expect(escapeNonAscii('{"é": "\u007f😀\\n"}')).toBe('{"\\u00e9": "\\u007f\\ud83d\\ude00\\n"}')
  })
})

describe('objects by their texts', () => {
  it('splits and joins to the same', () => {
    fc.assert(
      fc.property(fields, (members) => {
        expect(splitObject(joinObject(members))).toEqual(members)
      }),
    )
  })

  it('reads what Python writes in one go as it does step by step', () => {
    const word = fc.string({ unit: 'grapheme' })
    const value = fc.oneof(word, fc.integer(), fc.double(), fc.boolean(), fc.constant(null), fc.array(word))
    const text = fc
      .dictionary(word, value)
      .chain((object) =>
        fc.constantFrom(JSON.stringify(object), JSON.stringify(object, null, 1), pythonStringify(object)),
      )
    const damaged = fc
      .tuple(text, fc.nat(), fc.constantFrom('', '"', ',', ', ', '}', '0', '-', ' ', 'x', '1e5', '\\'))
      .map(
        ([whole, at, piece]) =>
          whole.slice(0, at % (whole.length + 1)) + piece + whole.slice((at + 1) % (whole.length + 1)),
      )
    const read = (given: string): unknown => {
      try {
        return splitObject(given)
      } catch (error) {
        expect(error).toBeInstanceOf(MorangoError)
        return 'malformed'
      }
    }
    fc.assert(
      // With whitespace in front it is read step by step.
      fc.property(fc.oneof(text, damaged), (given) => {
        expect(read(given)).toEqual(read(` ${given}`))
      }),
    )
  })

  it('merges known fields in place, and appends new ones', () => {
    expect(
      mergeObject('{"a":1.0,  "b" : NaN, "c": [1 , 2]}', [
        { key: 'b', raw: '"x"' },
        { key: 'd', raw: 'null' },
      ]),
    ).toBe('{"a": 1.0, "b": "x", "c": [1 , 2], "d": null}')
    expect(mergeObject('', [{ key: 'a', raw: '1' }])).toBe('{"a": 1}')
    expect(mergeObject('{}', [])).toBe('{}')
  })

  it('keeps every unknown value, and lets every known one win', () => {
    fc.assert(
      fc.property(fields, fields, (stored, known) => {
        const find = (all: readonly RawField[], key: string): string | undefined =>
          all.find((field) => field.key === key)?.raw
        const merged = splitObject(mergeObject(joinObject(stored), known))
        for (const field of merged) expect(field.raw).toBe(find(known, field.key) ?? find(stored, field.key))
        const added = known.filter(({ key }) => find(stored, key) === undefined)
        expect(merged.map(({ key }) => key)).toEqual([...stored, ...added].map(({ key }) => key))
      }),
    )
  })

  it('lets the last of repeated keys win in the first place', () => {
    expect(splitObject('{"a": 1, "b": 2, "\\u0061": 3}')).toEqual([
      { key: 'a', raw: '3' },
      { key: 'b', raw: '2' },
    ])
  })

  it.each([
    '[]',
    '1',
    'null',
    '"x"',
    '{',
    '{"a"}',
    '{"a": }',
    '{"a": 1,}',
    '{,}',
    '{"a": 01}',
    '{"a": 1.}',
    '{"a": +1}',
    '{"a": "\n"}',
    '{"a": "\\x"}',
    '{"a": tru}',
    '{"a": 1} x',
    '{a: 1}',
    '{"a": [1,]}',
    '{"a": [}',
    "{'a': 1}",
    '\ufeff{}',
    '{"a": "',
    '{"a": -}',
    '{"a": undefined}',
  ])('refuses %j', (bad) => {
    expect(() => splitObject(bad)).toThrow(malformed)
  })

  it('survives hostile texts', () => {
    expect(() => splitObject('{"a":'.repeat(100_000))).toThrow(malformed)
    expect(() => parseJsonExact('['.repeat(100_000))).toThrow(malformed)
    const long = `"${'x\\n'.repeat(500_000)}"`
    expect(splitObject(`{"a": ${long}}`)).toEqual([{ key: 'a', raw: long }])
  })
})

describe('exact values', () => {
  it('keeps what a number can hold, and integers that it cannot', () => {
    expect(parseJsonExact('[9007199254740991, 9007199254740993, -1, 1.5, 1e3, NaN, -Infinity]')).toEqual([
      9007199254740991,
      9007199254740993n,
      -1,
      1.5,
      1000,
      Number.NaN,
      -Infinity,
    ])
    expect(Object.keys(Object(parseJsonExact('{"__proto__": 1}')))).toEqual(['__proto__'])
  })

  it('reads what JSON.parse reads', () => {
    fc.assert(
      fc.property(fc.json(), (json) => {
        const exact = parseJsonWith(json, Number)
        expect(exact).toEqual(JSON.parse(json))
      }),
    )
  })
})
