import { JsonScanner } from '../../core/json-scanner.ts'
import { escapeNonAscii } from '../../core/python-json.ts'
import { databaseText, invalidValue } from './codec.ts'
import type { KindCodec, KindOptions } from './codec.ts'
import { textKind } from './text.ts'

const LINE_BREAKS = /[\t\n\r]+/g

/**
 * A text column that holds JSON: its value is part of the record's JSON, token for token as it stands. With
 * storage `string` it travels as a string, for peers whose column is a text field.
 */
export function jsonKind(options: KindOptions): KindCodec {
  if (options.storage === 'string') return textKind(options)
  const { field } = options
  return {
    select: 'text',
    encode(value) {
      const text = databaseText(value)?.trim()
      if (text === undefined || !isJson(text)) throw invalidValue('invalid-json', field, 'JSON', value)
      // Control characters of valid JSON stand between its tokens; a record's JSON is one line.
      return escapeNonAscii(text.replace(LINE_BREAKS, ' '))
    },
    decode(raw) {
      return raw
    },
  }
}

function isJson(text: string): boolean {
  try {
    const scanner = new JsonScanner(text)
    scanner.skipValue()
    scanner.expectEnd()
    return true
  } catch {
    return false
  }
}
