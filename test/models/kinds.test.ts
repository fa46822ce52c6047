import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FieldError } from '../../src/models/compiled.ts'
import type { ColumnKind, CompiledColumn, SqlValue } from '../../src/models/compiled.ts'
import { compileColumn } from '../../src/models/kinds/column.ts'
import type { ColumnSpecification } from '../../src/models/kinds/column.ts'

function column(kind: ColumnKind, options: Partial<ColumnSpecification> = {}): CompiledColumn {
  return compileColumn({
    field: 'f',
    kind,
    recordId: false,
    nullable: false,
    storage: undefined,
    maxLength: undefined,
    scale: undefined,
    whenMissing: undefined,
    defaultSql: undefined,
    read: undefined,
    element: undefined,
    ...options,
  })
}

function errorOf(call: () => unknown): FieldError {
  try {
    call()
  } catch (error) {
    if (error instanceof FieldError) return error
    throw error
  }
  throw new Error('did not fail')
}

interface Cases {
  readonly kind: ColumnKind
  readonly options?: Partial<ColumnSpecification>
  /** Database value, JSON, and what the JSON becomes in the database when that is not the same. */
  readonly both?: readonly (readonly [value: unknown, json: string, back?: SqlValue])[]
  readonly decodes?: readonly (readonly [json: string, value: SqlValue])[]
  readonly badValues?: readonly unknown[]
  readonly badJson?: readonly string[]
  readonly code: string
}

const CASES: readonly Cases[] = [
  {
    kind: 'text',
    both: [
      ['', '""'],
      ['a"\\/\n', '"a\\"\\\\/\\n"'],
      ['å\u007f😀', '"\\u00e5\\u007f\\ud83d\\ude00"'],
      ['null', '"null"'],
      [12n, '"12"', '12'],
    ],
    decodes: [
      ['"\\u00E5"', 'å'],
      ['1.0', '1.0'],
    ],
    badValues: [new Uint8Array(2), true],
    badJson: ['true', '{}', '["a"]', '"\\x"'],
    code: 'invalid-type',
  },
  {
    kind: 'integer',
    both: [
      ['0', '0', 0],
      ['-5', '-5', -5],
      [7, '7'],
      ['9007199254740991', '9007199254740991', 9007199254740991],
      ['9007199254740993', '9007199254740993', 9007199254740993n],
      ['-9223372036854775808', '-9223372036854775808', -9223372036854775808n],
    ],
    decodes: [
      ['1.0', 1],
      ['"12"', 12],
      ['-0', 0],
    ],
    badValues: ['1.5', 'abc', '', 1.5, new Uint8Array(1)],
    badJson: ['1.5', '"a"', 'true', '[]', 'NaN', '1e3'],
    code: 'invalid-integer',
  },
  {
    kind: 'real',
    both: [
      [1, '1.0'],
      [-0, '-0.0'],
      [0.1, '0.1'],
      [1e16, '1e+16'],
      [1e15, '1000000000000000.0'],
      [1e-5, '1e-05'],
      [1.5e300, '1.5e+300'],
      [1e-4, '0.0001'],
      [9.9e-5, '9.9e-05'],
      [2 ** 53, '9007199254740992.0'],
      [-123456.75, '-123456.75'],
      [Number.NaN, 'NaN'],
      [Number.POSITIVE_INFINITY, 'Infinity'],
      [Number.NEGATIVE_INFINITY, '-Infinity'],
    ],
    decodes: [
      ['5', 5],
      ['"1.5"', 1.5],
    ],
    badValues: ['abc', '1'],
    badJson: ['"abc"', 'true', '{}', '"0x10"', '""'],
    code: 'invalid-number',
  },
  {
    kind: 'boolean',
    both: [
      [1, 'true'],
      [0, 'false'],
      [1n, 'true', 1],
      [true, 'true', 1],
      ['f', 'false', 0],
    ],
    decodes: [
      ['1', 1],
      ['"False"', 0],
    ],
    badValues: [2, 'yes'],
    badJson: ['2', '"yes"', '[]'],
    code: 'invalid-boolean',
  },
  {
    kind: 'boolean',
    options: { storage: 'text' },
    both: [
      ['true', 'true'],
      ['false', 'false'],
    ],
    code: 'invalid-boolean',
  },
  {
    kind: 'json',
    both: [
      ['{"a": 1.0, "b": [9007199254740993, NaN]}', '{"a": 1.0, "b": [9007199254740993, NaN]}'],
      ['"\\u00e5"', '"\\u00e5"'],
      ['{"a":1e0}', '{"a":1e0}'],
      [' {"å":\n\t1}\n', '{"\\u00e5": 1}', '{"\\u00e5": 1}'],
      ['null', 'null'],
    ],
    badValues: ['', '{', '{"a":1} x', 'abc'],
    code: 'invalid-json',
  },
  {
    kind: 'json',
    options: { storage: 'string' },
    both: [['{"a": 1}', '"{\\"a\\": 1}"']],
    badJson: ['{"a": 1}'],
    code: 'invalid-type',
  },
  {
    kind: 'date-time',
    both: [
      ['2024-05-06T07:08:09Z', '"2024-05-06T07:08:09Z"'],
      ['2024-05-06 07:08:09', '"2024-05-06T07:08:09Z"', '2024-05-06T07:08:09Z'],
      ['2024-05-06 07:08:09.123999', '"2024-05-06T07:08:09.123Z"', '2024-05-06T07:08:09.123Z'],
      ['2024-05-06T07:08:09.5Z', '"2024-05-06T07:08:09.500Z"', '2024-05-06T07:08:09.500Z'],
      ['2024-05-06T07:08+02:00', '"2024-05-06T05:08:00Z"', '2024-05-06T05:08:00Z'],
      ['2024-01-01 00:30:00-0130', '"2024-01-01T02:00:00Z"', '2024-01-01T02:00:00Z'],
      ['2024-05-06 07:08:09+00', '"2024-05-06T07:08:09Z"', '2024-05-06T07:08:09Z'],
      ['1969-12-31 23:59:59.9999', '"1969-12-31T23:59:59.999Z"', '1969-12-31T23:59:59.999Z'],
      ['0001-01-01T00:00:00Z', '"0001-01-01T00:00:00Z"'],
      ['2024-05-06T07:08:09.000Z', '"2024-05-06T07:08:09Z"', '2024-05-06T07:08:09Z'],
      ['2024-02-29', '"2024-02-29T00:00:00Z"', '2024-02-29T00:00:00Z'],
    ],
    decodes: [['"2024-05-06T07:08:09.123456Z"', '2024-05-06T07:08:09.123Z']],
    badValues: [
      '',
      '2023-02-29T00:00:00Z',
      '2024-01-00T00:00:00Z',
      '2024-01-01T00:00:60Z',
      '2023-02-29 00:00:00',
      '2024-13-01',
      '2024-05-06 24:00:00',
      '1714979289',
      'now',
    ],
    badJson: [
      '1714979289',
      '"soon"',
      '"2024-05-06T07:60:00Z"',
      '"0000-01-01"',
      '"0001-01-01T00:00:00+01:00"',
    ],
    code: 'invalid-date-time',
  },
  {
    kind: 'date-time',
    options: { storage: 'sql' },
    both: [
      ['2024-05-06 07:08:09', '"2024-05-06T07:08:09Z"'],
      ['2024-05-06 07:08:09.120', '"2024-05-06T07:08:09.120Z"'],
    ],
    code: 'invalid-date-time',
  },
  {
    kind: 'date-time',
    options: { storage: 'epoch-seconds' },
    both: [
      ['1714979289', '"2024-05-06T07:08:09Z"', 1714979289],
      ['-1', '"1969-12-31T23:59:59Z"', -1],
    ],
    decodes: [['"1969-12-31T23:59:59.500Z"', -1]],
    badValues: ['2024-05-06', '99999999999999'],
    code: 'invalid-date-time',
  },
  {
    kind: 'date-time',
    options: { storage: 'epoch-milliseconds' },
    both: [[1714979289123n, '"2024-05-06T07:08:09.123Z"', 1714979289123]],
    badValues: ['', '1e99'],
    code: 'invalid-date-time',
  },
  {
    kind: 'date',
    both: [
      ['2024-02-29', '"2024-02-29"'],
      ['2024-02-29 00:00:00.000', '"2024-02-29"', '2024-02-29'],
    ],
    badValues: ['2023-02-29', '2024-05-06 07:00:00', '5 May'],
    badJson: ['20240506', '"2024-5-6"', '"2024-04-31"'],
    code: 'invalid-date',
  },
  {
    kind: 'time',
    both: [
      ['07:08:09', '"07:08:09"'],
      ['07:08', '"07:08:00"', '07:08:00'],
      ['23:59:59.123456', '"23:59:59.123"', '23:59:59.123'],
    ],
    badValues: ['24:00:00', '7:08'],
    badJson: ['"07:60"', '7', '"07:08:09Z"'],
    code: 'invalid-time',
  },
  {
    kind: 'duration',
    both: [
      ['P1DT02H03M04S', '"P1DT02H03M04S"'],
      ['P0DT00H00M00.500000S', '"P0DT00H00M00.500000S"'],
      ['-P1DT02H03M04S', '"-P1DT02H03M04S"'],
      ['PT90M', '"P0DT01H30M00S"', 'P0DT01H30M00S'],
      ['1 02:03:04', '"P1DT02H03M04S"', 'P1DT02H03M04S'],
      ['-1 23:59:59', '"-P0DT00H00M01S"', '-P0DT00H00M01S'],
      ['P2D', '"P2DT00H00M00S"', 'P2DT00H00M00S'],
    ],
    badValues: ['P', 'PT', 'P1Y', '5', 'soon', '-P'],
    badJson: ['5', '"P1M"', '"1h"'],
    code: 'invalid-duration',
  },
  {
    kind: 'duration',
    options: { storage: 'seconds' },
    both: [
      ['93784', '"P1DT02H03M04S"', 93784],
      ['-0.5', '"-P0DT00H00M00.500000S"', -0.5],
      ['1.0e-06', '"P0DT00H00M00.000001S"', 0.000001],
    ],
    badValues: ['PT5S'],
    code: 'invalid-duration',
  },
  {
    kind: 'duration',
    options: { storage: 'microseconds' },
    both: [['93784000001', '"P1DT02H03M04.000001S"', 93784000001]],
    badValues: ['1.5'],
    code: 'invalid-duration',
  },
  {
    kind: 'decimal',
    both: [
      ['1.10', '"1.10"'],
      [1.1, '"1.1"', '1.1'],
      ['1.0e+20', '"100000000000000000000"', '100000000000000000000'],
      ['1.5e-05', '"0.000015"', '0.000015'],
      ['-0012.50', '"-12.50"', '-12.50'],
      ['123456789012345678901234567890.12', '"123456789012345678901234567890.12"'],
    ],
    decodes: [
      ['5', '5'],
      ['1.50', '1.50'],
      ['".5"', '0.5'],
    ],
    badValues: ['', '.', 'abc', '1e9999'],
    badJson: ['"NaN"', 'true', '""', '"1,5"'],
    code: 'invalid-decimal',
  },
  {
    kind: 'decimal',
    options: { scale: 2 },
    both: [
      ['5', '"5.00"', '5.00'],
      ['5.125', '"5.125"'],
    ],
    code: 'invalid-decimal',
  },
  {
    kind: 'uuid',
    both: [
      ['0123456789abcdef0123456789abcdef', '"01234567-89ab-cdef-0123-456789abcdef"'],
      [
        '01234567-89AB-CDEF-0123-456789ABCDEF',
        '"01234567-89ab-cdef-0123-456789abcdef"',
        '0123456789abcdef0123456789abcdef',
      ],
    ],
    badValues: ['', 'abc', 5],
    badJson: ['"abc"', '5'],
    code: 'invalid-uuid',
  },
  {
    kind: 'uuid',
    options: { storage: 'dashed' },
    both: [['01234567-89ab-cdef-0123-456789abcdef', '"01234567-89ab-cdef-0123-456789abcdef"']],
    decodes: [['"0123456789abcdef0123456789abcdef"', '01234567-89ab-cdef-0123-456789abcdef']],
    code: 'invalid-uuid',
  },
  {
    kind: 'text',
    options: { recordId: true },
    both: [['0123456789abcdef0123456789abcdef', '"0123456789abcdef0123456789abcdef"']],
    badValues: ['01234567-89ab-cdef-0123-456789abcdef', 'A'.repeat(32)],
    badJson: ['"abc"', `"${'A'.repeat(32)}"`, '5', '{}'],
    code: 'invalid-uuid',
  },
  {
    kind: 'binary',
    both: [
      [new Uint8Array(), '""'],
      [Uint8Array.of(0, 255, 128, 7), '"AP+ABw=="'],
    ],
    badValues: ['text', 5],
    badJson: ['"A"', '"AP-ABw=="', '5', '"AP+ABw"'],
    code: 'invalid-binary',
  },
]

describe.each(CASES)('$kind $options', ({ kind, options, both = [], decodes = [], ...bad }: Cases) => {
  const compiled = column(kind, options)

  test.each(both.map(([value, json, back]) => ({ value, json, back })))(
    '$value as $json and back',
    ({ value, json, back }) => {
      expect(compiled.encode(value)).toBe(json)
      expect(compiled.decode(json)).toStrictEqual(back === undefined ? value : back)
    },
  )

  test.each(decodes)('takes %s', (json, value) => {
    expect(compiled.decode(json)).toStrictEqual(value)
  })

  test.each(bad.badValues ?? [])('refuses %s from the database', (value) => {
    expect(errorOf(() => compiled.encode(value))).toMatchObject({ code: bad.code, field: 'f' })
  })

  test.each(bad.badJson ?? [])('refuses %s from a record', (json) => {
    expect(errorOf(() => compiled.decode(json))).toMatchObject({ code: bad.code, field: 'f' })
  })
})

const ALL: readonly ColumnKind[] = [
  ...(['text', 'integer', 'real', 'boolean', 'json', 'date-time'] as const),
  ...(['date', 'time', 'duration', 'decimal', 'uuid', 'binary'] as const),
]

test.each(ALL)('%s: null stays null where it is allowed', (kind) => {
  const nullable = column(kind, { nullable: true })
  expect(nullable.encode(null)).toBe('null')
  expect(nullable.decode('null')).toBeNull()
})

test.each(ALL.filter((kind) => kind !== 'json'))('%s: null is refused where it is not', (kind) => {
  expect(errorOf(() => column(kind).decode('null'))).toMatchObject({
    code: 'null-not-allowed',
    message: '"f" must not be null',
  })
})

test('the null of JSON is a value where the column may not be null', () => {
  expect(column('json').decode('null')).toBe('null')
})

test('a text may be as long as declared, counted in characters', () => {
  const short = column('text', { maxLength: 3 })
  expect(short.decode('"\\ud83d\\ude00\\ud83d\\ude00\\ud83d\\ude00"')).toBe('😀😀😀')
  expect(errorOf(() => short.decode('"abcd"'))).toMatchObject({
    code: 'too-long',
    message: '"f" may have at most 3 characters',
  })
})

test('half a surrogate pair cannot be stored', () => {
  expect(errorOf(() => column('text').decode('"\\ud83d"')).code).toBe('invalid-text')
})

test('an integer of more than 64 bits is refused', () => {
  const { decode } = column('integer')
  expect(decode('9223372036854775807')).toBe(9223372036854775807n)
  expect(errorOf(() => decode('9223372036854775808')).code).toBe('out-of-range')
  expect(errorOf(() => decode('-9223372036854775809')).code).toBe('out-of-range')
})

test('no more than 40 characters of a value are in a message', () => {
  const secret = 'x'.repeat(39) + 'SECRET'
  const { message } = errorOf(() => column('integer').decode(JSON.stringify(secret)))
  expect(message).not.toContain('SECRET')
  expect(message).toMatch(/^"f" must be an integer, not "x+…$/)
  expect(errorOf(() => column('text').encode({ secret })).message).toBe('"f" must be text, not an object')
  expect(errorOf(() => column('text').encode(new Uint8Array(3))).message).toBe(
    '"f" must be text, not 3 bytes',
  )
})

describe('what is encoded comes back', () => {
  const wellFormed = fc.string({ unit: 'binary' })
  const instant = fc.date({
    min: new Date('0001-01-01T00:00:00Z'),
    max: new Date('9999-12-31T23:59:59.999Z'),
    noInvalidDate: true,
  })
  const iso = instant.map((date) => date.toISOString().replace('.000Z', 'Z'))
  const properties: readonly [string, CompiledColumn, fc.Arbitrary<SqlValue>][] = [
    ['text', column('text'), wellFormed],
    ['integer', column('integer'), fc.maxSafeInteger().map((n) => n + 0)],
    ['big integer', column('integer'), fc.bigInt({ min: 2n ** 53n, max: 2n ** 63n - 1n })],
    ['real', column('real'), fc.double()],
    ['json', column('json'), fc.json({ stringUnit: 'grapheme-ascii' })],
    ['json as a string', column('json', { storage: 'string' }), fc.json()],
    ['date-time', column('date-time'), iso],
    ['milliseconds', column('date-time', { storage: 'epoch-milliseconds' }), instant.map(Number)],
    ['date', column('date'), iso.map((text) => text.slice(0, 10))],
    ['time', column('time'), iso.map((text) => text.slice(11, -1))],
    ['microseconds', column('duration', { storage: 'microseconds' }), fc.maxSafeInteger().map((n) => n + 0)],
    ['decimal', column('decimal'), fc.bigInt().map((n) => `${n}.50`)],
    ['uuid', column('uuid', { storage: 'dashed' }), fc.uuid()],
    ['binary', column('binary'), fc.uint8Array({ maxLength: 40 })],
  ]
  test.each(properties)('%s', (_, { encode, decode }, values) => {
    fc.assert(
      fc.property(values, (value) => {
        const json = encode(value)
        expect(json).toMatch(/^[\u0020-\u007e]*$/)
        expect(decode(json)).toStrictEqual(value)
      }),
    )
  })

  test('bytes of more than one piece', () => {
    const bytes = Uint8Array.from({ length: 20_001 }, (_, index) => index % 251)
    const { encode, decode } = column('binary')
    expect(encode(bytes)).toBe(`"${Buffer.from(bytes).toString('base64')}"`)
    expect(decode(encode(bytes))).toStrictEqual(bytes)
  })
})

test('whatever a record holds, decoding gives a value or a FieldError', () => {
  const columns = ALL.map((kind) => column(kind))
  const outcome = (compiled: CompiledColumn, raw: string): unknown => {
    try {
      return typeof compiled.decode(raw)
    } catch (error) {
      return error
    }
  }
  fc.assert(
    fc.property(fc.oneof(fc.json(), fc.string()), (raw: string) => {
      for (const compiled of columns) {
        expect(outcome(compiled, raw)).toSatisfy((it) => typeof it === 'string' || it instanceof FieldError)
      }
    }),
  )
})
