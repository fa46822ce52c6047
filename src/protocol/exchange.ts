import type { BufferPage, BufferRecord, Credentials } from './messages.ts'
import type { Method, Resource } from './paths.ts'
import type { Peer } from './peer.ts'

/** A call in the form in which it travels, whatever carries it. */
export interface WireRequest {
  readonly method: Method
  readonly resource: Resource
  readonly id?: string | undefined
  readonly query?: Readonly<Record<string, string>> | undefined
  /** A JSON value; undefined: no body. */
  readonly body?: unknown
  /** The same, where it is a chunk of records, checked: what carries it may have a better form for them. */
  readonly records?: readonly BufferRecord[] | undefined
  readonly credentials?: Credentials | undefined
}

/** The answer to it. */
export interface WireReply {
  /** As in HTTP. */
  readonly status: number
  /** A JSON value. Undefined when there is no body, or when that of a success is no JSON. */
  readonly body: unknown
  /** The same, where it is a page of records that what carried it has read already. */
  readonly page?: BufferPage | undefined
  /** When to try again, in seconds; with 429 and 503. */
  readonly retryAfter?: number
}

/** The calls of a {@link Peer}. */
export type PeerMethod = Exclude<keyof Peer, 'url' | 'traffic' | 'packs' | 'prepareBuffers'>

/** A call on its way to a peer. */
export interface PeerCall {
  readonly method: PeerMethod
  /** The arguments of that method, without the options. */
  readonly args: readonly unknown[]
  readonly request: WireRequest
  readonly signal: AbortSignal | undefined
}

/**
 * Carries a call to a peer and brings its answer, an error's too.
 *
 * @throws MorangoError `network`, `aborted`, or `peer-protocol` when no answer can be made of what came
 */
export type Exchange = (call: PeerCall) => Promise<WireReply>
