import { JsonScanner } from '../../core/json-scanner.ts'
import type { ColumnKind, SqlValue } from '../compiled.ts'
import { databaseText, invalidValue, jsonText } from './codec.ts'
import type { KindCodec } from './codec.ts'
import { parsePrintedBytes } from './printed-bytes.ts'

/**
 * Arrays of PostgreSQL: a JSON list, whose elements look as a column of their kind would. They are read as a JSON
 * list of texts, and written as the database's own text for arrays.
 */
export function arrayKind(field: string, kind: ColumnKind, element: KindCodec): KindCodec {
  return {
    select: 'text',
    encode(value) {
      const text = databaseText(value)
      if (text === undefined) throw invalidValue('invalid-json', field, 'a list', value)
      return encodeList(text, kind, element)
    },
    decode(raw) {
      if (!raw.startsWith('[')) throw invalidValue('invalid-json', field, 'a list', raw)
      return decodeList(raw, kind, element)
    },
  }
}

function encodeList(list: string, kind: ColumnKind, element: KindCodec): string {
  const items = elementsOf(list).map((raw) => {
    if (raw === 'null') return raw
    if (raw.startsWith('[')) return encodeList(raw, kind, element)
    return element.encode(elementValue(jsonText(raw) ?? raw, kind))
  })
  return `[${items.join(', ')}]`
}

function elementValue(text: string, kind: ColumnKind): unknown {
  if (kind === 'real') return Number(text)
  return kind === 'binary' ? parsePrintedBytes(text) : text
}

function decodeList(list: string, kind: ColumnKind, element: KindCodec): string {
  const items = elementsOf(list).map((raw) => {
    if (raw === 'null') return 'NULL'
    // A list in an array of JSON is an element.
    if (raw.startsWith('[') && kind !== 'json') return decodeList(raw, kind, element)
    return quoted(element.decode(raw))
  })
  return `{${items.join(',')}}`
}

function quoted(value: SqlValue): string {
  const text =
    value instanceof Uint8Array
      ? `\\x${Array.from(value, (byte) => byte.toString(16).padStart(2, '0')).join('')}`
      : String(value)
  return `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`
}

function elementsOf(list: string): string[] {
  const scanner = new JsonScanner(list.trim())
  const elements: string[] = []
  scanner.elements(0, () => void elements.push(scanner.skipValue(1)))
  scanner.expectEnd()
  return elements
}
