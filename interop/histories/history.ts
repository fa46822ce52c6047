import type { Change, ChangeStep, CreateStep, SyncStep } from '../../test/property/steps.ts'
import { MODELS, type ModelName } from '../profile.ts'

export type Owner = 'u1' | 'u2'
export const OWNERS: readonly Owner[] = ['u1', 'u2']

/** What one peer may have: everything, or what is shared (to read) and one owner's. */
export type Holder = 'all' | 'u1'

export type Filter = 'all' | 'shared' | 'u1' | 'u2' | 'u1 and shared'
export const FILTERS: readonly Filter[] = ['all', 'shared', 'u1', 'u2', 'u1 and shared']

/** One thing that happens. A record is chosen by a number among what there is, or named by its key. */
export type Step =
  | CreateStep<ModelName, Owner>
  | ChangeStep<number | string>
  | SyncStep<Filter>
  | { readonly do: 'serialize'; readonly peer: number }

/** What happens between peers, of which some are replaced by ours the second time. */
export interface History {
  readonly holders: readonly Holder[]
  /** By peer: whether ours takes its place. */
  readonly ours: readonly boolean[]
  readonly steps: readonly Step[]
}

/** The same record for everyone, whoever creates it. */
export interface RecordKey {
  readonly model: ModelName
  readonly owner: Owner
  readonly slot: number
}

/** So many records of a model there can be; of persons one for each owner. */
export const SLOTS = 4

export function keyOf(model: ModelName, owner: Owner, ref: number): string {
  if (model === 'person') return `person ${owner}`
  return model === 'visit' ? `visit ${owner} ${ref % SLOTS}` : `${model} ${ref % SLOTS}`
}

/** @throws Error when it is no key */
export function parseKey(key: string): RecordKey {
  const [name, ...rest] = key.split(' ')
  const model = MODELS.find((candidate) => candidate === name)
  const slot = rest.at(-1)
  if (model === undefined || slot === undefined) throw new Error(`no key of a record: ${key}`)
  return { model, owner: rest[0] === 'u2' ? 'u2' : 'u1', slot: model === 'person' ? 0 : Number(slot) }
}

/** What can be done with a record. */
export type Operation = 'create' | Change
export const OPERATIONS: readonly Operation[] = [
  'create',
  'edit',
  'move',
  'delete',
  'delete-hard',
  'recreate',
]
