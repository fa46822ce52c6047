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
  /** What those have after it that have ours among them. */
  readonly ours: readonly Flat[]
  /** The quirks that have been met before, by name. */
  readonly met: ReadonlySet<string>
}

/** Something that the original does and ours mends on purpose. */
export interface Quirk {
  readonly name: string
  readonly reason: string
  /** Whether what follows is another history, so that there is nothing more to compare. */
  readonly parts: boolean
  /** Whether an instance counts further from there, so that counters are compared by their order. */
  readonly renumbers?: boolean
  readonly explains: (occurrence: Occurrence) => boolean
}

const SENDS_AGAIN = 'sends what the receiver has'

export const QUIRKS: readonly Quirk[] = [
  {
    name: 'applied deletion stays dirty',
    reason:
      'a deletion that has been applied, and a record that is to be deleted with what it refers to, is marked as ' +
      'waiting until something else happens to it',
    parts: false,
    explains: ({ difference: { peer, path, theirs, ours }, after }) =>
      path.endsWith('/state') &&
      theirs === `${ours} dirty` &&
      (ours.includes('deleted') || isToBeDeleted(after[peer ?? -1], recordOf(path))),
  },
  {
    name: 'claims less than it has',
    reason:
      '§6: after a pull a database max counter may be lower than before, and a receiver learns nothing from counters ' +
      'of wider partitions',
    parts: false,
    explains: ({ difference: { peer, path, theirs, ours }, ours: flats, met }) => {
      if (peer === undefined || !path.startsWith('claims/')) return false
      const claims = parseEntries(ours)
      const isMore = parseEntries(theirs).every(({ instance }) =>
        claims.some((one) => one.instance === instance),
      )
      return (isMore || met.has(SENDS_AGAIN)) && isTrue(path, ours, flats[peer], flats)
    },
  },
  {
    name: SENDS_AGAIN,
    reason:
      '§6: what the receiver claims of a narrower or a wider partition is not queued again; the original sends it, and ' +
      'counts a dequeuing for it',
    parts: false,
    renumbers: true,
    explains: ({ difference: { peer, path, theirs, ours }, differences, action, ours: flats }) => {
      if (action.operation !== 'sync') return false
      const outcome = differences.find((one) => one.path === 'outcome')
      if (outcome === undefined || !sentLess(outcome)) return false
      if (path === 'outcome') return true
      // Who receives nothing learns nothing.
      if (path.startsWith('claims/')) return isTrue(path, ours, flats[peer ?? -1], flats)
      return path === 'counter' && receives(action, peer) && Number(ours) < Number(theirs)
    },
  },
  {
    name: 'dequeues before it serializes',
    reason: '§8: ours serializes pending changes first, for which the counter is raised once more',
    parts: false,
    renumbers: true,
    explains: ({ difference: { peer, path, theirs, ours }, action, before }) =>
      path === 'counter' &&
      receives(action, peer) &&
      pendingOf(before[peer ?? -1]).length > 0 &&
      Number(ours) > Number(theirs),
  },
  {
    name: 'takes a pending change for a later one',
    reason:
      '§8: a change that was pending when another version arrived is a conflict like any other; the original takes it ' +
      'for an edit of what arrived, and brings back what was deleted',
    parts: true,
    explains: ({ difference: { path }, action, before }) =>
      action.operation === 'sync' &&
      before.some((flat, peer) =>
        pendingOf(flat).some(
          (record) => mayReceive(action, peer, record, before) && isAbout(path, record, before),
        ),
      ),
  },
  {
    name: 'serializes deletions outside of the filter',
    reason: '§7: ours serializes what the filter contains, whatever the change is',
    parts: true,
    explains: ({ difference: { peer, path }, differences, action, before, ours }) => {
      const flat = before[peer ?? -1]
      const record = recordOf(path)
      const isOne = flat?.has(`pending/${record}`) === true && !flat.has(`app/${record}`)
      const isLeft = ours[peer ?? -1]?.has(`pending/${record}`) === true
      return (
        action.operation === 'sync' &&
        isOne &&
        isLeft &&
        differences.some((one) => one.path === `pending/${record}`)
      )
    },
  },
  {
    name: 'keeps content of what was deleted hard',
    reason: '§8: when either side is hard-deleted nothing of the content is left',
    parts: false,
    explains: ({ difference: { peer, path, ours }, ours: flats }) =>
      path.endsWith('/conflicting') &&
      ours === '' &&
      flats[peer ?? -1]?.get(path.replace('/conflicting', '/state'))?.startsWith('hard deleted') === true,
  },
  {
    name: 'sets a self-reference once',
    reason: '§7: ours renews it with every serialization',
    parts: false,
    explains: ({ difference: { peer, path, ours }, ours: flats }) => {
      if (!path.endsWith('/parent')) return false
      const json = flats[peer ?? -1]?.get(path.replace('/parent', '/json')) ?? '{}'
      const { parent_id: parent }: { parent_id?: string | null } = JSON.parse(json)
      return (parent ?? '') === ours
    },
  },
  {
    name: 'leaves empty JSON of what was deleted hard',
    reason: '§8: after a conflict the JSON of a hard-deleted record is {}; the original leaves an empty text',
    parts: false,
    explains: ({ difference: { peer, path, theirs, ours }, ours: flats }) =>
      path.endsWith('/json') &&
      theirs === '' &&
      ours === '{}' &&
      flats[peer ?? -1]?.get(path.replace('/json', '/state'))?.startsWith('hard deleted') === true,
  },
  {
    name: 'fails on empty JSON',
    reason:
      '§8: a hard-deleted record with an empty JSON, created again, blocks all serializing; for ours it is {}',
    parts: true,
    explains: ({ differences, before }) =>
      differences.some(({ path, theirs }) => path === 'outcome' && theirs.includes('JSONDecodeError')) &&
      before.some((flat) =>
        [...flat].some(
          ([path, state]) =>
            path.endsWith('/state') &&
            state.startsWith('hard deleted') &&
            !flat.has(path.replace('/state', '/json')),
        ),
      ),
  },
  {
    name: 'deletes what was deleted and created again',
    reason: '§7: a record deleted and created again between two serializations is alive',
    parts: true,
    explains: ({ difference: { peer, path }, after, ours }) => {
      const at = `store/${recordOf(path)}/state`
      const [theirState, ourState] = [after[peer ?? -1]?.get(at), ours[peer ?? -1]?.get(at)]
      const isThere = after[peer ?? -1]?.has(`app/${recordOf(path)}`) === true
      return (
        path.startsWith('store/') &&
        isThere &&
        theirState?.includes('deleted') === true &&
        ourState === 'alive'
      )
    },
  },
  {
    name: 'keeps the content of an applied deletion as a conflict',
    reason:
      'an applied deletion stays marked as waiting, and what replaces a waiting record keeps it as conflicting data',
    parts: false,
    explains: ({ difference: { peer, path, theirs, ours }, action, before }) => {
      if (!path.endsWith('/conflicting') || action.operation === 'edit') return false
      const flat = before[peer ?? -1]
      const at = `store/${recordOf(path)}`
      return (
        flat?.get(`${at}/state`)?.endsWith('deleted dirty') === true &&
        theirs === `${flat.get(`${at}/json`) ?? ''}\n${ours}`
      )
    },
  },
  {
    name: 'lets rows fall by cascade without a trace',
    reason: '§9: rows that fall with a record deleted elsewhere are deletions that travel on',
    parts: true,
    explains: ({ difference: { peer, path, theirs, ours }, action, before, after, ours: flats }) => {
      const record = recordOf(path)
      return (
        path.startsWith('pending/') &&
        theirs === '' &&
        ours === 'changed' &&
        receives(action, peer) &&
        before[peer ?? -1]?.has(`app/${record}`) === true &&
        after[peer ?? -1]?.has(`app/${record}`) === false &&
        after[peer ?? -1]?.get(`store/${record}/state`)?.startsWith('alive') === true &&
        flats[peer ?? -1]?.has(`app/${record}`) === false
      )
    },
  },
  {
    name: 'sets a reference to null without noting it',
    reason:
      'a row whose reference became null because the row referred to was deleted has changed; the original does not ' +
      'send it',
    parts: true,
    explains: ({ difference: { path, theirs, ours }, action }) =>
      path.startsWith('pending/<person') &&
      theirs === '' &&
      ours === 'changed' &&
      (action.operation === 'sync' ||
        ((action.operation === 'delete' || action.operation === 'delete-hard') &&
          action.key.startsWith('region'))),
  },
]

function isToBeDeleted(flat: Flat | undefined, record: string): boolean {
  return flat?.has(`app/${record}`) === false && flat.has(`pending/${record}`)
}

/** The record that a path is about. */
function recordOf(path: string): string {
  return path.split('/')[1] ?? ''
}

interface Moved {
  readonly push: boolean
  readonly total: number
}

/** Whether ours moved the same transfers with no more records in any of them, and less in one. */
function sentLess({ theirs, ours }: Difference): boolean {
  if (theirs.startsWith('failed') || ours.startsWith('failed')) return false
  const [one, other]: [Moved[], Moved[]] = [JSON.parse(theirs), JSON.parse(ours)]
  return (
    one.length === other.length && one.every(({ total }, index) => (other[index]?.total ?? Infinity) <= total)
  )
}

/** Whether a peer with these claims about a partition has all the versions that they cover, or later ones. */
function isTrue(path: string, claimed: string, claimant: Flat | undefined, flats: readonly Flat[]): boolean {
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

function receives(action: Action, peer: number | undefined): boolean {
  if (action.operation !== 'sync') return false
  return action.transfers.some(({ push }) => (push ? action.server : action.client) === peer)
}

/** Whether a peer received something in a transfer whose filter contains the record. */
function mayReceive(action: Action, peer: number, record: string, flats: readonly Flat[]): boolean {
  if (action.operation !== 'sync') return false
  const partition = flats.map((flat) => partitionOf(flat, record)).find((one) => one !== undefined)
  return action.transfers.some(
    ({ push, filter }) =>
      (push ? action.server : action.client) === peer &&
      partition !== undefined &&
      filterContains(parseFilter(filter), partition),
  )
}

function partitionOf(flat: Flat, record: string): string | undefined {
  return flat.get(`store/${record}/who`)?.split(' ').slice(2).join(' ')
}

function pendingOf(flat: Flat | undefined): string[] {
  return [...(flat?.keys() ?? [])].filter((path) => path.startsWith('pending/')).map((path) => recordOf(path))
}

/** Whether a path is about a record, or about one that refers to it. */
function isAbout(path: string, record: string, flats: readonly Flat[]): boolean {
  if (recordOf(path) === record) return true
  return flats.some((flat) => flat.get(`store/${recordOf(path)}/json`)?.includes(record) === true)
}

export function explain(occurrence: Occurrence): Quirk | undefined {
  return QUIRKS.find((quirk) => quirk.explains(occurrence))
}
