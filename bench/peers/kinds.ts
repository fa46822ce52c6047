import { morangoPeer } from './morango.ts'
import type { BenchPeer } from './peer.ts'

/** The kinds of server that can be chosen. */
export type PeerKind = 'morango'

const KINDS: Readonly<Record<PeerKind, BenchPeer>> = { morango: morangoPeer }

/** Whether there is a kind of this name. */
export function isPeerKind(name: string): name is PeerKind {
  return Object.hasOwn(KINDS, name)
}

/** The kind of this name. */
export function peerOf(kind: PeerKind): BenchPeer {
  return KINDS[kind]
}
