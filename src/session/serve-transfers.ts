import { MorangoError, isMorangoError } from '../core/errors.ts'
import { filterToString, parseFilter, requireFilterLimits } from '../core/filter.ts'
import { claimsUnder } from '../core/fsic-claims.ts'
import { isBefore } from '../core/stages.ts'
import type { Stage } from '../core/stages.ts'
import type {
  TransferSessionPatch,
  TransferSessionRequest,
  TransferSessionView,
} from '../protocol/messages.ts'
import type { Caller } from '../protocol/peer.ts'
import { getCertificates } from '../storage/certificates.ts'
import { seizeTransfer } from '../storage/leases.ts'
import { countTransfers } from '../storage/quota-usage.ts'
import { getSyncSession, touchSyncSession } from '../storage/sync-sessions.ts'
import type { SyncSessionRecord } from '../storage/sync-sessions.ts'
import {
  activeTransfers,
  finishTransfer,
  getTransfer,
  insertTransfer,
  moveTransfer,
  patchTransfer,
} from '../storage/transfer-sessions.ts'
import type { TransferChanges, TransferRecord } from '../storage/transfer-sessions.ts'
import { betweenTurns } from '../storage/turns.ts'
import { answerError, fieldError } from './answers.ts'
import { knownFsic } from './capability-use.ts'
import { underLease } from './lease-keeper.ts'
import { limitsOf, tooMany } from './quotas.ts'
import type { ServiceLimits } from './quotas.ts'
import { mannerWith, timestamp } from './service-context.ts'
import type { ServiceOptions } from './service-context.ts'
import { ownerOf } from './service-room.ts'
import type { ServiceRoom } from './service-room.ts'
import type { StageGoal, StageRunner } from './stage-runner.ts'
import { answerSums } from './serve-sums.ts'
import { requireUsable } from './refused-certificates.ts'
import { requireScope } from './transfer-scope.ts'
import { transferSessionView } from './views.ts'

const DEFAULT_STAGE_WAIT_MS = 1000
/** Of an FSIC in characters. */
const LONG_FSIC = 64 * 1024
const NO_SUCH_SESSION = 'Requested syncsession does not exist or is no longer active!'
const NOT_INITIALIZED = 'Failed to initialize session'

/** A transfer that may go on, with the session it belongs to. */
export interface ServedTransfer {
  readonly transfer: TransferRecord
  readonly session: SyncSessionRecord
}

/** The server's side of transfer sessions (protocol §4, §5). */
export interface TransferService {
  readonly create: (request: TransferSessionRequest, caller: Caller) => Promise<TransferSessionView>
  readonly view: (id: string, caller: Caller) => Promise<TransferSessionView | undefined>
  readonly update: (
    id: string,
    patch: TransferSessionPatch,
    caller: Caller,
  ) => Promise<TransferSessionView | undefined>
  readonly close: (id: string, caller: Caller) => Promise<boolean>
  /**
   * The active transfer of that id, both certificates' scopes looked at again; undefined when there is none.
   * Rejects with `scope-not-permitted`.
   */
  readonly find: (id: string) => Promise<ServedTransfer | undefined>
  /** Closes all transfers of a sync session as they are. */
  readonly dropAll: (syncSessionId: string) => Promise<void>
}

/** Transfer sessions on top of a stage runner. */
export function createTransferService(
  options: ServiceOptions,
  runner: StageRunner,
  room: ServiceRoom,
): TransferService {
  const { db, engine, clock, stageWaitMs = DEFAULT_STAGE_WAIT_MS } = options
  const limits = limitsOf(options.limits)

  return { create, view, update, close, find, dropAll }

  async function create(request: TransferSessionRequest, caller: Caller): Promise<TransferSessionView> {
    const session = await getSyncSession(db, request.sync_session_id)
    if (session === undefined || !session.active || !session.isServer) {
      throw answerError('unknown-session', NO_SUCH_SESSION)
    }
    requireFilterLimits(parseFilter(request.filter))
    await permit(session, { push: request.push, filter: request.filter })
    if (request.filter.trim() === '') {
      throw answerError('invalid-filter', 'The filter of a transfer must not be empty')
    }
    const transfer = (await active(session.id, request.push)) ?? (await insert(session, request, caller))
    if (transfer.status === 'errored') throw answerError('transfer-errored', NOT_INITIALIZED)
    const { mode } = mannerWith(options, caller)
    const { transfer_stage: target } = request
    if (mode === 'joined' && target !== undefined && isBefore('initializing', target)) {
      return transferSessionView((await runner.advance(transfer, goal(target, session, caller))) ?? transfer)
    }
    if (mode !== 'bundled') return transferSessionView(transfer)
    const queued = await runner.advance(transfer, goal('queuing', session, caller))
    if (queued === undefined || queued.status === 'errored') {
      throw answerError('transfer-errored', NOT_INITIALIZED)
    }
    return transferSessionView(queued)
  }

  async function active(syncSessionId: string, push: boolean): Promise<TransferRecord | undefined> {
    const [newest] = await activeTransfers(db, syncSessionId, push)
    return newest
  }

  async function insert(
    session: SyncSessionRecord,
    request: TransferSessionRequest,
    caller: Caller,
  ): Promise<TransferRecord> {
    requireTotal(limits, request.push, request.records_total)
    await requireClaims(request.client_fsic, request, caller)
    if ((await countTransfers(db, session.id)) >= limits.transfersPerSession) {
      throw tooMany('This sync session has had too many transfers: open another one.', 60)
    }
    // What waits to be pulled takes room, and how much is not known before it is queued.
    if (!request.push) await room.forRecords(ownerOf(session), session.id, 0, 0)
    const now = timestamp(clock)
    const transfer: TransferRecord = {
      id: request.id,
      syncSessionId: session.id,
      push: request.push,
      active: true,
      filter: filterToString(parseFilter(request.filter)),
      stage: 'initializing',
      status: 'completed',
      error: null,
      recordsTransferred: 0,
      recordsTotal: request.records_total ?? null,
      bytesSent: 0,
      bytesReceived: 0,
      clientFsic: request.client_fsic,
      serverFsic: '{}',
      createdAt: now,
      lastActivityAt: now,
      leaseHolder: null,
    }
    await touchSyncSession(db, session.id, now)
    if (await insertTransfer(db, transfer)) return transfer
    // The same request may have come twice at once.
    const twin = await active(session.id, request.push)
    if (twin?.id === request.id) return twin
    throw fieldError('id', 'A transfer session with this id already exists.')
  }

  async function find(id: string): Promise<ServedTransfer | undefined> {
    const transfer = await getTransfer(db, id)
    if (transfer?.active !== true) return undefined
    const session = await getSyncSession(db, transfer.syncSessionId)
    if (session?.active !== true || !session.isServer) return undefined
    await permit(session, transfer)
    room.noteCall(session.id)
    return { transfer, session }
  }

  async function permit(
    session: SyncSessionRecord,
    { push, filter }: { readonly push: boolean; readonly filter: string },
  ): Promise<void> {
    const { clientCertificateId, serverCertificateId } = session
    const known = await getCertificates(db, [clientCertificateId, serverCertificateId])
    const [client, server] = [known.get(clientCertificateId), known.get(serverCertificateId)]
    if (client === undefined || server === undefined) {
      throw answerError('unknown-certificate', 'Requested certificate does not exist!')
    }
    await requireUsable(options, client, server)
    requireScope(options, { push, filter: parseFilter(filter), client, server })
  }

  async function view(id: string, caller: Caller): Promise<TransferSessionView | undefined> {
    const found = await find(id)
    if (found === undefined) return undefined
    const { transfer, session } = found
    if (!(await runner.isAbandoned(transfer))) return transferSessionView(transfer)
    // Its runner died. A client of the original only looks from now on, so this takes the stage up again.
    const revived = await runner.advance(transfer, { ...goal(transfer.stage, session, caller), waitMs: 0 })
    return transferSessionView(revived ?? transfer)
  }

  async function update(
    id: string,
    patch: TransferSessionPatch,
    caller: Caller,
  ): Promise<TransferSessionView | undefined> {
    const found = await find(id)
    if (found === undefined) return undefined
    const { transfer, session } = found
    if (patch.transfer_stage === 'cleanup') {
      await close(id, caller)
      return undefined
    }
    const patched = transfer.status === 'errored' ? transfer : await apply(transfer, patch, caller)
    if (patched === undefined) return undefined
    const target = patch.transfer_stage
    const after =
      target === undefined || target === 'initializing'
        ? patched
        : await runner.advance(patched, goal(target, session, caller))
    if (after?.active !== true) return undefined
    const view = transferSessionView(after)
    if (patch.sums !== undefined) {
      return { ...view, sums: await answerSums(options, session, after, patch.sums) }
    }
    return patch.preview === true ? { ...view, preview: await preview(after, session, caller) } : view
  }

  /** What a pull would get; undefined while its producer's FSIC is not made, and of a push. */
  async function preview(
    transfer: TransferRecord,
    { profile }: SyncSessionRecord,
    caller: Caller,
  ): Promise<TransferSessionView['preview']> {
    if (transfer.push || !isSerialized(transfer)) return undefined
    const { format } = mannerWith(options, caller)
    const filter = parseFilter(transfer.filter)
    const peerFsic = knownFsic(transfer.clientFsic, format)
    const { models, ids } = await engine.preview({ profile, filter, peerFsic, format })
    return { models, ids }
  }

  async function apply(
    transfer: TransferRecord,
    patch: TransferSessionPatch,
    caller: Caller,
  ): Promise<TransferRecord | undefined> {
    requireTotal(limits, transfer.push, patch.records_total)
    const changes = changesOf(transfer, patch)
    if (Object.keys(changes).length === 0) return transfer
    if (changes.clientFsic !== undefined) await requireClaims(changes.clientFsic, transfer, caller)
    return await patchTransfer(db, transfer.id, changes, timestamp(clock))
  }

  /**
   * Refuses what a client may not claim before it is kept. Whoever uses it looks again: a later request may be of
   * another format. What leaves the filter of a pull fails where it does in the original, when the pull is queued.
   *
   * @throws MorangoError `fsic-malformed`, `fsic-outside-filter`, `fsic-too-large`
   */
  async function requireClaims(
    fsic: string,
    { push, filter }: { readonly push: boolean; readonly filter: string },
    caller: Caller,
  ): Promise<void> {
    const { format } = mannerWith(options, caller)
    // Many claims take a tenth of a second, and are read once more by what comes next: others have a turn around it.
    const rest = async (): Promise<void> => {
      if (fsic.length > LONG_FSIC) await betweenTurns(undefined)
    }
    await rest()
    try {
      claimsUnder(knownFsic(fsic, format), format, parseFilter(filter))
    } catch (error) {
      if (!push && isMorangoError(error, 'fsic-outside-filter')) return
      throw error
    }
    await rest()
  }

  async function close(id: string, caller: Caller): Promise<boolean> {
    const found = await find(id)
    if (found === undefined) return false
    const { transfer, session } = found
    if (holdsUnmergedRecords(transfer)) {
      const merged = await runner.advance(transfer, {
        ...goal('deserializing', session, caller),
        waitMs: undefined,
      })
      if (merged?.status === 'errored') throw stageFailure(merged)
    } else if (isShort(transfer) && mannerWith(options, caller).mode === 'bundled') {
      const error = 'The transfer was closed before all its records had come'
      await moveTransfer(db, transfer, { stage: 'transferring', status: 'errored', error }, timestamp(clock))
      throw stageFailure(transfer)
    }
    await drop(transfer)
    return true
  }

  async function dropAll(syncSessionId: string): Promise<void> {
    for (const transfer of await activeTransfers(db, syncSessionId)) {
      // oxlint-disable-next-line no-await-in-loop
      await drop(transfer)
    }
  }

  /** Whoever runs a stage of it, in whatever process, can commit nothing more. */
  async function drop(transfer: TransferRecord): Promise<void> {
    const { id } = transfer
    await underLease(options, id, async (lease) => {
      if (!(await seizeTransfer(db, lease))) return
      await engine.clearBuffers(transfer)
      await finishTransfer(db, id, timestamp(clock))
    })
  }

  function goal(target: Stage, session: SyncSessionRecord, caller: Caller): StageGoal {
    const { mode, format } = mannerWith(options, caller)
    return {
      target,
      profile: session.profile,
      format,
      owner: ownerOf(session),
      waitMs: mode === 'bundled' ? undefined : stageWaitMs,
    }
  }
}

/** The Buffer of a push has to end somewhere. */
function requireTotal({ recordsPerPush }: ServiceLimits, push: boolean, total: number | undefined): void {
  if (!push || total === undefined || total <= recordsPerPush) return
  throw fieldError('records_total', `Ensure this value is less than or equal to ${recordsPerPush}.`)
}

function changesOf(transfer: TransferRecord, patch: TransferSessionPatch): TransferChanges {
  const { push, stage, status } = transfer
  const transferred = isBefore('transferring', stage) || (stage === 'transferring' && status === 'completed')
  const queued = isBefore('queuing', stage) || (stage === 'queuing' && status === 'completed')
  // Of a push the client tells the total and we count; of a pull it is the other way round.
  const recordsTotal = (push ? !transferred : !queued) ? patch.records_total : undefined
  const recordsTransferred = !push && !transferred ? patch.records_transferred : undefined
  const { recordsTotal: known } = transfer
  if (recordsTransferred !== undefined && queued && known !== null && recordsTransferred > known) {
    throw fieldError('records_transferred', `Ensure this value is less than or equal to ${known}.`)
  }
  if (push && recordsTotal !== undefined && recordsTotal < transfer.recordsTransferred) {
    const least = transfer.recordsTransferred
    throw fieldError('records_total', `Ensure this value is greater than or equal to ${least}.`)
  }
  const fingerprinted = isSerialized(transfer)
  // A client that pushes may mend its FSIC when it tells what it has queued by it.
  const mended = push && !transferred && patch.records_total !== undefined ? patch.client_fsic : undefined
  const clientFsic = fingerprinted ? mended : fsicOf(patch)
  return {
    ...(recordsTotal !== undefined && { recordsTotal }),
    ...(recordsTransferred !== undefined && { recordsTransferred }),
    ...(patch.bytes_sent !== undefined && { bytesSent: patch.bytes_sent }),
    ...(patch.bytes_received !== undefined && { bytesReceived: patch.bytes_received }),
    ...(clientFsic !== undefined && { clientFsic }),
  }
}

function isSerialized({ stage, status }: TransferRecord): boolean {
  return isBefore('serializing', stage) || (stage === 'serializing' && status === 'completed')
}

function fsicOf({ transfer_stage: target, client_fsic: fsic }: TransferSessionPatch): string | undefined {
  if (target === undefined || isBefore(target, 'serializing')) return undefined
  // As the original: a PATCH to serializing that brings none sets it to nothing.
  return target === 'serializing' ? (fsic ?? '{}') : fsic
}

/** Whether closing a transfer must first merge what has come. */
function holdsUnmergedRecords({ push, status, recordsTotal, recordsTransferred }: TransferRecord): boolean {
  if (!push || status === 'errored' || recordsTotal === null || recordsTotal === 0) return false
  return recordsTransferred === recordsTotal
}

function isShort({ push, status, recordsTotal, recordsTransferred }: TransferRecord): boolean {
  return push && status !== 'errored' && recordsTotal !== recordsTransferred
}

function stageFailure({ id }: TransferRecord): MorangoError {
  return new MorangoError('stage-failed', `Transfer session ${id} could not be completed`, {
    hint: 'The reason is kept with the transfer session at the server.',
  })
}
