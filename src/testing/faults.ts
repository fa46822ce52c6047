import type { Stage } from '../core/stages.ts'
import type { PeerCall, PeerMethod, WireReply } from '../protocol/exchange.ts'
import type { Intercept } from '../transport/memory.ts'
import { lostInTransit } from '../transport/memory.ts'

/** A call that goes wrong on its way. `call`: any when missing; `nth` of them counts from 1, the default. */
export interface CallFault {
  /**
   * `lose-request`: the server never gets it. `lose-answer`: the server does it, and the client never learns of
   * it. `repeat`: it arrives twice. The client is told of a loss at once, as of a broken connection.
   */
  readonly kind: 'lose-request' | 'lose-answer' | 'repeat'
  readonly call?: PeerMethod | undefined
  readonly nth?: number | undefined
}

/**
 * A side whose process dies. It gets no chance to tidy up, what it had not committed is lost, and it is started
 * anew on the same database.
 */
export interface KillFault {
  readonly kind: 'kill'
  readonly side: 'client' | 'server'
  /** Only once it is in that stage; when missing, wherever it is. */
  readonly stage?: Stage | undefined
  /** After so many statements more; 0 when missing. */
  readonly statements?: number | undefined
}

/** What goes wrong during one sync. What never comes to pass does no harm. */
export type Fault = CallFault | KillFault

/** The calls' faults as what stands between a client and its server. */
export function interceptWith(faults: readonly Fault[]): Intercept {
  const seen = new Map<Fault, number>()
  const due = (fault: CallFault, call: PeerCall): boolean => {
    if (fault.call !== undefined && fault.call !== call.method) return false
    const count = (seen.get(fault) ?? 0) + 1
    seen.set(fault, count)
    return count === (fault.nth ?? 1)
  }
  return async (call, next): Promise<WireReply> => {
    const kinds = new Set<string>()
    for (const fault of faults) if (fault.kind !== 'kill' && due(fault, call)) kinds.add(fault.kind)
    if (kinds.has('lose-request')) throw lostInTransit()
    const reply = await next()
    if (kinds.has('lose-answer')) throw lostInTransit()
    return kinds.has('repeat') ? await next() : reply
  }
}
