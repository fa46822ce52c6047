import type { OwnCertificate } from '../../src/core/certificate-create.ts'
import { goldenDump, ourDump } from './histories-dump.ts'
import type { Dump, Rename } from './histories-dump.ts'
import { text } from './histories-golden.ts'
import type { Recording, Scenario, Step } from './histories-golden.ts'
import { createHistoryPeer, playStep } from './histories-peer.ts'
import type { Done, HistoryPeer, Settings } from './histories-peer.ts'

/** Everything that a history led to: at `<step>/<peer>`, `<step>` (its outcome) and `final/<peer>`. */
export interface Played {
  readonly at: ReadonlyMap<string, Dump>
}

/** Plays a history with our peers. */
export async function playHistory(
  recording: Recording,
  scenario: Scenario,
  root: OwnCertificate,
  settings?: Settings,
): Promise<Played> {
  const peers = new Map<string, HistoryPeer>()
  for (const [name, instanceId] of Object.entries(recording.instances)) {
    const databaseId = recording.database_ids[name] ?? ''
    const identity = { name, instanceId, databaseId }
    peers.set(name, await createHistoryPeer(scenario.dataset, root, identity, settings))
  }
  const rename = renamer(recording, scenario)
  const labels = new Map<string, string>()
  const at = new Map<string, Dump>()
  for (const [index, step] of scenario.steps.entries()) {
    const done = await playStep(peers, step, index)
    for (const [id, label] of done.transferLabels ?? []) labels.set(id, label)
    at.set(String(index), outcomeOf(done, rename))
    for (const name of Object.keys(step.after ?? {})) {
      const peer = peers.get(name)
      if (peer !== undefined) at.set(`${index}/${name}`, await ourDump(peer.database, labels, rename))
    }
  }
  for (const [name, { database, morango, destroy }] of peers) {
    at.set(`final/${name}`, await ourDump(database, labels, rename))
    await morango.close()
    await destroy()
  }
  return { at }
}

/** The same as the original recorded it. */
export function recordedHistory(recording: Recording, scenario: Scenario): Played {
  const rename = renamer(recording, scenario)
  const at = new Map<string, Dump>()
  for (const [index, step] of scenario.steps.entries()) {
    at.set(String(index), recordedOutcome(step, rename))
    for (const [name, dump] of Object.entries(step.after ?? {})) {
      at.set(`${index}/${name}`, goldenDump(dump, rename))
    }
  }
  for (const [name, dump] of Object.entries(scenario.final)) at.set(`final/${name}`, goldenDump(dump, rename))
  return { at }
}

function outcomeOf({ created, outcome }: Done, rename: Rename): Dump {
  if (created !== undefined) return new Map([['created', rename(created)]])
  return new Map([['outcome', outcome ?? 'done']])
}

function recordedOutcome({ op, result, error, transfers }: Step, rename: Rename): Dump {
  if (op === 'create') return new Map([['created', rename(result ?? '')]])
  if (error !== undefined && error !== null) return new Map([['outcome', 'failed']])
  const done = transfers?.map(({ direction, records_total: total }) => `${direction} ${total}`)
  return new Map([['outcome', done?.join(', ') ?? 'done']])
}

/** Names for ids: of instances the peer's letter, of the dataset `D`, of records what tells them apart. */
function renamer({ instances }: Recording, { dataset, steps }: Scenario): Rename {
  const names = new Map([[dataset, 'D']])
  for (const [name, id] of Object.entries(instances)) names.set(id, name)
  const taken = new Set<string>()
  for (const { op, args, result } of steps) {
    if (op !== 'create' || typeof result !== 'string' || names.has(result)) continue
    const own = args['name'] ?? args['username'] ?? text(args['content_id']).replace(/^0+/, 'log')
    let name = text(own)
    while (taken.has(name)) name += '2'
    taken.add(name)
    names.set(result, `<${name}>`)
  }
  const ids = new RegExp([...names.keys()].join('|'), 'g')
  return (text) => text.replace(ids, (id) => names.get(id) ?? id)
}
