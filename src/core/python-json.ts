import { MorangoError, isMorangoError } from './errors.ts'
import { JsonScanner } from './json-scanner.ts'
import type { JsonTree, JsonValue } from './json-scanner.ts'
import { MAX_INTEGER_DIGITS } from './limits.ts'
import { pythonFloat } from './python-number.ts'

export type { JsonTree, JsonValue } from './json-scanner.ts'

/** One member of a JSON object, its value kept as the text it came in. */
export interface RawField {
  readonly key: string
  /** The JSON text of the value, exactly as it stood. */
  readonly raw: string
}

/**
 * Rewrites a JSON text so that its characters beyond U+007E become `\uXXXX` escapes, astral ones two (the
 * form of protocol §7). Only for texts in which such characters occur inside strings, which holds for all
 * valid JSON.
 */
export function escapeNonAscii(text: string): string {
  return text.replace(
    /[\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/**
 * A value as Python's `json.dumps` writes it by default: separators `", "` and `": "`, everything outside
 * U+0020–7E escaped, `/` not (protocol §7). A whole `number` is written as an integer.
 */
export function pythonStringify(value: JsonValue): string {
  if (value === null) return 'null'
  if (typeof value === 'string') return escapeNonAscii(JSON.stringify(value))
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  if (typeof value === 'number') return jsonNumber(value)
  if (isArray(value)) return `[${value.map(pythonStringify).join(', ')}]`
  const members = Object.entries(value).map(([key, member]) => ({ key, raw: pythonStringify(member) }))
  return joinObject(members)
}

/**
 * The members of a JSON object in their order, each value as text. Of a repeated key the first place and
 * the last value count, as in Python. An empty text is read as `{}` (protocol §8).
 *
 * @throws MorangoError `malformed-message` when the text is no JSON object
 */
export function splitObject(text: string): RawField[] {
  return Array.from(rawValues(text), ([key, raw]) => ({ key, raw }))
}

/** The same as {@link splitObject}, by key, in their order. */
export function rawValues(text: string): Map<string, string> {
  if (text === '') return new Map()
  const plain = plainValues(text)
  if (plain !== undefined) return plain
  const values = new Map<string, string>()
  const scanner = new JsonScanner(text)
  scanner.skipWhitespace()
  scanner.members(0, (key) => {
    values.set(key, scanner.skipValue(1))
  })
  scanner.expectEnd()
  return values
}

// A member without escapes, whose value has no brackets, and what follows it: most records have no other. One pattern
// for all of it takes half the time that a scanner does, step by step.
const PLAIN_MEMBER =
  // oxlint-disable-next-line no-control-regex
  /"([^"\\\u0000-\u001f]*)": ?("[^"\\\u0000-\u001f]*"|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?|true|false|null)(, ?|\})/y

/** The same for an object that has such members only, and no whitespace but as Python writes it; else undefined. */
function plainValues(text: string): Map<string, string> | undefined {
  if (!text.startsWith('{"')) return undefined
  const values = new Map<string, string>()
  PLAIN_MEMBER.lastIndex = 1
  for (;;) {
    const match = PLAIN_MEMBER.exec(text)
    if (match === null) return undefined
    const [, key = '', raw = '', end] = match
    values.set(key, raw)
    if (end === '}') return PLAIN_MEMBER.lastIndex === text.length ? values : undefined
  }
}

/** The same as {@link rawValues}; undefined when the text is no JSON object, as what a peer sent may be. */
export function readableValues(text: string): Map<string, string> | undefined {
  try {
    return rawValues(text)
  } catch (error) {
    if (isMorangoError(error, 'malformed-message')) return undefined
    throw error
  }
}

/** A JSON object in the form of protocol §7 from its members; the values' texts go in as they are. */
export function joinObject(fields: readonly RawField[]): string {
  return `{${fields.map(({ key, raw }) => `${pythonStringify(key)}: ${raw}`).join(', ')}}`
}

/**
 * Merges a row's fields over the stored JSON of its record (protocol §7): a known field replaces the value
 * in its place, fields the model does not know stay in theirs with their exact text, new ones are appended.
 *
 * @param stored - the JSON of an object; empty counts as `{}`
 * @throws MorangoError `malformed-message` when `stored` is no JSON object
 */
export function mergeObject(stored: string, fields: readonly RawField[]): string {
  const values = rawValues(stored)
  for (const { key, raw } of fields) values.set(key, raw)
  return joinObject(Array.from(values, ([key, raw]) => ({ key, raw })))
}

/**
 * Parses a JSON text as Python does: `NaN` and the infinities are values, and integers that a `number`
 * cannot hold become `bigint`. Objects have no prototype, so any key is safe to look up.
 *
 * @throws MorangoError `malformed-message` when the text is no such JSON
 */
export function parseJsonExact(raw: string): JsonValue {
  return parseJsonWith(raw, exactNumber)
}

/**
 * {@link parseJsonExact} with the reading of number texts (never the constants) left to the caller.
 *
 * @throws MorangoError `malformed-message` when the text is no JSON
 */
export function parseJsonWith<N>(raw: string, readNumber: (text: string) => N): JsonTree<N> {
  const scanner = new JsonScanner(raw)
  scanner.skipWhitespace()
  const value = readValue(scanner, readNumber, 0)
  scanner.expectEnd()
  return value
}

function readValue<N>(scanner: JsonScanner, readNumber: (text: string) => N, depth: number): JsonTree<N> {
  const first = scanner.text[scanner.position]
  if (first === '"') return scanner.readString()
  if (first === '{') {
    const object: Record<string, JsonTree<N>> = Object.create(null)
    scanner.members(depth, (key) => {
      object[key] = readValue(scanner, readNumber, depth + 1)
    })
    return object
  }
  if (first === '[') {
    const array: JsonTree<N>[] = []
    scanner.elements(depth, () => {
      array.push(readValue(scanner, readNumber, depth + 1))
    })
    return array
  }
  const text = scanner.skipValue(depth)
  const constant = CONSTANTS.get(text)
  return constant === undefined ? readNumber(text) : constant
}

const CONSTANTS: ReadonlyMap<string, null | boolean | number> = new Map<string, null | boolean | number>([
  ['null', null],
  ['true', true],
  ['false', false],
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
])

function exactNumber(text: string): number | bigint {
  const value = Number(text)
  if (/[.eE]/.test(text) || Number.isSafeInteger(value)) return value
  if (text.length > MAX_INTEGER_DIGITS + 1) {
    throw new MorangoError('malformed-message', `An integer has more than ${MAX_INTEGER_DIGITS} digits.`)
  }
  return BigInt(text)
}

function jsonNumber(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity'
  return Number.isSafeInteger(value) && !Object.is(value, -0) ? String(value) : pythonFloat(value)
}

function isArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value)
}
