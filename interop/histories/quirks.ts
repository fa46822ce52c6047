import {
  isAbout,
  isToBeDeleted,
  isTrue,
  linesApart,
  linesKnownApart,
  linesOf,
  mayReceive,
  type Occurrence,
  parentIn,
  pendingOf,
  receives,
  recordOf,
  sentLess,
  unnotedNulls,
} from './evidence.ts'
import type { Flat } from './flat.ts'
import { parseEntries } from './numbering.ts'

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
      return parentIn(flats[peer ?? -1]?.get(path.replace('/parent', '/json'))) === ours
    },
  },
  {
    name: 'fails on moved children',
    reason: '§7, §9: a record whose self-reference is an old one is applied before its parent, and fails',
    parts: true,
    explains: ({ difference: { peer, path }, action, after, ours }) => {
      const [flat, ourFlat] = [after[peer ?? -1], ours[peer ?? -1]]
      if (action.operation !== 'sync' || flat === undefined || ourFlat === undefined) return false
      const failed = [...flat]
        .filter(
          ([at, state]) => at.endsWith('/state') && state === 'alive dirty' && ourFlat.get(at) === 'alive',
        )
        .map(([at]) => recordOf(at))
        .filter((record) => {
          const at = `store/${record}`
          return parentIn(flat.get(`${at}/json`)) !== (flat.get(`${at}/parent`) ?? '')
        })
      return failed.some((record) => isAbout(path, record, [flat]))
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
    explains: ({ difference, differences, action, before, after }) =>
      // Where ours is the client of one that fails so, it may have come as far, or not.
      (differences.some(({ path, theirs }) => path === 'outcome' && theirs.includes('JSONDecodeError')) ||
        (action.operation === 'sync' && difference.path === 'buffers')) &&
      [...before, ...after].some((flat) =>
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
    explains: (occurrence) => {
      const { difference, action, before } = occurrence
      const { peer, path, theirs, ours } = difference
      if (!path.endsWith('/conflicting') || action.operation === 'edit') return false
      const flat = before[peer ?? -1]
      const at = `store/${recordOf(path)}`
      if (flat?.get(`${at}/state`)?.endsWith('deleted dirty') !== true) return false
      const apart = linesApart(theirs, ours)
      const kept = flat.get(`${at}/json`) ?? ''
      const known = linesKnownApart(path, occurrence)
      const isKept = kept === '' || apart.theirs.includes(kept)
      return (
        apart.ours.length === 0 && isKept && apart.theirs.every((line) => line === kept || known.has(line))
      )
    },
  },
  {
    name: 'drops what the other side had lost',
    reason: '§8: what an arriving record had lost in conflicts before is kept when it meets another one',
    parts: false,
    explains: ({ difference: { path, theirs, ours }, action, oursBefore }) => {
      if (!path.endsWith('/conflicting') || action.operation !== 'sync') return false
      const apart = linesApart(theirs, ours)
      const had = [action.client, action.server].flatMap((one) => linesOf(oursBefore[one]?.get(path)))
      return (
        apart.ours.length > 0 && apart.theirs.length === 0 && apart.ours.every((line) => had.includes(line))
      )
    },
  },
  {
    name: 'deletes hard what arrives later',
    reason:
      '§7: a hard deletion of a row that was never serialized concerns nobody; the original keeps it, and deletes the ' +
      'record of that id that arrives later',
    parts: true,
    explains: ({ difference: { path }, action, before, after }) => {
      const record = recordOf(path)
      return (
        action.operation === 'sync' &&
        before.some(
          (flat, peer) =>
            flat.has(`pending/${record}`) &&
            !flat.has(`app/${record}`) &&
            !flat.has(`store/${record}/who`) &&
            after[peer]?.get(`store/${record}/state`)?.startsWith('hard deleted') === true,
        )
      )
    },
  },
  {
    name: 'misses rows that are not serialized',
    reason:
      '§9: a record may refer to a row that was made here and not serialized yet; the original says it is not there',
    parts: true,
    explains: ({ difference: { peer, path }, action, after, ours }) => {
      const [flat, ourFlat] = [after[peer ?? -1], ours[peer ?? -1]]
      const record = recordOf(path)
      const waits =
        flat?.get(`store/${record}/state`) === 'alive dirty' &&
        ourFlat?.get(`store/${record}/state`) === 'alive'
      if (action.operation !== 'sync' || flat === undefined || !waits) return false
      const json = flat.get(`store/${record}/json`) ?? ''
      return pendingOf(flat).some(
        (row) => json.includes(row) && flat.has(`app/${row}`) && !flat.has(`store/${row}/who`),
      )
    },
  },
  {
    name: 'lets rows fall by cascade without a trace',
    reason: '§9: rows that fall with a record deleted elsewhere are deletions that travel on',
    parts: true,
    explains: ({ difference: { path }, action, before, after, ours }) => {
      const record = recordOf(path)
      // Ours may have told the others of it already, in the second transfer of the sync.
      const isNoted = (flat: Flat | undefined): boolean =>
        flat?.has(`pending/${record}`) === true ||
        flat?.get(`store/${record}/state`)?.includes('deleted') === true
      return before.some(
        (flat, peer) =>
          receives(action, peer) &&
          flat.has(`app/${record}`) &&
          after[peer]?.has(`app/${record}`) === false &&
          after[peer].get(`store/${record}/state`)?.startsWith('alive') === true &&
          ours[peer]?.has(`app/${record}`) === false &&
          isNoted(ours[peer]),
      )
    },
  },
  {
    name: 'sets a reference to null without noting it',
    reason:
      'a row whose reference became null because the row referred to was deleted has changed; the original does not ' +
      'send it',
    parts: true,
    explains: ({ difference: { path }, action, after, ours }) => {
      if (action.operation === 'serialize') return false
      // Ours may have told the others of it already, in the second transfer of the sync.
      const unnoted = after.flatMap((flat, peer) =>
        unnotedNulls(flat).filter((record) => !unnotedNulls(ours[peer]).includes(record)),
      )
      if (unnoted.includes(recordOf(path))) return true
      return unnoted.length > 0 && action.operation === 'sync' && /^(?:outcome|counter|claims)/.test(path)
    },
  },
]
