import { readFileSync } from 'node:fs'

/** Any object of JSON. */
export type Json = Readonly<Record<string, unknown>>

/** A recorded request and, unless it is kept back, its answer. */
export interface Exchange {
  readonly method: string
  readonly path: string
  readonly query_raw: string
  readonly request_headers: Readonly<Record<string, string>>
  readonly request_body_encoding: 'gzip' | null
  readonly request_body: unknown
  readonly request_body_raw: string | null
  /** Missing where the answer is kept back. */
  readonly status?: number | null
  readonly response_headers?: Readonly<Record<string, string>>
  readonly response_body?: unknown
}

/** An exchange recorded for itself, with the recorder's words on it. */
export interface Case {
  readonly label: string
  readonly exchange: Exchange
}

/** A row of the original's store. */
export interface StoreRow extends Json {
  readonly id: string
  readonly profile: string
  readonly model_name: string
  readonly partition: string
  readonly source_id: string
  readonly serialized: string
  readonly conflicting_serialized_data: string
  readonly _self_ref_fk: string
  readonly deleted: boolean
  readonly hard_deleted: boolean
  readonly dirty_bit: boolean
  readonly last_saved_instance: string
  readonly last_saved_counter: number
  readonly last_transfer_session_id: string | null
}

/** A whole database of the original. */
export interface Dump {
  readonly instance: { readonly id: string; readonly counter: number }
  readonly buffer: number
  readonly store: readonly StoreRow[]
  readonly recordmaxcounter: readonly Json[]
  readonly databasemaxcounter: readonly Json[]
  readonly app: Readonly<Record<string, readonly Json[]>>
}

/** A file of recorded exchanges. */
export interface Transcript {
  readonly server_flags: string
  readonly base_url: string
  readonly dataset: string
  readonly exchanges: readonly Exchange[]
  readonly cases: readonly Case[]
  /** Of `certpush`, whose `dataset` is the one that was pushed. */
  readonly dataset_of_server: string
  readonly initial_server: Dump
  readonly client_before_second_session: Dump
  readonly final_server: Dump
}

/** A key pair of `keys.json`. */
export interface GoldenKey {
  readonly private_key_pem: string
  readonly public_key_string: string
}

/** The fixtures are fixed: that they have this shape is part of what the replays show. */
export function readTranscript(name: string): Transcript {
  const transcript: Transcript = { exchanges: [], cases: [], ...readJson(`transcript_${name}`) }
  return transcript
}

/** The key pairs of `keys.json`. */
export function readKeys(): readonly GoldenKey[] {
  const { keys }: { keys: GoldenKey[] } = readJson('keys')
  return keys
}

/** The certificate `root` of `certificates.json`, as a server sends it. */
export function readRootItem(): Json {
  const { ancestors_of: chains }: { ancestors_of: Record<string, { json: Json[] }> } =
    readJson('certificates')
  const item = chains['root']?.json[0]
  if (item === undefined) throw new Error('certificates.json has no root')
  return item
}

function readJson(name: string): ReturnType<typeof JSON.parse> {
  return JSON.parse(readFileSync(new URL(`../fixtures/golden/${name}.json`, import.meta.url), 'utf8'))
}

export function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
