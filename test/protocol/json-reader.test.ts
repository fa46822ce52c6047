import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MorangoError, isMorangoError } from '../../src/core/errors.ts'
import { readJson } from '../../src/protocol/json-reader.ts'
import type { JsonReading } from '../../src/protocol/json-reader.ts'
import { failureOf } from '../transport/fake-service.ts'

const limits = { bytes: 10_000_000, values: 1_000_000, depth: 32 }

async function read(text: string, reading: Partial<JsonReading> = {}, piece = 3): Promise<unknown> {
  const bytes = new TextEncoder().encode(text)
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += piece) yield bytes.subarray(at, at + piece)
  }
  return await readJson(pieces(), { limits, ...reading })
}

/** What reading gives, or `undefined` where it is no JSON. */
async function outcome(text: string, piece?: number): Promise<unknown> {
  try {
    return { value: await read(text, {}, piece) }
  } catch (error) {
    if (!isMorangoError(error, 'malformed-message')) throw error
    return undefined
  }
}

function expected(text: string): unknown {
  try {
    return { value: JSON.parse(text) }
  } catch {
    return undefined
  }
}

describe('JSON that is read as it comes', () => {
  it('is what JSON.parse makes of it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.jsonValue({ maxDepth: 5 }),
        fc.integer({ min: 1, max: 20 }),
        async (value, piece) => {
          for (const text of [JSON.stringify(value), JSON.stringify(value, null, 2)]) {
            expect(await outcome(text, piece)).toEqual(expected(text))
          }
        },
      ),
    )
  })

  it('is refused exactly where JSON.parse refuses it', async () => {
    const token = fc.constantFrom(
      '[',
      ']',
      '{',
      '}',
      ',',
      ':',
      '"a"',
      '"b":',
      '1',
      '-',
      'null',
      'n',
      ' ',
      '"',
      '\\',
      'é',
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(token, { maxLength: 12 }),
        fc.integer({ min: 1, max: 5 }),
        async (tokens, piece) => {
          const text = tokens.join('')
          expect([text, await outcome(text, piece)]).toEqual([text, expected(text)])
        },
      ),
      { numRuns: 3000 },
    )
  })

  it.each([
    '[1,]',
    '[,1]',
    '[,]',
    '[1}',
    '{"a":1]',
    '{"a":1[2]}',
    '{"a":-[2]}',
    '{"a" [2]}',
    '{"a":[1] 2}',
    '{"a":[1],}',
    '{,"a":1}',
    '{"a":[1,]}',
    '{"a":{"b":1,}}',
    '{"a":{,}}',
    '[1]]',
    '[1] 2',
    '1 2',
    ']',
    '}',
    ',',
    '',
    '{"a":[1]',
    '[[1]',
    '{"a":[1}}',
    '{"a":{"b":1]}',
  ])('%s is refused', async (text) => {
    expect(expected(text)).toBeUndefined()
    expect(await outcome(text)).toBeUndefined()
  })

  it('may begin with a mark of the byte order, as other readers take it', async () => {
    expect(await read('\uFEFF[1]')).toEqual([1])
  })

  it('keeps keys that mean something to JavaScript as they are', async () => {
    const value = await read('{"__proto__":{"x":1},"a":{"__proto__":[2]}}')
    expect(Object.keys(Object(value))).toEqual(['__proto__', 'a'])
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
  })

  it('gives elements while more is to come, and stops asking when the first ones are refused', async () => {
    let pieces = 0
    async function* endless(): AsyncGenerator<Uint8Array> {
      yield new TextEncoder().encode('[{"a":1}')
      for (;;) {
        pieces++
        yield new TextEncoder().encode(',{"a":1}')
      }
    }
    const error = await failureOf(
      readJson(endless(), {
        limits,
        onFirst: async () => {
          throw new MorangoError('unknown-session', 'unknown')
        },
      }),
    )
    expect(error).toMatchObject({ message: 'unknown' })
    expect(pieces).toBe(1)
  })

  it.each([
    ['lists', '[],', 'malformed-message'],
    ['objects', '{},', 'malformed-message'],
    ['numbers', '1,', 'malformed-message'],
    ['depth', '[', 'malformed-message'],
    ['digits', '1', 'malformed-message'],
    ['an exponent', '1e9', 'malformed-message'],
    ['text in an element', `"${'a'.repeat(2000)}",`, 'payload-too-large'],
  ])('ends early when there are too many: %s', async (_, text, code) => {
    let pieces = 0
    async function* endless(): AsyncGenerator<Uint8Array> {
      yield new TextEncoder().encode('[[')
      for (;;) {
        pieces++
        yield new TextEncoder().encode(text.repeat(100))
      }
    }
    const element = { textBytes: 100_000, bytes: 200_000, values: 5000 }
    const error = await failureOf(
      readJson(endless(), { limits: { bytes: 1e9, values: 10_000, depth: 32, element } }),
    )
    expect(error).toMatchObject({ code })
    expect(pieces).toBeLessThan(120)
  })

  it.each([
    ['{"a":"' + 'x'.repeat(3000) + '"}'],
    ['[' + '"\\u0001"'.repeat(1) + ',"' + '\\u00e9'.repeat(2000) + '"]'],
    ['["' + 'é'.repeat(2000) + '"]'],
  ])('counts the text of a member or element in bytes, escapes resolved', async (text) => {
    const element = { textBytes: 2000, bytes: 1e6, values: 100 }
    expect(await failureOf(read(text, { limits: { ...limits, element } }))).toMatchObject({
      code: 'payload-too-large',
    })
    const enough = { textBytes: 4001, bytes: 1e6, values: 100 }
    expect(await read(text, { limits: { ...limits, element: enough } })).toEqual(JSON.parse(text))
  })

  it('lets others have the event loop, and ends when its caller has given up', async () => {
    let rests = 0
    const pace = (): Promise<void> | undefined => {
      rests++
      return rests < 3 ? Promise.resolve() : Promise.reject(new MorangoError('aborted', 'given up'))
    }
    expect(
      await failureOf(read(JSON.stringify(Array.from({ length: 100 }, () => [1])), { pace })),
    ).toMatchObject({
      message: 'given up',
    })
  })
})
