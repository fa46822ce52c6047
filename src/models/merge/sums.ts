import { compareCodePoints } from '../../core/code-points.ts'
import type { RawField } from '../../core/python-json.ts'
import { parseJsonExact, pythonStringify } from '../../core/python-json.ts'
import type { CompiledColumn } from '../compiled.ts'
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
 * The member of a record's JSON that says what each instance has added, by instance and column:
 * `{"<instance>": {"stock": "-2"}}`. It travels with the record as fields that a model does not know do, through peers
 * that know nothing of it as well.
 *
 * This is the counter of Shapiro et al., "A comprehensive study of convergent and commutative replicated data types"
 * (2011), section 3.1.3, with the record max counters in place of a count that can only grow. A column's value is the
 * sum of the parts and of a base, which is what the record was created with.
 */
export const SUMS_FIELD = '_morango_sums'

type Parts = Map<string, ReadonlyMap<string, ExactNumber>>

/** One side of a conflict. */
export interface SummedSide {
  readonly fields: ReadonlyMap<string, string>
  /** The highest counter of each instance that ever saved the record. */
  readonly history: Readonly<Record<string, number>>
}

/**
 * What this instance has added, after an edit of it. It notes itself even if it added nothing: whoever is in a record's
 * history and not among the parts has put what it added into the base.
 *
 * @param before - undefined for a record that is new
 * @throws FieldError when a stored value is no number
 */
export function noteEdit(
  columns: readonly CompiledColumn[],
  before: ReadonlyMap<string, string> | undefined,
  after: readonly RawField[],
  instance: string,
): RawField {
  const parts = before === undefined ? new Map() : readParts(before)
  const own = new Map<string, ExactNumber>(parts.get(instance))
  if (before !== undefined) {
    const edited = new Map(after.map(({ key, raw }) => [key, raw]))
    for (const { name } of columns) {
      const added = subtract(numberOf(edited, name) ?? ZERO, numberOf(before, name) ?? ZERO)
      own.set(name, add(own.get(name) ?? ZERO, added))
    }
  }
  parts.set(instance, own)
  return { key: SUMS_FIELD, raw: partsText(parts) }
}

/**
 * What both sides have added, together.
 *
 * @throws FieldError when a value is no number, or the sum does not fit into its column
 */
export function mergeSums(
  columns: readonly CompiledColumn[],
  ours: SummedSide,
  theirs: SummedSide,
): RawField[] {
  const [ourParts, theirParts] = [readParts(ours.fields), readParts(theirs.fields)]
  const parts = mergeParts({ side: ours, parts: ourParts }, { side: theirs, parts: theirParts })
  const newer = newerBase({ side: ours, parts: ourParts }, { side: theirs, parts: theirParts })
  const fields = columns.flatMap((column): RawField[] => {
    const { name } = column
    const [our, their] = [numberOf(ours.fields, name), numberOf(theirs.fields, name)]
    if (our === undefined && their === undefined) {
      return [ours, theirs].some(({ fields: side }) => side.has(name)) ? [{ key: name, raw: 'null' }] : []
    }
    const ourBase = subtract(our ?? ZERO, totalOf(ourParts, name))
    const theirBase = subtract(their ?? ZERO, totalOf(theirParts, name))
    const larger = compareExact(ourBase, theirBase) < 0 ? theirBase : ourBase
    const base = newer === 'ours' ? ourBase : newer === 'theirs' ? theirBase : larger
    const raw = column.encode(formatExact(add(base, totalOf(parts, name))))
    column.decode(raw)
    return [{ key: name, raw }]
  })
  return parts.size === 0 ? fields : [...fields, { key: SUMS_FIELD, raw: partsText(parts) }]
}

interface SideParts {
  readonly side: SummedSide
  readonly parts: Parts
}

// What an instance has added only it can change, so the later of its own versions counts.
function mergeParts(ours: SideParts, theirs: SideParts): Parts {
  const merged: Parts = new Map(ours.parts)
  for (const [instance, their] of theirs.parts) {
    const our = merged.get(instance)
    const [ourCounter, theirCounter] = [counterAt(ours, instance), counterAt(theirs, instance)]
    const later =
      our === undefined ||
      theirCounter > ourCounter ||
      (theirCounter === ourCounter && compareCodePoints(addedText(their), addedText(our)) > 0)
    if (later) merged.set(instance, their)
  }
  return merged
}

/**
 * Which side's base is the later one: by the counters of those who changed it, which are peers that know nothing of
 * sums. Undefined when neither is, or each in its own way.
 */
function newerBase(ours: SideParts, theirs: SideParts): 'ours' | 'theirs' | undefined {
  const changers = new Set(
    [ours, theirs].flatMap(({ side, parts }) =>
      Object.keys(side.history).filter((instance) => !parts.has(instance)),
    ),
  )
  const differences = [...changers].map((instance) => counterAt(ours, instance) - counterAt(theirs, instance))
  const [oursIsNewer, theirsIsNewer] = [differences.some((by) => by > 0), differences.some((by) => by < 0)]
  if (oursIsNewer === theirsIsNewer) return undefined
  return oursIsNewer ? 'ours' : 'theirs'
}

function counterAt({ side }: SideParts, instance: string): number {
  return side.history[instance] ?? 0
}

function totalOf(parts: Parts, column: string): ExactNumber {
  let total = ZERO
  for (const added of parts.values()) total = add(total, added.get(column) ?? ZERO)
  return total
}

function numberOf(fields: ReadonlyMap<string, string>, name: string): ExactNumber | undefined {
  const raw = fields.get(name)
  if (raw === undefined || raw === 'null') return undefined
  const number = parseExact(jsonTextOrNumber(raw) ?? '')
  if (number === undefined) throw invalidValue('invalid-value', name, 'a number', raw)
  return number
}

function readParts(fields: ReadonlyMap<string, string>): Parts {
  const raw = fields.get(SUMS_FIELD)
  const parts: Parts = new Map()
  if (raw === undefined) return parts
  const stored = parseJsonExact(raw)
  if (!isObject(stored)) throw invalidValue('invalid-value', SUMS_FIELD, 'an object', raw)
  for (const [instance, added] of Object.entries(stored)) {
    if (!isObject(added)) throw invalidValue('invalid-value', SUMS_FIELD, 'an object of objects', raw)
    const columns = Object.entries(added).map(([column, value]): [string, ExactNumber] => {
      const number = typeof value === 'string' ? parseExact(value) : undefined
      if (number === undefined) throw invalidValue('invalid-value', SUMS_FIELD, 'made of numbers', raw)
      return [column, number]
    })
    parts.set(instance, new Map(columns))
  }
  return parts
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function partsText(parts: Parts): string {
  const sorted = [...parts].toSorted(([a], [b]) => compareCodePoints(a, b))
  return `{${sorted.map(([instance, added]) => `${pythonStringify(instance)}: ${addedText(added)}`).join(', ')}}`
}

function addedText(added: ReadonlyMap<string, ExactNumber>): string {
  const columns = [...added]
    .filter(([, number]) => number.digits !== 0n)
    .toSorted(([a], [b]) => compareCodePoints(a, b))
  return pythonStringify(Object.fromEntries(columns.map(([name, number]) => [name, formatExact(number)])))
}
