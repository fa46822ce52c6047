import { MorangoError } from '../core/errors.ts'
import { insertTransfer } from '../storage/transfer-sessions.ts'
import type { TransferRecord } from '../storage/transfer-sessions.ts'
import type { ClientContext } from './client-context.ts'
import type { TransferOutcome } from './client-transfer.ts'
import type { SyncSession } from './connect.ts'
import type { LeaseHold } from './ports.ts'
import type { TransferReport } from './progress.ts'

/** Begins a transfer in the database, not yet at the peer. It is the holder's before anyone can see it. */
export async function createTransfer(
  { db, clock }: ClientContext,
  session: SyncSession,
  lease: LeaseHold,
  { push, filter }: { readonly push: boolean; readonly filter: string },
): Promise<TransferRecord> {
  const now = clock.now().toISOString()
  const transfer: TransferRecord = {
    id: lease.transferSessionId,
    syncSessionId: session.record.id,
    push,
    active: true,
    filter,
    stage: 'initializing',
    status: 'pending',
    error: null,
    recordsTransferred: 0,
    recordsTotal: null,
    bytesSent: 0,
    bytesReceived: 0,
    clientFsic: '{}',
    serverFsic: '{}',
    createdAt: now,
    lastActivityAt: now,
    leaseHolder: lease.holder,
  }
  await insertTransfer(db, transfer)
  return transfer
}

/** Whether a transfer is beyond going on, at one side or the other. */
export function hasFailed({ state }: TransferOutcome): boolean {
  return state.phase.kind === 'errored' || state.phase.kind === 'gone'
}

/** Whether a transfer stopped at a limit of the sync. */
export function isParked({ state: { phase } }: TransferOutcome): boolean {
  return phase.kind === 'parked' && phase.reason === 'limit'
}

/**
 * The report of a transfer that came to its end, or to a limit of the sync.
 *
 * @throws MorangoError `aborted`, `network`, `transfer-errored`, `lease-lost`, `stage-failed`, or what went wrong
 */
export function finishedReport(outcome: TransferOutcome): TransferReport {
  if (outcome.state.phase.kind === 'done' || isParked(outcome)) return outcome.report
  throw outcomeError(outcome)
}

/** The error that says why a transfer did not come to its end. */
export function outcomeError({ state, error, report }: TransferOutcome): MorangoError {
  const where = { details: { transferSessionId: report.id, stage: state.stage, direction: state.direction } }
  const { phase } = state
  if (phase.kind === 'interrupted' && phase.reason === 'aborted') {
    return new MorangoError('aborted', 'The sync was stopped', {
      hint: 'Sync again to go on where it stopped.',
      ...where,
    })
  }
  if (phase.kind === 'gone') {
    return new MorangoError('transfer-errored', 'The peer knows the transfer no more', {
      hint: 'Sync again to begin anew.',
      ...where,
    })
  }
  if (phase.kind === 'parked') {
    return new MorangoError('lease-lost', 'Another process is running this transfer', {
      hint: 'Wait for it to end, then sync again.',
      ...where,
    })
  }
  if (error instanceof MorangoError) return error
  return new MorangoError('stage-failed', `The ${state.direction} failed in its stage ${state.stage}`, {
    hint: 'Mend the cause and sync again; what was transferred is kept.',
    cause: error,
    ...where,
  })
}
