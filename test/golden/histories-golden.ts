import type { KeyPair } from '../../src/core/ports.ts'
import type { JsonValue } from '../../src/core/python-json.ts'
import { golden } from '../core/golden.ts'

/** What was done, and what came of it at the original. */
export interface Step {
  readonly peer: string
  readonly op: string
  readonly args: Readonly<Record<string, JsonValue>>
  readonly result?: string | null
  readonly error?: unknown
  readonly transfers?: readonly { readonly direction: string; readonly records_total: number }[] | null
  /** The peers that took part, after the step. */
  readonly after?: Readonly<Record<string, GoldenDump>>
}

export interface GoldenStoreRow {
  readonly id: string
  readonly profile: string
  readonly model_name: string
  readonly partition: string
  readonly source_id: string
  readonly serialized: string
  readonly conflicting_serialized_data: string
  readonly _self_ref_fk: string
  readonly last_saved_instance: string
  readonly last_saved_counter: number
  readonly deleted: boolean
  readonly hard_deleted: boolean
  readonly dirty_bit: boolean
  readonly deserialization_error: string
  readonly last_transfer_session_id: string | null
}

/** Everything a peer of the original has. */
export interface GoldenDump {
  readonly instance: { readonly id: string; readonly counter: number }
  readonly store: readonly GoldenStoreRow[]
  readonly recordmaxcounter: readonly {
    readonly store_model_id: string
    readonly instance_id: string
    readonly counter: number
  }[]
  readonly databasemaxcounter: readonly {
    readonly partition: string
    readonly instance_id: string
    readonly counter: number
  }[]
  readonly deletedmodels: readonly { readonly id: string }[]
  readonly harddeletedmodels: readonly { readonly id: string }[]
  readonly buffer: number
  readonly app: Readonly<Record<string, readonly Readonly<Record<string, JsonValue>>[]>>
}

export interface Scenario {
  readonly name: string
  readonly description: string
  readonly dataset: string
  readonly steps: readonly Step[]
  readonly final: Readonly<Record<string, GoldenDump>>
}

export interface Recording {
  readonly instances: Readonly<Record<string, string>>
  readonly database_ids: Readonly<Record<string, string>>
  readonly private_key_index: number
  readonly scenarios: readonly Scenario[]
}

export type Backend = 'sqlite' | 'pg'

export const BACKENDS: readonly Backend[] = ['sqlite', 'pg']

/** The histories as the original played them on a backend, with dumps after the steps. */
export const RECORDINGS: Readonly<Record<Backend, Recording>> = {
  sqlite: golden<Recording>('scenarios_steps_sqlite'),
  pg: golden<Recording>('scenarios_steps_pg'),
}

/** The same, ends only. */
export const FINALS: Readonly<Record<Backend, Recording>> = {
  sqlite: golden<Recording>('scenarios_sqlite'),
  pg: golden<Recording>('scenarios_pg'),
}

interface GoldenKeys {
  readonly keys: readonly { readonly private_key_pem: string; readonly public_key_string: string }[]
}

/** The key pair of all peers' root certificate. */
export function rootKeyPair(): KeyPair {
  const key = golden<GoldenKeys>('keys').keys[RECORDINGS.sqlite.private_key_index]
  if (key === undefined) throw new Error('no such key')
  return { privateKeyPem: key.private_key_pem, publicKey: key.public_key_string }
}

/** A text of the recordings. */
export function text(value: unknown): string {
  if (typeof value !== 'string') throw new Error(`not a text: ${JSON.stringify(value)}`)
  return value
}
