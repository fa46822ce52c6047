import { MorangoError } from '../core/errors.ts'
import { MAX_STANDSTILL_MS } from '../core/limits.ts'
import type { Clock } from '../core/ports.ts'
import type { TransferSessionView } from '../protocol/messages.ts'

/** Looks at each answer of a peer that is asked how far it is. */
export type Standstill = (view: TransferSessionView) => void

/**
 * Ends the asking where a peer says the same for longer than any stage takes: it would have its client ask for ever.
 *
 * @returns throws MorangoError `peer-protocol`
 */
export function createStandstill(clock: Clock): Standstill {
  let last: string | undefined
  let since = 0
  return ({ transfer_stage: stage, transfer_stage_status: status, records_total, records_transferred }) => {
    const now = clock.now().getTime()
    const news = [stage, status, records_total, records_transferred].join()
    if (news !== last) {
      last = news
      since = now
    }
    if (now - since <= MAX_STANDSTILL_MS) return
    throw new MorangoError('peer-protocol', `The peer has been ${stage} for a day, and nothing came of it.`, {
      hint: 'Look at the log of the peer, and sync again.',
    })
  }
}
