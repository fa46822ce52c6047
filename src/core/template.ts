import { PythonFloat, pythonFloat } from './python-number.ts'

const PLACEHOLDER = /\$(?:(\$)|([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)\})/g

/** Values by name; printed by {@link pythonStr}. */
export type TemplateParams = Readonly<Record<string, unknown>>

/**
 * Fills a template as Python's `Template.safe_substitute` does: `${name}` and `$name` become the value,
 * `$$` a dollar; unknown names and any other `$` stay as they are (protocol §2).
 */
export function substitute(template: string, params: TemplateParams): string {
  return template.replace(
    PLACEHOLDER,
    (whole: string, dollar: string | undefined, bare: string | undefined, braced: string | undefined) => {
      if (dollar !== undefined) return '$'
      const name = bare ?? braced ?? ''
      return Object.hasOwn(params, name) ? pythonStr(params[name]) : whole
    },
  )
}

/** A placeholder of a template. */
export interface Placeholder {
  readonly name: string
  /** What follows it in the template, up to the end. */
  readonly after: string
}

/** The placeholders of a template, in their order; `$$` is none. */
export function placeholdersOf(template: string): Placeholder[] {
  return Array.from(template.matchAll(PLACEHOLDER)).flatMap((match) => {
    const [whole, dollar, bare, braced] = match
    const name = bare ?? braced
    if (dollar !== undefined || name === undefined) return []
    return [{ name, after: template.slice(match.index + whole.length) }]
  })
}

/**
 * A JSON value as Python's `str` prints it: strings as they are, `5`, `1.5`, `True`, `None`; lists and
 * objects in Python's notation. A whole `number` is printed as an integer, a {@link PythonFloat} as a float.
 */
export function pythonStr(value: unknown): string {
  return typeof value === 'string' ? value : pythonRepr(value)
}

function pythonRepr(value: unknown): string {
  if (value instanceof PythonFloat) return pythonFloat(value.value)
  if (Array.isArray(value)) return `[${value.map(pythonRepr).join(', ')}]`
  switch (typeof value) {
    case 'string':
      return quoted(value)
    case 'boolean':
      return value ? 'True' : 'False'
    case 'bigint':
      return value.toString()
    case 'number':
      return Number.isSafeInteger(value) ? value.toString() : pythonFloat(value)
    case 'object':
      return value === null ? 'None' : dictRepr(value)
    default:
      return 'None'
  }
}

function dictRepr(object: object): string {
  const members = Object.entries(object).map(([key, value]) => `${quoted(key)}: ${pythonRepr(value)}`)
  return `{${members.join(', ')}}`
}

function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'"
  const escaped = text
    .replaceAll('\\', '\\\\')
    .replaceAll(quote, `\\${quote}`)
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')
    .replaceAll('\t', '\\t')
  return quote + escaped + quote
}
