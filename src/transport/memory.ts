import { MorangoError } from '../core/errors.ts'
import { unlessAborted } from '../protocol/abort.ts'
import { answerCall } from '../protocol/answer.ts'
import type { PeerCall, WireReply } from '../protocol/exchange.ts'
import { createPeerCalls } from '../protocol/peer-calls.ts'
import type { Peer, Service } from '../protocol/peer.ts'

/**
 * Stands between a memory peer and its service. `next` delivers the call and may be left out (the request is
 * lost) or called twice (it is repeated); throwing after it loses the answer.
 */
export type Intercept = (call: PeerCall, next: () => Promise<WireReply>) => Promise<WireReply>

export interface MemoryPeerOptions {
  /** What this side says it can; nothing if left out. */
  readonly capabilities?: Iterable<string> | undefined
  /** Becomes the peer's `url`. */
  readonly name?: string | undefined
  readonly intercept?: Intercept | undefined
  /** Gets the errors of the service of which a peer learns nothing. */
  readonly onError?: ((error: unknown) => void) | undefined
}

/**
 * A peer in the same process: calls the service directly. Messages pass through JSON, so that both sides see
 * what a network would show them, and share nothing; errors come as `peer-error`, as over HTTP. Nothing is
 * retried.
 */
export function createMemoryPeer(service: Service, options: MemoryPeerOptions = {}): Peer {
  const { name = 'memory:', intercept, onError } = options
  const caller = { ip: '', serverIp: '', capabilities: new Set(options.capabilities) }
  const traffic = { sent: 0, received: 0, roundTrips: 0 }

  async function deliver({ request }: PeerCall): Promise<WireReply> {
    traffic.roundTrips++
    const sent = throughJson(request.body)
    traffic.sent += sent.bytes
    const reply = await answerCall(service, { ...request, body: sent.value, records: undefined }, caller, {
      onError,
    })
    const received = throughJson(reply.body)
    traffic.received += received.bytes
    return { status: reply.status, body: received.value }
  }

  const calls = createPeerCalls(async (call) => {
    const reply = intercept === undefined ? deliver(call) : intercept(call, async () => await deliver(call))
    return await unlessAborted(reply, call.signal)
  })
  return { url: name, traffic, ...calls }
}

function throughJson(value: unknown): { readonly value: unknown; readonly bytes: number } {
  if (value === undefined) return { value: undefined, bytes: 0 }
  const json = JSON.stringify(value)
  return { value: JSON.parse(json), bytes: new TextEncoder().encode(json).length }
}

/** The error of a lost request or answer, for {@link Intercept}. */
export function lostInTransit(): MorangoError {
  return new MorangoError('network', 'The call was lost on its way.')
}
