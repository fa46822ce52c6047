import { MODELS } from '../profile.ts'
import type { Dump, Peer } from '../peer.ts'
import { type Cast, PERSONS } from './cast.ts'
import { type Flat, flatten, type Rename } from './flat.ts'
import { type History, keyOf, OWNERS, SLOTS } from './history.ts'
import { type Difference, explain, type Quirk } from './quirks.ts'
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
  const carried = holders.map(() => new Map<string, string>())
  const quirks = new Set<string>()
  const actions: Action[] = []
  const log = [`${kinds.map((kind, peer) => `${'abcd'[peer]}: ${kind}, ${holders[peer]}`).join('; ')}`]

  for (const step of steps) {
    const scene: Scene = { dataset, holders, dumps, known, serial: actions.length }
    const action = resolve(step, scene)
    if (action === undefined) continue
    actions.push(action)
    log.push(`${actions.length - 1} ${rename(JSON.stringify(action))}`)
    // oxlint-disable-next-line no-await-in-loop
    const [one, other] = await Promise.all(
      [theirs, mixed].map(async (peers) => {
        const outcome = await outcomeOf(perform(action, peers, dataset))
        const seen = await Promise.all(participants(action).map((peer) => peers[peer]?.dump({})))
        return { outcome, seen }
      }),
    )
    if (one === undefined || other === undefined) throw new Error('no outcome')
    const differences: Difference[] = []
    if (one.outcome !== other.outcome) {
      differences.push({ peer: undefined, path: 'outcome', theirs: one.outcome, ours: other.outcome })
    }
    const before = [...flats]
    for (const [at, peer] of participants(action).entries()) {
      const [dump, ourDump] = [one.seen[at], other.seen[at]]
      const carry = carried[peer]
      if (dump === undefined || ourDump === undefined || carry === undefined) throw new Error('no dump')
      dumps[peer] = dump
      flats[peer] = flatten(dump, rename)
      learn(known[peer], dump, dataset)
      for (const difference of differencesOf(peer, flats[peer], flatten(ourDump, rename))) {
        const text = JSON.stringify([difference.theirs, difference.ours])
        if (carry.get(difference.path) !== text) differences.push(difference)
        carry.set(difference.path, text)
      }
    }
    let endedBy: string | undefined
    const unexplained: Difference[] = []
    for (const difference of differences) {
      const quirk: Quirk | undefined = explain({ difference, differences, action, before, after: flats, log })
      if (quirk === undefined) unexplained.push(difference)
      else {
        quirks.add(quirk.name)
        if (quirk.parts) endedBy ??= quirk.name
      }
    }
    if (unexplained.length > 0) {
      throw new HistoryError(
        ['the two histories differ, and no quirk says why:', ...unexplained.map(describe), ...log].join('\n'),
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

function differencesOf(peer: number, theirs: Flat, ours: Flat): Difference[] {
  const paths = [...new Set([...theirs.keys(), ...ours.keys()])]
  return paths
    .filter((path) => theirs.get(path) !== ours.get(path))
    .map((path) => ({ peer, path, theirs: theirs.get(path) ?? '', ours: ours.get(path) ?? '' }))
}

function describe({ peer, path, theirs, ours }: Difference): string {
  const where = peer === undefined ? '' : `${'abcd'[peer]} `
  return `  ${where}${path}\n    theirs: ${theirs}\n    ours:   ${ours}`
}
