import { compareCodePoints } from '../../core/code-points.ts'
import { isContentField } from '../../core/content-field.ts'
import { type RawField, rawValues } from '../../core/python-json.ts'
import type { CompiledColumn, CompiledModel, MergeSide } from '../compiled.ts'
import { compareOf } from './ordering.ts'
import type { MergePolicy } from './policies.ts'
import { setUnion } from './set-union.ts'
import { mergeSums, SUMS_FIELD } from './sums.ts'

/** Policies that were checked: each column that another is `latestBy` has `max`. */
export interface CheckedPolicies {
  readonly named: ReadonlyMap<string, MergePolicy>
  /** For all others; undefined when nothing was said of them: they keep ours. */
  readonly others: MergePolicy | undefined
  /** Those with `sum`. */
  readonly summed: readonly CompiledColumn[]
}

type Fields = ReadonlyMap<string, string>

/** The function that merges a record's fields by policies. */
export function mergeByPolicies(
  columns: readonly CompiledColumn[],
  { named, others, summed }: CheckedPolicies,
): NonNullable<CompiledModel['merge']> {
  const byName = new Map(columns.map((column) => [column.name, column]))
  return (ourSide, theirSide, instance) => {
    const ours = rawValues(ourSide.raw)
    const theirs = rawValues(theirSide.raw)
    const names = [...new Set([...ours.keys(), ...theirs.keys()])].filter(isContentField)
    const fields: RawField[] = []
    for (const key of names) {
      const policy = named.get(key) ?? others ?? 'ours'
      if (policy === 'sum') continue
      const raw = mergeValue(policy, key, { ours, theirs }, byName)
      if (raw !== undefined) fields.push({ key, raw })
    }
    if (summed.length > 0 || ours.has(SUMS_FIELD) || theirs.has(SUMS_FIELD)) {
      fields.push(...mergeSums(summed, sideOf(ourSide, ours), sideOf(theirSide, theirs), instance))
    }
    const differing = names.filter((key) => ours.get(key) !== theirs.get(key))
    return {
      fields,
      settled: differing.every((key) => (named.get(key) ?? others) !== undefined),
      combined: differing.every((key) => COMBINING.has(named.get(key) ?? others)),
    }
  }
}

const COMBINING: ReadonlySet<unknown> = new Set(['sum', 'union', 'min', 'max'])

function sideOf({ history }: MergeSide, fields: Fields): { fields: Fields; history: MergeSide['history'] } {
  return { fields, history }
}

interface Sides {
  readonly ours: Fields
  readonly theirs: Fields
}

function mergeValue(
  policy: Exclude<MergePolicy, 'sum'>,
  key: string,
  { ours, theirs }: Sides,
  columns: ReadonlyMap<string, CompiledColumn>,
): string | undefined {
  const [our, their] = [ours.get(key), theirs.get(key)]
  if (our === undefined || their === undefined || our === their) return our ?? their
  if (typeof policy === 'object') {
    const later = compareBy(columns, policy.latestBy, { ours, theirs })
    return later > 0 || (later === 0 && compareCodePoints(our, their) > 0) ? our : their
  }
  switch (policy) {
    case 'ours':
      return our
    case 'theirs':
      return their
    case 'min':
    case 'max': {
      if (our === 'null' || their === 'null') return our === 'null' ? their : our
      const order = compareBy(columns, key, { ours, theirs })
      return order > 0 === (policy === 'max') ? our : their
    }
    case 'union':
      if (our === 'null' || their === 'null') return our === 'null' ? their : our
      return setUnion(our, their, key)
  }
}

// A value that is not there is before all others.
function compareBy(
  columns: ReadonlyMap<string, CompiledColumn>,
  name: string,
  { ours, theirs }: Sides,
): number {
  const [our, their] = [ours.get(name) ?? 'null', theirs.get(name) ?? 'null']
  if (our === 'null' || their === 'null') return our === their ? 0 : our === 'null' ? -1 : 1
  const column = columns.get(name)
  const compare = column && compareOf(column.kind, name)
  if (compare === undefined) throw new Error(`Column ${name} was not checked to have an order`)
  return compare(our, their)
}
