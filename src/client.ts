export { createHttpPeer } from './transport/http/client.ts'
export type { HttpPeerOptions } from './transport/http/client.ts'
export type { Peer } from './protocol/peer.ts'
