import { MorangoError, isMorangoError } from '../../core/errors.ts'
import { isBefore } from '../../core/stages.ts'
import type { TransferSessionPatch, TransferSessionView } from '../../protocol/messages.ts'
import type { CallOptions, Peer } from '../../protocol/peer.ts'
import { isGatewayStatus } from './retry.ts'

type SessionCalls = Pick<Peer, 'transferSession' | 'updateTransferSession'>

/**
 * A PATCH that survives the loss of its answer, for a stage may take longer than a gateway or the runtime waits.
 * Sending it again at once could run the stage twice at the same time in the original; so, as before every PATCH
 * (protocol §5), the session is read first, and the call is made again only if it had no effect. A stage found
 * running is returned as it is, to be polled.
 */
export async function updateWithRecovery(
  calls: SessionCalls,
  [id, patch, options]: [string, TransferSessionPatch, CallOptions | undefined],
  { retries, pause }: { retries: number; pause: (attempt: number, signal?: AbortSignal) => Promise<void> },
): Promise<TransferSessionView> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await calls.updateTransferSession(id, patch, options)
    } catch (error) {
      if (attempt >= retries || !leavesOpen(error)) throw error
      await pause(attempt, options?.signal)
      const view = await calls.transferSession(id, options)
      if (view === undefined) throw error
      if (hasLanded(patch, view)) return view
    }
  }
}

/** Whether the session shows what the patch asked for. */
function hasLanded(patch: TransferSessionPatch, view: TransferSessionView): boolean {
  const { transfer_stage: stage, records_total: total, records_transferred: transferred } = patch
  // A patch without a stage has only counts, which may be set again at will.
  if (stage === undefined || isBefore(view.transfer_stage, stage)) return false
  return (
    (total === undefined || total === view.records_total) &&
    (transferred === undefined || transferred === view.records_transferred)
  )
}

function leavesOpen(error: unknown): boolean {
  if (isMorangoError(error, 'network')) return error.details.sent !== false
  if (!(error instanceof MorangoError) || error.code !== 'peer-error') return false
  const { status } = error.details
  return typeof status === 'number' && isGatewayStatus(status)
}
