import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FieldError } from '../../src/models/compiled.ts'
import { fillTemplate, parseTemplate } from '../../src/models/template.ts'
import { compileTemplateSql } from '../../src/models/template-sql.ts'
import { openDatabase } from './fixtures.ts'

function fill(template: string, row: Readonly<Record<string, unknown>>, id = 'ID'): string {
  return fillTemplate(parseTemplate(template), row, id, 'partition-empty')
}

function filledOrNull(template: string, row: Readonly<Record<string, unknown>>, id: string): string | null {
  try {
    return fill(template, row, id)
  } catch (error) {
    if (error instanceof FieldError) return null
    throw error
  }
}

describe('in JavaScript', () => {
  test('columns and literals', () => {
    expect(fill('${a}:x:${b}', { a: 'A', b: 5 })).toBe('A:x:5')
    expect(fill('${a}${a}', { a: 9007199254740993n })).toBe('90071992547409939007199254740993')
    expect(fill('fixed', {})).toBe('fixed')
    expect(fill('', {})).toBe('')
    expect(fill('${id}:${other col}', { id: 'not this', 'other col': '${a}' })).toBe('ID:${a}')
  })

  test.each([
    [null, 'partition-empty', '"a" is null, but "${a}:x" needs it'],
    ['', 'partition-empty', '"a" is empty, but "${a}:x" needs it'],
    [undefined, 'partition-empty', '"a" is missing, but "${a}:x" needs it'],
    [new Uint8Array(1), 'invalid-type', '"a" must be a text or a number for "${a}:x"'],
  ])('refuses %s', (value, code, message) => {
    expect(() => fill('${a}:x', { a: value })).toThrow(new FieldError(code, message, 'a'))
  })

  test.each(['$a', '${a', '$$', '${}', '${a}$', '${a${b}}'])('refuses the text %s', (text) => {
    expect(() => parseTemplate(text)).toThrow(
      expect.objectContaining({ code: 'invalid-declaration', hint: expect.stringContaining('${column}') }),
    )
  })
})

describe('in SQL', () => {
  const database = openDatabase('create table t (id text, a text, "b ""c" integer)')
  const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`

  function inSql(
    template: string,
    row: { id: string; a: string | null; b: number | bigint | null },
  ): unknown {
    database.exec('delete from t')
    database.prepare('insert into t values (?, ?, ?)').run(row.id, row.a, row.b)
    const expression = compileTemplateSql(template, quote, 'x')
    return database.prepare(`select ${expression} as value from t as x`).get()?.['value']
  }

  test('has one form', () => {
    expect(compileTemplateSql("${a}:it's:${id}", quote, 'p')).toBe(
      `nullif(cast("p"."a" as text), '') || ':it''s:' || nullif(cast("p"."id" as text), '')`,
    )
    expect(compileTemplateSql('', quote, 'p')).toBe("''")
  })

  test('gives what JavaScript gives, null where that refuses', () => {
    const literal = fc.string({ unit: fc.constantFrom('a', ':', "'", '"', 'å', '😀', '-', '%', '{', '}') })
    const name = fc.constantFrom('${a}', '${id}', '${b "c}')
    const templates = fc.array(fc.oneof(literal, name), { maxLength: 6 }).map((parts) => parts.join(''))
    const rows = fc.record({
      id: fc.constant('0'.repeat(32)),
      a: fc.option(fc.string({ unit: fc.constantFrom('x', '0', ' ', 'ø', "'", '${') })),
      b: fc.option(fc.oneof(fc.maxSafeInteger(), fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }))),
    })
    fc.assert(
      fc.property(templates, rows, (template, row) => {
        expect(inSql(template, row)).toBe(filledOrNull(template, { a: row.a, 'b "c': row.b }, row.id))
      }),
      { numRuns: 300 },
    )
  })
})
