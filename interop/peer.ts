import type { TransferReport } from '../src/index.ts'
import type { ModelName } from './profile.ts'

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** Values of a row in the form that they have in a record's JSON. */
export type Fields = Readonly<Record<string, Json>>

/** One record of the Store. */
export interface StoreRow {
  readonly id: string
  readonly model: string
  readonly partition: string
  readonly source: string
  readonly serialized: string
  readonly conflicting: string
  readonly selfRef: string
  readonly instance: string
  readonly counter: number
  readonly deleted: boolean
  readonly hard: boolean
  readonly dirty: boolean
  /** Its record max counters, by instance. */
  readonly history: Readonly<Record<string, number>>
}

/** Everything that two peers can be compared by. */
export interface Dump {
  readonly instance: string
  /** The instance's. */
  readonly counter: number
  readonly store: readonly StoreRow[]
  /** Database max counters: partition, instance, counter. */
  readonly counters: readonly (readonly [partition: string, instance: string, counter: number])[]
  /** Records whose rows have changed since they were serialized. */
  readonly pending: readonly string[]
  /** Rows left in buffers. */
  readonly buffers: number
  readonly app: Readonly<Record<ModelName, readonly Fields[]>>
}

/** One transfer of a sync, as its client saw it. */
export interface Transferred {
  readonly push: boolean
  readonly total: number
  readonly transferred: number
  /** Milliseconds by stage, where the peer tells. */
  readonly stages?: TransferReport['stages']
}

/** What is said of a certificate. */
export interface CertificateInfo {
  readonly id: string
  readonly parent: string | null
  readonly scope: string
  readonly held: boolean
}

export interface Wanted {
  readonly push: boolean
  readonly filter: string
}

/**
 * What the harness can ask of a peer, whichever language it is written in. The names are those of the commands
 * in `python/peer.py`.
 */
export interface Peer {
  /** `python` or `ours`, for messages. */
  readonly kind: string
  readonly url: string
  /** A row may have a `source_id`, which is otherwise drawn where it does not follow from the columns. */
  create(args: { model: ModelName; rows: readonly Fields[] }): Promise<string[]>
  /** Test data made in place: samples numbered from `from`. */
  fill(args: { dataset: string; from: number; count: number }): Promise<null>
  update(args: { model: ModelName; id: string; fields: Fields }): Promise<null>
  remove(args: { model: ModelName; id: string; hard?: boolean }): Promise<null>
  serialize(args: { filter?: string }): Promise<null>
  deserialize(args: { filter?: string }): Promise<null>
  /** Makes a root certificate and gives its id. */
  root(args: { scope: string }): Promise<string>
  certificates(args: Record<string, never>): Promise<CertificateInfo[]>
  /** Asks another peer for a certificate. */
  request(args: {
    url: string
    dataset: string
    scope: string
    params: Readonly<Record<string, string>>
    username: string
    password: string
  }): Promise<CertificateInfo>
  /** Gives another peer a certificate. */
  push(args: {
    url: string
    parent: string
    scope: string
    params: Readonly<Record<string, string>>
  }): Promise<CertificateInfo>
  /** Syncs as client; `resume` goes on with the session that an earlier process left. */
  sync(args: {
    url: string
    dataset: string
    transfers: readonly Wanted[]
    chunk?: number
    resume?: boolean
    client?: string
    server?: string
  }): Promise<Transferred[]>
  dump(args: Record<string, never>): Promise<Dump>
  count(args: { model: ModelName }): Promise<number>
  /** The most memory that its process has had resident, in MiB. */
  memory(args: Record<string, never>): Promise<number>
  close(): Promise<void>
}

/** The commands, without what is not one. */
export type Command = Exclude<keyof Peer, 'kind' | 'url' | 'close'>

export const COMMANDS: readonly Command[] = [
  'create',
  'fill',
  'update',
  'remove',
  'serialize',
  'deserialize',
  'root',
  'certificates',
  'request',
  'push',
  'sync',
  'dump',
  'count',
  'memory',
]

/** The credentials that every peer takes. The password has a colon in it on purpose. */
export const USERNAME = 'admin'
export const PASSWORD = 'secret: pass'
