import { pythonStringify } from '../../core/python-json.ts'
import { FieldError } from '../compiled.ts'
import { databaseText, invalidValue, isLongerThan, jsonTextOrNumber } from './codec.ts'
import type { KindCodec, KindOptions } from './codec.ts'

// Nothing in it needs an escape.
const PLAIN = /^[ !#-[\]-~]*$/

/** Text of any form. A number in the JSON is taken as its digits, which is what Django does. */
export function textKind({ field, maxLength = Number.POSITIVE_INFINITY }: KindOptions): KindCodec {
  return {
    select: 'plain',
    encode(value) {
      const text = databaseText(value)
      if (text === undefined) throw invalidValue('invalid-type', field, 'text', value)
      return PLAIN.test(text) ? `"${text}"` : pythonStringify(text)
    },
    decode(raw) {
      const text = jsonTextOrNumber(raw)
      if (text === undefined) throw invalidValue('invalid-type', field, 'text', raw)
      // A database holds UTF-8, in which half a surrogate pair would silently become another character.
      if (!text.isWellFormed()) {
        throw new FieldError('invalid-text', `"${field}" has half of a surrogate pair in it`, field)
      }
      if (text.length > maxLength && isLongerThan(text, maxLength)) {
        throw new FieldError('too-long', `"${field}" may have at most ${maxLength} characters`, field)
      }
      return text
    },
  }
}
