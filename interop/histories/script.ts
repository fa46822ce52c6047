import { filterContains, minimalPrefixes } from '../../src/core/filter.ts'
import { recordId, sha2Uuid } from '../../src/core/ids.ts'
import type { ChangeStep } from '../../test/property/steps.ts'
import type { Dump, Fields, Peer, Wanted } from '../peer.ts'
import type { ModelName } from '../profile.ts'
import { PERSONS } from './cast.ts'
import { type Filter, type Holder, keyOf, type Operation, parseKey, SLOTS, type Step } from './history.ts'
import { canMove } from './themes.ts'

/** A step as it is done, the same at both times. */
export type Action =
  | {
      readonly operation: Operation
      readonly peer: number
      readonly key: string
      readonly id: string
      /** What it was given. */
      readonly fields: Fields
    }
  | { readonly operation: 'serialize'; readonly peer: number }
  | {
      readonly operation: 'sync'
      readonly client: number
      readonly server: number
      readonly transfers: readonly Wanted[]
    }

/** What steps are resolved against. */
export interface Scene {
  readonly dataset: string
  readonly holders: readonly Holder[]
  /** The last dump of each peer of the original. */
  readonly dumps: readonly Dump[]
  /** By peer, the records that it has ever had. */
  readonly known: readonly Set<string>[]
  /** How many actions there were before. */
  readonly serial: number
}

/** What a step comes to, or undefined when nothing can be done. */
export function resolve(step: Step, scene: Scene): Action | undefined {
  switch (step.do) {
    case 'serialize':
      return { operation: 'serialize', peer: step.peer }
    case 'sync': {
      const { client, server, direction } = step
      const transfers = (direction === 'both' ? (['pull', 'push'] as const) : [direction]).flatMap((way) => {
        const push = way === 'push'
        const filter = permitted(scene, step.filter, push ? client : server, push ? server : client)
        return filter === '' ? [] : [{ push, filter }]
      })
      return transfers.length === 0 ? undefined : { operation: 'sync', client, server, transfers }
    }
    case 'create':
      return creation(keyOf(step.model, step.owner, step.ref), step.peer, step.ref, scene)
    default:
      return change(step, scene)
  }
}

function change(step: ChangeStep<number | string>, scene: Scene): Action | undefined {
  const { peer, record, ref = 0 } = step
  const present = [...(scene.known[peer] ?? [])].filter((key) => rowOf(scene, peer, key) !== undefined)
  const absent = [...(scene.known[peer] ?? [])].filter((key) => !present.includes(key))
  const pool =
    step.do === 'recreate' ? absent : step.do === 'move' ? present.filter((key) => canMove(key)) : present
  const key = typeof record === 'number' ? pool[record % Math.max(1, pool.length)] : record
  if (key === undefined || !pool.includes(key)) return undefined
  const { model } = parseKey(key)
  const made = { peer, key, id: idOf(scene.dataset, key) }
  switch (step.do) {
    case 'recreate':
      return creation(key, peer, ref, scene)
    case 'edit':
      return { ...made, operation: 'edit', fields: contentOf(model, scene.serial) }
    case 'move': {
      const column = model === 'region' ? 'parent' : model === 'person' ? 'home' : 'region'
      const now = rowOf(scene, peer, key)?.[`${column}_id`] ?? null
      const targets = targetsOf(key, peer, scene).filter((target) => target !== now)
      const target = targets[ref % Math.max(1, targets.length)]
      if (target === undefined) return undefined
      return { ...made, operation: 'move', fields: { [column]: target } }
    }
    default:
      return { ...made, operation: step.do, fields: {} }
  }
}

function creation(key: string, peer: number, ref: number, scene: Scene): Action | undefined {
  const { dataset } = scene
  if (rowOf(scene, peer, key) !== undefined) return undefined
  const { model, owner, slot } = parseKey(key)
  const targets = targetsOf(key, peer, scene)
  const target = targets[ref % Math.max(1, targets.length)]
  const common = { dataset_id: dataset, ...contentOf(model, scene.serial) }
  const operation = scene.known[peer]?.has(key) === true ? 'recreate' : 'create'
  const made = { operation, peer, key, id: idOf(dataset, key) } as const
  switch (model) {
    case 'region':
      return { ...made, fields: { ...common, code: `r${slot}`, parent: target ?? null } }
    case 'person':
      return { ...made, fields: { ...common, source_id: PERSONS[owner], home: target ?? null } }
    case 'sample':
      return { ...made, fields: { ...common, label: `s${slot}` } }
    case 'visit': {
      const person = PERSONS[owner]
      if (target === undefined || target === null) return undefined
      if (rowOf(scene, peer, `person ${owner}`) === undefined) return undefined
      return { ...made, fields: { ...common, source_id: sha2Uuid(key), person, region: target } }
    }
  }
}

/** What a record may refer to: regions that are there, those before a region (so that there is no circle), nothing. */
function targetsOf(key: string, peer: number, scene: Scene): (string | null)[] {
  const { model, slot } = parseKey(key)
  if (model === 'sample') return []
  const regions = Array.from({ length: model === 'region' ? slot : SLOTS }, (_, before) => `region ${before}`)
    .filter((region) => rowOf(scene, peer, region) !== undefined)
    .map((region) => idOf(scene.dataset, region))
  return model === 'visit' ? regions : [...regions, null]
}

const TEXT: Readonly<Record<ModelName, string>> = {
  region: 'name',
  person: 'name',
  visit: 'note',
  sample: 'text',
}

/** Content that nothing else in the history has. */
function contentOf(model: ModelName, serial: number): Fields {
  const text = { [TEXT[model]]: `of step ${serial} é🎈` }
  if (model !== 'sample') return text
  const second = String(serial % 60).padStart(2, '0')
  return {
    ...text,
    flag: serial % 2 === 0,
    amount: `${serial}.50`,
    happened_at: `2026-01-02T03:04:${second}Z`,
    payload: [serial],
  }
}

/** The id of the record with this key. */
export function idOf(dataset: string, key: string): string {
  const { model, owner, slot } = parseKey(key)
  switch (model) {
    case 'region':
      return recordId(`${dataset}:shared`, `r${slot}`, model)
    case 'person':
      return PERSONS[owner]
    case 'visit':
      return recordId(`${dataset}:user:${PERSONS[owner]}`, sha2Uuid(key), model)
    case 'sample':
      return recordId(`${dataset}:shared:sample`, `s${slot}`, model)
  }
}

function rowOf({ dumps, dataset }: Scene, peer: number, key: string): Fields | undefined {
  const id = idOf(dataset, key)
  return dumps[peer]?.app[parseKey(key).model].find((row) => row['id'] === id)
}

/** The part of a filter that one may send and the other receive; empty for nothing. */
function permitted({ dataset, holders }: Scene, filter: Filter, from: number, to: number): string {
  const shared = `${dataset}:shared`
  const own = `${dataset}:user:${PERSONS.u1}`
  const wanted = {
    all: [dataset],
    shared: [shared],
    u1: [own],
    u2: [`${dataset}:user:${PERSONS.u2}`],
    'u1 and shared': [own, shared],
  }[filter]
  const writes = holders[from] === 'all' ? [dataset] : [own]
  const reads = holders[to] === 'all' ? [dataset] : [shared, own]
  return common(common(wanted, writes), reads).join('\n')
}

function common(a: readonly string[], b: readonly string[]): string[] {
  const within = (inner: readonly string[], outer: readonly string[]): string[] =>
    inner.filter((prefix) => filterContains(outer, prefix))
  return [...minimalPrefixes([...within(a, b), ...within(b, a)])]
}

/** Does it. */
export async function perform(action: Action, peers: readonly Peer[], dataset: string): Promise<unknown> {
  const at = (index: number): Peer => {
    const peer = peers[index]
    if (peer === undefined) throw new Error(`no peer ${index}`)
    return peer
  }
  switch (action.operation) {
    case 'sync': {
      const { client, server, transfers } = action
      const moved = await at(client).sync({ url: at(server).url, dataset, transfers })
      return moved.map(({ push, total, transferred }) => ({ push, total, transferred }))
    }
    case 'serialize':
      return await at(action.peer).serialize({})
    default: {
      const { operation, key, id, fields } = action
      const peer = at(action.peer)
      const { model } = parseKey(key)
      if (operation === 'create' || operation === 'recreate')
        return await peer.create({ model, rows: [fields] })
      if (operation === 'edit' || operation === 'move') return await peer.update({ model, id, fields })
      return await peer.remove({ model, id, hard: operation === 'delete-hard' })
    }
  }
}
