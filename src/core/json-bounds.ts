import { MorangoError } from './errors.ts'
import { utf8ToBytes } from '@noble/hashes/utils.js'
import { JsonByteScanner } from './json-bytes.ts'
import { MAX_NUMBER_DIGITS } from './limits.ts'

/** What a text of JSON may make a parser build. */
export interface JsonBounds {
  /** Containers within each other. */
  readonly depth: number
  /** Values in all: members, elements and containers. */
  readonly values: number
}

/**
 * Counts what a text of JSON holds before anything parses it: a short text can make a parser build a hundred times
 * its size.
 *
 * @throws MorangoError `malformed-message`
 */
export function requireJsonBounds(text: string, bounds: JsonBounds): void {
  const scanner = new JsonByteScanner()
  scanner.eventDepth = -1
  scanner.scan(utf8ToBytes(text), 0)
  const fault = jsonFault(scanner, bounds)
  if (fault !== undefined) throw new MorangoError('malformed-message', `The JSON text ${fault}.`)
}

/** What exceeds the bounds, as the end of a sentence about a text; undefined when nothing does. */
export function jsonFault(scanner: JsonByteScanner, { depth, values }: JsonBounds): string | undefined {
  if (scanner.deepest > depth) return `is nested more than ${depth} levels deep`
  if (scanner.values > values) return `has more than ${values} values`
  if (scanner.longestWord > MAX_NUMBER_DIGITS) return `has a number of more than ${MAX_NUMBER_DIGITS} digits`
  return undefined
}
