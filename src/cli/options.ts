import { InvalidArgumentError, Option } from 'commander'

/** Parameters of a scope, as `--param key=value` gives them. */
export type Params = Readonly<Record<string, string>>

/** `--json` */
export function jsonOption(): Option {
  return new Option('--json', 'print one JSON document, and nothing else')
}

/** `--confirm-deletions` */
export function confirmDeletionsOption(): Option {
  return new Option('--confirm-deletions', 'deletions are meant, however many they are')
}

/** `--profile NAME` */
export function profileOption(): Option {
  return new Option('--profile <name>', 'the profile, if it is not the first of the configuration')
}

/** `--filter PARTITION`, any number of times. */
export function filterOption(description: string): Option {
  return new Option('-f, --filter <partition>', description).argParser(
    (text: string, before: readonly string[] | undefined) => [...(before ?? []), text],
  )
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

const UNITS: ReadonlyMap<string, number> = new Map([
  ['', 1],
  ['k', 1e3],
  ['m', 1e6],
  ['g', 1e9],
])

/** A number of bytes, such as `500k`. */
export function byteCount(text: string): number {
  const parts = /^(\d+(?:\.\d+)?)([kmg]?)b?$/iu.exec(text)
  const unit = UNITS.get((parts?.[2] ?? '').toLowerCase())
  const value = Math.round(Number(parts?.[1] ?? Number.NaN) * (unit ?? Number.NaN))
  if (value >= 1 && value <= Number.MAX_SAFE_INTEGER) return value
  throw new InvalidArgumentError('It must be a number of bytes, such as 500k, 20M or 1G.')
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
