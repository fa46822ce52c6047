import { filterContains, parseFilter } from '../../src/core/filter.ts'
import type { Flat } from './flat.ts'
import { parseEntries } from './numbering.ts'
import type { Action } from './script.ts'

/** One thing that came out otherwise. */
export interface Difference {
  /** Undefined for the outcome of the step. */
  readonly peer: number | undefined
  readonly path: string
  readonly theirs: string
  readonly ours: string
}

/** A difference where it came up. */
export interface Occurrence {
  readonly difference: Difference
  /** All that are new after this step. */
  readonly differences: readonly Difference[]
  /** With names for ids. */
  readonly action: Action
  /** What the peers of the original had before the step, and have after it. */
  readonly before: readonly Flat[]
  readonly after: readonly Flat[]
  /** What those have after it that have ours among them, and what they had before. */
  readonly ours: readonly Flat[]
  readonly oursBefore: readonly Flat[]
  /** The quirks that have been met before, by name. */
  readonly met: ReadonlySet<string>
}

/** Whether a row is gone, and that is still to be told to others. */
export function isToBeDeleted(flat: Flat | undefined, record: string): boolean {
  return flat?.has(`app/${record}`) === false && flat.has(`pending/${record}`)
}

/** The record that a path is about. */
export function recordOf(path: string): string {
  return path.split('/')[1] ?? ''
}

interface Moved {
  readonly push: boolean
  readonly total: number
}

/** Whether ours moved the same transfers with no more records in any of them, and less in one. */
export function sentLess({ theirs, ours }: Difference): boolean {
  if (theirs.startsWith('failed') || ours.startsWith('failed')) return false
  const [one, other]: [Moved[], Moved[]] = [JSON.parse(theirs), JSON.parse(ours)]
  return (
    one.length === other.length &&
    one.every(({ total }, index) => (other[index]?.total ?? Infinity) <= total) &&
    one.some(({ total }, index) => (other[index]?.total ?? Infinity) < total)
  )
}

/** Whether a peer with these claims about a partition has all the versions that they cover, or later ones. */
export function isTrue(
  path: string,
  claimed: string,
  claimant: Flat | undefined,
  flats: readonly Flat[],
): boolean {
  const partition = path.slice('claims/'.length)
  const claims = new Map(parseEntries(claimed).map(({ instance, counter }) => [instance, counter]))
  return flats.every((flat) =>
    [...flat].every(([path, version]) => {
      if (!path.endsWith('/version')) return true
      const where = partitionOf(flat, recordOf(path)) ?? ''
      if (!where.startsWith(partition)) return true
      const held = new Map(
        parseEntries(claimant?.get(path) ?? '').map(({ instance, counter }) => [instance, counter]),
      )
      return parseEntries(version).every(
        ({ instance, counter }) =>
          counter > (claims.get(instance) ?? 0) || (held.get(instance) ?? 0) >= counter,
      )
    }),
  )
}

/** Whether a peer is the receiver of a transfer. */
export function receives(action: Action, peer: number | undefined): boolean {
  if (action.operation !== 'sync') return false
  return action.transfers.some(({ push }) => (push ? action.server : action.client) === peer)
}

/** Whether a peer received something in a transfer whose filter contains the record. */
export function mayReceive(action: Action, peer: number, record: string, flats: readonly Flat[]): boolean {
  if (action.operation !== 'sync') return false
  const partition = flats.map((flat) => partitionOf(flat, record)).find((one) => one !== undefined)
  return action.transfers.some(
    ({ push, filter }) =>
      (push ? action.server : action.client) === peer &&
      partition !== undefined &&
      filterContains(parseFilter(filter), partition),
  )
}

/** Where a record is, by its Store. */
export function partitionOf(flat: Flat, record: string): string | undefined {
  return flat.get(`store/${record}/who`)?.split('\t')[2]
}

/** The lines of conflicting data. */
export function linesOf(conflicting: string | undefined): string[] {
  return (conflicting ?? '').split('\n').filter((line) => line !== '')
}

/** The lines of conflicting data that only one of the two has, each as often as it has more of it. */
export function linesApart(
  theirs: string | undefined,
  ours: string | undefined,
): { readonly theirs: readonly string[]; readonly ours: readonly string[] } {
  const left = linesOf(ours)
  const beyond = linesOf(theirs).filter((line) => {
    const at = left.indexOf(line)
    if (at !== -1) left.splice(at, 1)
    return at === -1
  })
  return { theirs: beyond, ours: left }
}

/** The lines of a record's conflicting data that one world had and the other not, at any peer, before the step. */
export function linesKnownApart(path: string, { before, oursBefore }: Occurrence): Set<string> {
  return new Set(
    before.flatMap((flat, peer) => {
      const { theirs, ours } = linesApart(flat.get(path), oursBefore[peer]?.get(path))
      return [...theirs, ...ours]
    }),
  )
}

/** Whether conflicting data differs only in lines that did before: what a quirk has left somewhere travels. */
export function isCarriedOn(occurrence: Occurrence): boolean {
  const { path, theirs, ours } = occurrence.difference
  if (!path.endsWith('/conflicting')) return false
  const apart = linesApart(theirs, ours)
  const differing = [...apart.theirs, ...apart.ours]
  const known = linesKnownApart(path, occurrence)
  return differing.length > 0 && differing.every((line) => known.has(line))
}

/** The records that have changed since they were serialized. */
export function pendingOf(flat: Flat | undefined): string[] {
  return [...(flat?.keys() ?? [])].filter((path) => path.startsWith('pending/')).map((path) => recordOf(path))
}

/** Whether a path is about a record, or about one that refers to it. */
export function isAbout(path: string, record: string, flats: readonly Flat[]): boolean {
  if (recordOf(path) === record) return true
  return flats.some((flat) => flat.get(`store/${recordOf(path)}/json`)?.includes(record) === true)
}

/** The self-reference in the JSON of a region, empty for none. */
export function parentIn(json: string | undefined): string {
  const { parent_id: parent }: { parent_id?: string | null } = JSON.parse(json ?? '{}')
  return parent ?? ''
}

/** Persons without a home of whom the Store says where it is, although nothing waits to be serialized. */
export function unnotedNulls(flat: Flat | undefined): string[] {
  return [...(flat ?? [])].flatMap(([path, row]) => {
    const record = recordOf(path)
    if (!path.startsWith('app/') || !row.startsWith('person ') || flat?.has(`pending/${record}`) === true)
      return []
    const stored = flat?.get(`store/${record}/json`)
    return homeIn(row.slice('person '.length)) === null && typeof homeIn(stored ?? '{}') === 'string'
      ? [record]
      : []
  })
}

function homeIn(json: string): unknown {
  const { home_id: home }: { home_id?: unknown } = JSON.parse(json === '' ? '{}' : json)
  return home
}
