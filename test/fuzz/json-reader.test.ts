import fc from 'fast-check'
import { expect, it } from 'vitest'
import { MorangoError } from '../../src/core/errors.ts'
import { requireJsonBounds } from '../../src/core/json-bounds.ts'
import { readJson } from '../../src/protocol/json-reader.ts'
import type { JsonLimits } from '../../src/protocol/json-reader.ts'
import { hostileValue } from './hostile.ts'
import { applyByteEdits, mutatedJson, mutatedText, textEdits } from './mutate.ts'
import { FUZZ_TIMEOUT, fuzz } from './runs.ts'
import { ANSWERS, PACKED, RECORDED, REQUESTS, VALID_TEXTS } from './valid.ts'

const LIMITS: JsonLimits = { bytes: 1 << 20, values: 10_000, depth: 32 }

const text = fc.oneof(
  mutatedJson([...RECORDED, ...PACKED, ...Object.values(REQUESTS), ...Object.values(ANSWERS)]),
  mutatedText(VALID_TEXTS),
  fc.tuple(hostileValue, textEdits(['[],{}:"', '\\u0000'])).map(([value]) => JSON.stringify(value, null, 1)),
  // Brackets and the like, in any order.
  fc.string({ unit: fc.constantFrom(...Array.from('[]{},:"\\ 01-e'), 'null', '"a":', '"b"'), maxLength: 12 }),
)

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array, undefined> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
  return undefined
}

it(
  'JSON is read in slices as the platform reads it whole, or refused',
  () =>
    fuzz(2000, fc.tuple(text, fc.constantFrom(1, 2, 3, 7, 50, 100_000)), async ([given, size]) => {
      const bytes = new TextEncoder().encode(given)
      const expected = parsed(new TextDecoder().decode(bytes))
      const seen: unknown[] = []
      const actual = await outcome(
        readJson(pieces(bytes, size), {
          limits: LIMITS,
          onElement: (value) => {
            seen.push(value)
            return value
          },
        }),
      )
      if (expected === undefined || 'error' in actual) {
        if (expected !== undefined && isWithinLimits(given)) expect(actual).toEqual({ value: expected.value })
        expect(actual).toEqual({ error: expect.any(MorangoError) })
        return
      }
      expect(actual).toEqual({ value: expected.value })
      // In another order of keys it would be another text.
      expect(JSON.stringify(actual.value)).toBe(JSON.stringify(expected.value))
    }),
  FUZZ_TIMEOUT,
)

it(
  'bytes that are no text are refused',
  () =>
    fuzz(500, fc.tuple(mutatedJson(Object.values(REQUESTS)), textEdits([])), async ([given, edits]) => {
      const bytes = applyByteEdits(new TextEncoder().encode(given), edits)
      const actual = await outcome(readJson(pieces(bytes, 5), { limits: LIMITS }))
      if ('error' in actual) expect(actual.error).toBeInstanceOf(MorangoError)
      else expect(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))).toEqual(actual.value)
    }),
  FUZZ_TIMEOUT,
)

async function outcome(
  promise: Promise<unknown>,
): Promise<{ readonly value: unknown } | { readonly error: unknown }> {
  try {
    return { value: await promise }
  } catch (error) {
    return { error }
  }
}

function parsed(source: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(source) }
  } catch {
    return undefined
  }
}

function isWithinLimits(source: string): boolean {
  try {
    requireJsonBounds(source, { depth: LIMITS.depth, values: LIMITS.values })
  } catch {
    return false
  }
  const value: unknown = JSON.parse(source)
  // The outermost object has a limit of its own.
  return (
    typeof value !== 'object' || value === null || Array.isArray(value) || Object.keys(value).length < 1000
  )
}
