import { MorangoError } from './errors.ts'
import { MAX_PARTITION, MAX_PREFIXES } from './limits.ts'
import { compareUnits, lastNotAfter } from './sorted-texts.ts'

/**
 * Which records a certificate or a transfer is about: partition prefixes, normalized (split at whitespace,
 * never empty: the empty filter is the one prefix `''`, which contains everything). Protocol §2.
 */
export type Filter = readonly string[]

// What Python's str.split() splits at; JavaScript's \s has U+FEFF more and U+001C–1F and U+0085 less.
// oxlint-disable-next-line no-control-regex -- they are separators to Python
const PYTHON_WHITESPACE = /[\t-\r\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/

/** The prefixes of a filter text, in their order, repeats kept; `['']` when there is none (protocol §2). */
export function parseFilter(text: string): Filter {
  const prefixes = text.split(PYTHON_WHITESPACE).filter((prefix) => prefix !== '')
  return prefixes.length === 0 ? [''] : prefixes
}

/** The wire form of a filter: one prefix a line. */
export function filterToString(filter: Filter): string {
  return filter.join('\n')
}

/** Whether `partition` starts with one of the filter's prefixes, exactly (protocol §2, §6). */
export function filterContains(filter: Filter, partition: string): boolean {
  return filter.some((prefix) => partition.startsWith(prefix))
}

/** Whether each prefix of `a` starts with one of `b`'s (protocol §2). */
export function isFilterSubset(a: Filter, b: Filter): boolean {
  const widest = widestPrefixes(b)
  return a.every((prefix) => {
    // Of texts without one that contains another, only the last one before a text can contain it.
    const before = widest[lastNotAfter(widest, prefix)]
    return before !== undefined && prefix.startsWith(before)
  })
}

/**
 * Checks what a transfer's filter may be: so many prefixes, none longer than a partition can be.
 *
 * @throws MorangoError `invalid-filter`
 */
export function requireFilterLimits(filter: Filter): void {
  if (filter.length > MAX_PREFIXES) {
    throw new MorangoError('invalid-filter', `The filter has more than ${MAX_PREFIXES} prefixes.`, {
      hint: 'Sync with a wider prefix that contains them, or in several syncs.',
    })
  }
  const isLong = filter.some(
    (prefix) => prefix.length > MAX_PARTITION && codePointCount(prefix) > MAX_PARTITION,
  )
  if (isLong) {
    throw new MorangoError(
      'invalid-filter',
      `A prefix of the filter has more than ${MAX_PARTITION} characters.`,
      {
        hint: 'No partition is so long: nothing lies under it.',
      },
    )
  }
}

function codePointCount(text: string): number {
  let count = 0
  for (const _ of text) count++
  return count
}

/** Whether two filters have the same prefixes, whatever their order and repeats (protocol §2). */
export function filtersEqual(a: Filter, b: Filter): boolean {
  const left = new Set(a)
  const right = new Set(b)
  return left.size === right.size && a.every((prefix) => right.has(prefix))
}

/**
 * Both filters' texts as one: `a`'s prefixes, then `b`'s. An empty filter adds nothing, although alone it
 * contains everything (the original's rule, and that of scope templates: protocol §2).
 */
export function joinFilters(a: Filter, b: Filter): Filter {
  return parseFilter(`${filterToString(a)}\n${filterToString(b)}`)
}

/** The filter without the prefixes that another one covers, and without repeats; the same records. */
export function minimalPrefixes(filter: Filter): Filter {
  const widest = new Set(widestPrefixes(filter))
  return [...new Set(filter)].filter((prefix) => widest.has(prefix))
}

/** The same, in the order of their UTF-16 units: what a prefix contains follows it at once. */
function widestPrefixes(filter: Filter): string[] {
  const widest: string[] = []
  for (const prefix of filter.toSorted(compareUnits)) {
    const last = widest.at(-1)
    if (last === undefined || !prefix.startsWith(last)) widest.push(prefix)
  }
  return widest
}

/**
 * The smallest text greater than every text that starts with `prefix`, in code point order (that of UTF-8
 * bytes), for range scans: `partition >= prefix and partition < bound`. Undefined when there is none: for
 * `''`, and for prefixes of nothing but U+10FFFF.
 */
export function prefixUpperBound(prefix: string): string | undefined {
  let end = prefix.length
  while (end >= 2 && prefix.codePointAt(end - 2) === LAST_CODE_POINT) end -= 2
  if (end === 0) return undefined
  const isPair = end >= 2 && (prefix.codePointAt(end - 2) ?? 0) > 0xffff
  const start = end - (isPair ? 2 : 1)
  return prefix.slice(0, start) + String.fromCodePoint(nextScalar(prefix.codePointAt(start) ?? 0))
}

const LAST_CODE_POINT = 0x10ffff

// Surrogates are no characters: neither UTF-8 nor a database can hold one.
function nextScalar(codePoint: number): number {
  return codePoint >= 0xd7ff && codePoint < 0xe000 ? 0xe000 : codePoint + 1
}
