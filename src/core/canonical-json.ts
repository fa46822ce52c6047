import { type JsonValue, parseJsonExact, pythonStringify } from './python-json.ts'

/**
 * A JSON text in one form for all that mean the same: whatever the order of members, which databases do not keep.
 *
 * @throws MorangoError `malformed-message` when the text is no JSON
 */
export function canonicalJson(raw: string): string {
  return pythonStringify(sorted(parseJsonExact(raw)))
}

function sorted(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).map(([key, member]): [string, JsonValue] => [key, sorted(member)])
  return Object.fromEntries(members.toSorted(([a], [b]) => (a < b ? -1 : 1)))
}
