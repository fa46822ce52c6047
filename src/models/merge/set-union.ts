import { canonicalJson } from '../../core/canonical-json.ts'
import { compareCodePoints } from '../../core/code-points.ts'
import { JsonScanner } from '../../core/json-scanner.ts'
import { invalidValue } from '../kinds/codec.ts'

/**
 * The elements of two JSON lists, each once, in an order that does not tell which list was which: numbers by size, then
 * all others by their JSON.
 *
 * @throws FieldError when one is no list
 */
export function setUnion(a: string, b: string, field: string): string {
  if (a === b) return a
  const elements = new Map<string, string>()
  for (const raw of [...elementsOf(a, field), ...elementsOf(b, field)]) {
    const key = canonicalJson(raw)
    const known = elements.get(key)
    if (known === undefined || compareCodePoints(raw, known) < 0) elements.set(key, raw)
  }
  const sorted = [...elements].toSorted(([left], [right]) => compareElements(left, right))
  return `[${sorted.map(([, raw]) => raw).join(', ')}]`
}

function elementsOf(list: string, field: string): string[] {
  const elements: string[] = []
  const scanner = new JsonScanner(list)
  scanner.skipWhitespace()
  if (scanner.text[scanner.position] !== '[') throw invalidValue('invalid-value', field, 'a list', list)
  scanner.elements(0, () => {
    elements.push(scanner.skipValue(1))
  })
  scanner.expectEnd()
  return elements
}

function compareElements(a: string, b: string): number {
  const numbers = [Number(a), Number(b)] as const
  const [left, right] = numbers
  if (!Number.isNaN(left) && !Number.isNaN(right) && left !== right) return left < right ? -1 : 1
  if (Number.isNaN(left) !== Number.isNaN(right)) return Number.isNaN(left) ? 1 : -1
  return compareCodePoints(a, b)
}
