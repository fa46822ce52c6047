import { compareCodePoints } from '../../core/code-points.ts'
import { isMorangoError } from '../../core/errors.ts'
import { type JsonValue, parseJsonExact, pythonStringify, type RawField } from '../../core/python-json.ts'
import { type CompiledColumn, FieldError } from '../compiled.ts'
import { invalidValue, jsonTextOrNumber } from '../kinds/codec.ts'
import {
  add,
  compareExact,
  type ExactNumber,
  formatExact,
  parseExact,
  subtract,
  ZERO,
} from './exact-number.ts'

/**
 * The member of a record's JSON that says what each instance has added, by instance and column, and at which of its
 * counters it began to say so: `{"<instance>": {"stock": ["-2", 7]}}`. It travels with the record as fields that a model
 * does not know do, through peers that know nothing of it as well.
 *
 * This is the counter of Shapiro et al., "A comprehensive study of convergent and commutative replicated data types"
 * (2011), section 3.1.3, with the record max counters in place of a count that can only grow. A column's value is the
 * sum of the parts and of a base: what the record was created with, and what peers have changed that know no sums.
 */
export const SUMS_FIELD = '_morango_sums'

interface Part {
  readonly added: ExactNumber
  /** Up to this counter of its own the instance has changed the base. */
  readonly began: number
}

type ColumnParts = ReadonlyMap<string, Part>
type Parts = Map<string, ColumnParts>
type Fields = ReadonlyMap<string, string>
type History = Readonly<Record<string, number>>

/** An edit that is being serialized. */
export interface SumEdit {
  /** Undefined for a record that is new. */
  readonly before: Fields | undefined
  readonly after: readonly RawField[]
  readonly instance: string
  /** The counter at which the instance saved the record before; 0 when it never did. */
  readonly counter: number
}

/** One side of a conflict. */
export interface SummedSide {
  readonly fields: Fields
  /** The highest counter of each instance that ever saved the record. */
  readonly history: History
}

/**
 * What this instance has added, after an edit of it. It notes itself even if it added nothing: of an instance that saved
 * the record and is not among the parts, nobody can tell whether it changed the base. A field that was not there before,
 * or cannot be read, is no change but a base.
 */
export function noteEdit(columns: readonly CompiledColumn[], edit: SumEdit): RawField {
  const { before, after, instance, counter } = edit
  const parts = readable(() => readParts(before)) ?? new Map()
  const own = new Map<string, Part>(parts.get(instance))
  const edited = new Map(after.map(({ key, raw }) => [key, raw]))
  for (const { name } of columns) {
    const { added, began } = own.get(name) ?? { added: ZERO, began: counter }
    const old = readable(() => numberOf(before, name))
    const change = old === undefined ? ZERO : subtract(numberOf(edited, name) ?? ZERO, old)
    own.set(name, { added: add(added, change), began })
  }
  parts.set(instance, own)
  return { key: SUMS_FIELD, raw: partsText(parts) }
}

/**
 * What both sides have added, together.
 *
 * @param instance - that merges; our side is its own
 * @throws FieldError when a value is no number, or the sum does not fit into its column
 */
export function mergeSums(
  columns: readonly CompiledColumn[],
  ours: SummedSide,
  theirs: SummedSide,
  instance: string,
): RawField[] {
  const [our, their] = [withParts(ours), withParts(theirs)]
  const parts = mergeParts(our, their)
  const merger = new Map<string, Part>(parts.get(instance))
  for (const { name } of columns) {
    if (!merger.has(name)) merger.set(name, { added: ZERO, began: counterAt(our, instance) })
  }
  parts.set(instance, merger)
  const fields = columns.flatMap((column): RawField[] => {
    const { name } = column
    const raws = [ours.fields.get(name), theirs.fields.get(name)]
    if (raws.every((raw) => raw === undefined)) return []
    if (raws.every((raw) => raw === undefined || raw === 'null')) return [{ key: name, raw: 'null' }]
    const raw = column.encode(formatExact(add(baseOf(name, our, their), totalOf(parts, name))))
    column.decode(raw)
    return [{ key: name, raw }]
  })
  return [...fields, { key: SUMS_FIELD, raw: partsText(parts) }]
}

interface Side extends SummedSide {
  readonly parts: Parts
}

function withParts(side: SummedSide): Side {
  return { ...side, parts: readParts(side.fields) }
}

/** What an instance has added only it can change, so the later of its own versions counts, also where that has none. */
function mergeParts(ours: Side, theirs: Side): Parts {
  const merged: Parts = new Map()
  for (const instance of new Set([...ours.parts.keys(), ...theirs.parts.keys()])) {
    const [our, their] = [ours.parts.get(instance), theirs.parts.get(instance)]
    const later = counterAt(theirs, instance) - counterAt(ours, instance)
    const [ourText, theirText] = [our, their].map((part) => (part === undefined ? '' : addedText(part)))
    const isTheirs = later > 0 || (later === 0 && compareCodePoints(theirText ?? '', ourText ?? '') > 0)
    // Of two versions at one counter one was made by who knows no sums, and dropped what it did not know.
    const chosen =
      later === 0 && (our === undefined || their === undefined) ? undefined : isTheirs ? their : our
    if (chosen !== undefined) merged.set(instance, chosen)
  }
  return merged
}

/**
 * The base of the side on which those have seen more of each other who change it. Where neither has, or each something
 * else, the larger: so it does not matter which side is which.
 */
function baseOf(column: string, ours: Side, theirs: Side): ExactNumber {
  const [our, their] = [ours, theirs].map((side) => {
    const value = side.fields.has(column) ? (numberOf(side.fields, column) ?? ZERO) : undefined
    return value && subtract(value, totalOf(side.parts, column))
  })
  if (our === undefined || their === undefined) return our ?? their ?? ZERO
  const instances = new Set([...Object.keys(ours.history), ...Object.keys(theirs.history)])
  const changedUpTo = (side: Side, instance: string): number =>
    side.parts.get(instance)?.get(column)?.began ?? counterAt(side, instance)
  const differences = [...instances].map((one) => changedUpTo(ours, one) - changedUpTo(theirs, one))
  const [oursIsNewer, theirsIsNewer] = [differences.some((by) => by > 0), differences.some((by) => by < 0)]
  if (oursIsNewer !== theirsIsNewer) return oursIsNewer ? our : their
  return compareExact(our, their) < 0 ? their : our
}

function counterAt({ history }: SummedSide, instance: string): number {
  // A peer chooses these names, `constructor` among them.
  return Object.hasOwn(history, instance) ? (history[instance] ?? 0) : 0
}

function totalOf(parts: Parts, column: string): ExactNumber {
  let total = ZERO
  for (const columns of parts.values()) total = add(total, columns.get(column)?.added ?? ZERO)
  return total
}

/** Undefined for a field that is not there; null is nothing. */
function numberOf(fields: Fields | undefined, name: string): ExactNumber | undefined {
  const raw = fields?.get(name)
  if (raw === undefined) return undefined
  if (raw === 'null') return ZERO
  const number = parseExact(jsonTextOrNumber(raw) ?? '')
  if (number === undefined) throw invalidValue('invalid-value', name, 'a number', raw)
  return number
}

function readParts(fields: Fields | undefined): Parts {
  const raw = fields?.get(SUMS_FIELD)
  const parts: Parts = new Map()
  if (raw === undefined) return parts
  const invalid = (): FieldError =>
    invalidValue('invalid-value', SUMS_FIELD, 'made of numbers and counters', raw)
  const stored = parseJsonExact(raw)
  if (!isObject(stored)) throw invalid()
  for (const [instance, columns] of Object.entries(stored)) {
    if (!isObject(columns)) throw invalid()
    const read = Object.entries(columns).map(([column, part]): [string, Part] => {
      const [text, began] = Array.isArray(part) ? part : []
      const added = typeof text === 'string' ? parseExact(text) : undefined
      if (added === undefined || typeof began !== 'number') throw invalid()
      return [column, { added, began }]
    })
    parts.set(instance, new Map(read))
  }
  return parts
}

function readable<Value>(read: () => Value): Value | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof FieldError || isMorangoError(error)) return undefined
    throw error
  }
}

function isObject(value: JsonValue): value is Readonly<Record<string, JsonValue>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function partsText(parts: Parts): string {
  const sorted = [...parts].toSorted(([a], [b]) => compareCodePoints(a, b))
  return `{${sorted.map(([instance, columns]) => `${pythonStringify(instance)}: ${addedText(columns)}`).join(', ')}}`
}

function addedText(columns: ColumnParts): string {
  const sorted = [...columns].toSorted(([a], [b]) => compareCodePoints(a, b))
  return pythonStringify(
    Object.fromEntries(sorted.map(([name, { added, began }]) => [name, [formatExact(added), began]])),
  )
}
