import { MODELS } from '../profile.ts'
import type { Dump, Peer } from '../peer.ts'
import { type Cast, PERSONS } from './cast.ts'
import { type Flat, flatten, type Rename } from './flat.ts'
import { type History, keyOf, OWNERS, SLOTS } from './history.ts'
import { createNumbering, type Numbering } from './numbering.ts'
import { type Difference, isCarriedOn, type Occurrence } from './evidence.ts'
import { type Quirk, QUIRKS } from './quirks.ts'
import { type Action, idOf, perform, resolve, type Scene } from './script.ts'

/** What became of a history. */
export interface Played {
  /** What was done and compared, with what kind of peer the second time. */
  readonly actions: readonly Action[]
  readonly kinds: readonly string[]
  /** The quirks that were met, by name. */
  readonly quirks: ReadonlySet<string>
  /** The one that ended it, since from there on the two are different histories. */
  readonly endedBy: string | undefined
}

/** A history that came out otherwise, and no quirk says why. */
export class HistoryError extends Error {}

/**
 * Plays a history among peers of the original and, step by step beside it, with some replaced by ours, and
 * compares those that took part after each step.
 *
 * @throws HistoryError with the script, when they differ
 */
export async function play(history: History, cast: Cast): Promise<Played> {
  const { holders, ours } = history
  const worlds = await Promise.all([cast.peers(0, holders, []), cast.peers(1, holders, ours)])
  try {
    return await run(history, worlds, cast.dataset)
  } finally {
    await cast.dismiss()
  }
}

async function run(
  { holders, steps }: History,
  [theirs, mixed]: readonly [readonly Peer[], readonly Peer[]],
  dataset: string,
): Promise<Played> {
  const kinds = mixed.map(({ kind }) => kind)
  const dumps = await Promise.all(theirs.map((peer) => peer.dump({})))
  const known = holders.map(() => new Set<string>())
  const rename = namesFor(dataset, dumps)
  const flats = dumps.map((dump) => flatten(dump, rename))
  const ourFlats = [...flats]
  const carried = holders.map(() => new Map<string, string>())
  const numbering = createNumbering()
  const travelled = new Map<string, Quirk>()
  const quirks = new Set<string>()
  const actions: Action[] = []
  const log = [`${kinds.map((kind, peer) => `${'abcd'[peer]}: ${kind}, ${holders[peer]}`).join('; ')}`]

  for (const step of steps) {
    const scene: Scene = { dataset, holders, dumps, known, serial: actions.length }
    const action = resolve(step, scene)
    if (action === undefined) continue
    actions.push(action)
    const named: Action = JSON.parse(rename(JSON.stringify(action)))
    log.push(`${actions.length - 1} ${JSON.stringify(named)}`)
    // oxlint-disable-next-line no-await-in-loop
    const [one, other] = await Promise.all(
      [theirs, mixed].map(async (peers) => {
        const outcome = await outcomeOf(perform(action, peers, dataset))
        const seen = await Promise.all(participants(action).map(async (peer) => peers[peer]?.dump({})))
        return { outcome, seen }
      }),
    )
    if (one === undefined || other === undefined) throw new Error('no outcome')
    const differences: Difference[] = []
    if (one.outcome !== other.outcome) {
      differences.push({ peer: undefined, path: 'outcome', theirs: one.outcome, ours: other.outcome })
    }
    const before = [...flats]
    const oursBefore = [...ourFlats]
    for (const [at, peer] of participants(action).entries()) {
      const [dump, ourDump] = [one.seen[at], other.seen[at]]
      const carry = carried[peer]
      if (dump === undefined || ourDump === undefined || carry === undefined) throw new Error('no dump')
      dumps[peer] = dump
      flats[peer] = flatten(dump, rename)
      ourFlats[peer] = flatten(ourDump, rename)
      learn(known[peer], dump, dataset)
      const found = differencesOf(peer, flats[peer], ourFlats[peer], numbering)
      differences.push(...found.filter(({ path, theirs, ours }) => carry.get(path) !== `${theirs}\n${ours}`))
      carried[peer] = new Map(found.map(({ path, theirs, ours }) => [path, `${theirs}\n${ours}`]))
    }
    let endedBy: string | undefined
    const unexplained: Difference[] = []
    for (const difference of differences) {
      const spread = `${difference.path}\n${difference.theirs}\n${difference.ours}`
      const occurrence: Occurrence = {
        difference,
        differences,
        action: named,
        before,
        after: flats,
        ours: ourFlats,
        oursBefore,
        met: quirks,
      }
      if (isCarriedOn(occurrence)) continue
      const quirk = travelled.get(spread) ?? QUIRKS.find(({ explains }) => explains(occurrence))
      if (quirk === undefined) unexplained.push(difference)
      else {
        if (difference.path.startsWith('store/')) travelled.set(spread, quirk)
        quirks.add(quirk.name)
        if (quirk.parts) endedBy ??= quirk.name
        if (quirk.renumbers === true) numbering.loosen()
      }
    }
    const left = unexplained.filter((difference) => !isSame(difference, numbering))
    if (left.length > 0) {
      throw new HistoryError(
        ['the two histories differ, and no quirk says why:', ...left.map(describe), ...log].join('\n'),
      )
    }
    if (endedBy !== undefined) return { actions, kinds, quirks, endedBy }
  }
  return { actions, kinds, quirks, endedBy: undefined }
}

function participants(action: Action): number[] {
  return action.operation === 'sync' ? [action.client, action.server] : [action.peer]
}

async function outcomeOf(work: Promise<unknown>): Promise<string> {
  try {
    return JSON.stringify(await work)
  } catch (error) {
    return `failed: ${error instanceof Error ? error.message : String(error)}`
  }
}

function learn(known: Set<string> | undefined, dump: Dump, dataset: string): void {
  const there = new Set([
    ...dump.store.map(({ id }) => id),
    ...MODELS.flatMap((model) => dump.app[model].map((row) => String(row['id']))),
  ])
  for (const [id, key] of keysById(dataset)) if (there.has(id)) known?.add(key)
}

function keysById(dataset: string): Map<string, string> {
  const keys = MODELS.flatMap((model) =>
    OWNERS.flatMap((owner) => Array.from({ length: SLOTS }, (_, slot) => keyOf(model, owner, slot))),
  )
  return new Map(keys.map((key) => [idOf(dataset, key), key]))
}

function namesFor(dataset: string, dumps: readonly Dump[]): Rename {
  const names = new Map([[dataset, 'D']])
  for (const [id, key] of keysById(dataset)) names.set(id, `<${key}>`)
  for (const [index, { instance }] of dumps.entries()) names.set(instance, 'abcd'[index] ?? '?')
  for (const owner of OWNERS) names.set(PERSONS[owner], `<person ${owner}>`)
  const ids = new RegExp([...names.keys()].join('|'), 'g')
  return (text) => text.replace(ids, (id) => names.get(id) ?? id)
}

function differencesOf(peer: number, theirs: Flat, ours: Flat, numbering: Numbering): Difference[] {
  // Versions before the claims that cover them.
  const paths = [...new Set([...theirs.keys(), ...ours.keys()])].toSorted((a, b) => (a < b ? 1 : -1))
  return paths
    .map((path) => ({ peer, path, theirs: theirs.get(path) ?? '', ours: ours.get(path) ?? '' }))
    .filter((difference) => !isSame(difference, numbering))
}

function isSame({ path, theirs, ours }: Difference, numbering: Numbering): boolean {
  if (path.endsWith('/version')) return numbering.sameVersions(theirs, ours)
  if (path.startsWith('claims/')) return numbering.sameClaims(theirs, ours)
  if (path === 'counter') return numbering.sameCounter(theirs, ours)
  return theirs === ours
}

function describe({ peer, path, theirs, ours }: Difference): string {
  const where = peer === undefined ? '' : `${'abcd'[peer]} `
  return `  ${where}${path}\n    theirs: ${theirs}\n    ours:   ${ours}`
}
