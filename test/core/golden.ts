import { readFileSync } from 'node:fs'
import { parseJsonExact } from '../../src/core/python-json.ts'

/** A file of test/fixtures/golden; integers that a number cannot hold are `bigint`. */
export function golden<T>(name: string, isExpected: (value: unknown) => value is T = isAnything): T {
  const text = readFileSync(new URL(`../fixtures/golden/${name}.json`, import.meta.url), 'utf8')
  const value: unknown = parseJsonExact(text)
  if (!isExpected(value)) throw new Error(`Unexpected shape of ${name}.json`)
  return value
}

// The fixtures are fixed: their tests are the check of their shape.
function isAnything<T>(value: unknown): value is T {
  return value !== undefined
}
