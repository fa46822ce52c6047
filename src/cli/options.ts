import { InvalidArgumentError, Option } from 'commander'

/** Parameters of a scope, as `--param key=value` gives them. */
export type Params = Readonly<Record<string, string>>

/** `--json` */
export function jsonOption(): Option {
  return new Option('--json', 'print one JSON document, and nothing else')
}

/** `--profile NAME` */
export function profileOption(): Option {
  return new Option('--profile <name>', 'the profile, if it is not the first of the configuration')
}

/** `--param key=value`, any number of times. */
export function paramOption(): Option {
  return new Option('--param <key=value>', 'a parameter of the scope; may be given again for others')
    .default({}, 'none')
    .argParser(addParam)
}

/** `--scope NAME`, which must be there. */
export function scopeOption(): Option {
  return new Option('--scope <name>', 'the scope, as named in the profile').makeOptionMandatory()
}

/** Adds one `key=value` to those before it. */
export function addParam(text: string, before: Params): Params {
  const equals = text.indexOf('=')
  if (equals < 1) throw new InvalidArgumentError('Write it as key=value.')
  const key = text.slice(0, equals)
  if (Object.hasOwn(before, key)) throw new InvalidArgumentError(`"${key}" is given twice.`)
  return { ...before, [key]: text.slice(equals + 1) }
}

/** A whole number of at least `min`. */
export function wholeNumber(min: number, max: number = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = /^\d+$/u.test(text) ? Number(text) : Number.NaN
    if (value >= min && value <= max) return value
    throw new InvalidArgumentError(
      max === Number.MAX_SAFE_INTEGER
        ? `It must be a whole number of at least ${min}.`
        : `It must be a whole number from ${min} to ${max}.`,
    )
  }
}

/** A number of hours, 0 or more. */
export function hours(text: string): number {
  const value = /^\d+(\.\d+)?$/u.test(text) ? Number(text) : Number.NaN
  // Further back than any database.
  if (value < 1e6) return value
  throw new InvalidArgumentError('It must be a number of hours, such as 6 or 0.5.')
}

/** Names with commas between them. */
export function nameList(text: string): string[] {
  return text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
}

/** The id of a root certificate. */
export function dataset(text: string): string {
  if (/^[0-9a-f]{32}$/u.test(text)) return text
  throw new InvalidArgumentError('It must be 32 hex digits, as `cert create-root` prints them.')
}
