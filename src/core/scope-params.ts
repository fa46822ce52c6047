import { MorangoError } from './errors.ts'
import { JsonScanner } from './json-scanner.ts'
import { MAX_CERTIFICATE_TEXT } from './limits.ts'
import { parseJsonWith } from './python-json.ts'
import { PythonFloat } from './python-number.ts'
import type { TemplateParams } from './template.ts'

// All that Python or JavaScript takes for whitespace, control characters (NUL among them), halves of surrogate pairs,
// and characters that show nothing or turn the text around them: none of them may tell two values apart.
const UNSEEN =
  /[\p{White_Space}\p{Cc}\p{Cf}\p{Cs}\p{Zs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}]/u

/** Whether a text has whitespace, control characters, lone surrogates, or characters that cannot be seen. */
export function hasUnseen(text: string): boolean {
  return UNSEEN.test(text)
}

/**
 * The parameters in a `scope_params` text, integers as `bigint`, floats kept apart from them. Each name may stand once:
 * of two values one reader takes the first, another one the last.
 *
 * @throws MorangoError `certificate-malformed` when the text is too long or not the JSON of such an object;
 * `details.object` is false when it is no object at all
 */
export function parseScopeParams(text: string): TemplateParams {
  if (text.length > MAX_CERTIFICATE_TEXT) {
    throw malformed(`The scope parameters have more than ${MAX_CERTIFICATE_TEXT} characters`)
  }
  let value: unknown
  try {
    value = parseJsonWith(text, readNumber)
  } catch (cause) {
    throw noObject('The scope parameters are not JSON', cause)
  }
  if (!isPlainObject(value)) throw noObject('The scope parameters are not a JSON object')
  requireDistinctKeys(text)
  return value
}

/**
 * Refuses a JSON object that has a key twice, or the key `__proto__`, which changes an object of JavaScript that it is
 * copied to. Looks at its own keys only, not into its values.
 *
 * @throws MorangoError `certificate-malformed`
 */
export function requireDistinctKeys(text: string): void {
  const seen = new Set(['__proto__'])
  const scanner = new JsonScanner(text)
  scanner.skipWhitespace()
  scanner.members(0, (key) => {
    if (seen.has(key)) throw malformed('A name stands twice in the JSON of a certificate, or is __proto__')
    seen.add(key)
    scanner.skipValue(1)
  })
}

/**
 * Refuses a value that could stand for something else than one part of a partition: the text of a template must not
 * become a second prefix, nor a wider one, nor one in another place (protocol §11).
 *
 * A colon is taken only at the end of a prefix, where all that it does is to narrow it.
 *
 * @param isLast - whether nothing follows the value in any prefix
 * @throws MorangoError `certificate-malformed`
 */
export function requireFitting(name: string, value: unknown, isLast: boolean): void {
  const problem = problemWith(value, isLast)
  if (problem !== undefined) throw malformed(`The scope parameter "${name}" ${problem}`)
}

function problemWith(value: unknown, isLast: boolean): string | undefined {
  if (value === undefined) return 'is missing'
  if (typeof value === 'boolean' || typeof value === 'bigint') return undefined
  if (typeof value === 'number') return Number.isSafeInteger(value) ? undefined : 'is not an integer'
  if (typeof value !== 'string') return 'is neither a text nor an integer nor a boolean'
  if (value === '') return 'is empty'
  if (hasUnseen(value)) return 'has whitespace, control characters or characters that cannot be seen'
  if (value.startsWith(':')) return 'begins with a colon'
  if (!isLast && value.includes(':')) return 'has a colon, but more follows it in a prefix'
  return undefined
}

function readNumber(text: string): bigint | PythonFloat {
  if (!/[.eE]/.test(text)) return BigInt(text)
  return new PythonFloat(Number(text))
}

function isPlainObject(value: unknown): value is TemplateParams {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof PythonFloat)
  )
}

function malformed(message: string): MorangoError {
  return new MorangoError('certificate-malformed', message, {
    hint: 'Every parameter that the scope uses must be one part of a partition, such as an id.',
  })
}

function noObject(message: string, cause?: unknown): MorangoError {
  return new MorangoError('certificate-malformed', message, {
    hint: 'Give a JSON object with the parameters that the scope uses.',
    details: { object: false },
    ...(cause !== undefined && { cause }),
  })
}
