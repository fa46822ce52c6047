import { MorangoError, isMorangoError } from '../core/errors.ts'
import { isFilterSubset, parseFilter } from '../core/filter.ts'
import { claimsUnder } from '../core/fsic-claims.ts'
import type { Stage } from '../core/stages.ts'
import { isBefore } from '../core/stages.ts'
import type { TransferSessionView } from '../protocol/messages.ts'
import { finishTransfer, getTransfer, moveTransfer, updateTransfer } from '../storage/transfer-sessions.ts'
import type { TransferChanges, TransferRecord } from '../storage/transfer-sessions.ts'
import type { Budget } from './budget.ts'
import { knownFsic, mannerOf } from './capability-use.ts'
import { createChunkSizes } from './chunk-size.ts'
import type { ClientContext, TransferOptions } from './client-context.ts'
import { compareSets } from './compare-sets.ts'
import type { SyncSession } from './connect.ts'
import { beginMachine } from './machine.ts'
import type { Effect, MachineEvent, MachineState } from './machine-types.ts'
import { failureEvent } from './peer-outcome.ts'
import type { DequeueResult, DeserializeResult, LeaseHold } from './ports.ts'
import { NOTHING_DEQUEUED, NOTHING_DESERIALIZED } from './progress.ts'
import type { TransferReport } from './progress.ts'
import { runMachine } from './runner.ts'
import type { EndedState } from './runner.ts'
import { describeFailure } from './server-effects.ts'
import { createStandstill } from './standstill.ts'
import { createStageWatch } from './stage-watch.ts'
import { doEngineWork } from './stage-work.ts'
import { erroredThere, receiveRecords, sendRecords } from './transferring.ts'

const DEFAULT_CHUNK_SIZE = 500

/** How a client's run over a transfer ended. */
export interface TransferOutcome {
  readonly state: EndedState
  readonly report: TransferReport
  /** The last thing that went wrong. */
  readonly error: unknown
  /** Whether the receiver has found out that it lacks something: the same transfer once more brings it. */
  readonly asksAgain: boolean
}

/** Runs a client's transfer, which is the lease's, from where it is to its end, or as far as it gets. */
export async function runTransfer(
  context: ClientContext,
  session: SyncSession,
  begun: TransferRecord,
  lease: LeaseHold,
  options: TransferOptions,
): Promise<TransferOutcome> {
  const { db, engine, clock, sleep, chunkSize } = context
  const { peer } = session
  const { signal, resumed, maxChunk, budget, confirmDeletions } = options
  const { profile } = session.record
  const manner = mannerOf(session.record.capabilities)
  const { id, push } = begun
  const direction = push ? 'push' : 'pull'
  const watch = createStageWatch({ clock, direction, peer, onProgress: options.onProgress })

  let position = begun
  let transferred = begun.recordsTransferred
  let transferredAtLoss = transferred
  const requireNews = createStandstill(clock)
  let sendAgain = resumed && !isBefore(begun.stage, 'transferring')
  /** The own FSIC as the peer knows it, if that is certain. */
  let toldFsic: string | undefined
  let failure: unknown
  let dequeue: DequeueResult = NOTHING_DEQUEUED
  let deserialize: DeserializeResult = NOTHING_DESERIALIZED
  let asksAgain = false

  const start = beginMachine({
    mode: manner.mode,
    role: 'client',
    direction,
    stage: begun.stage,
    status: begun.status,
    target: 'cleanup',
    empty: begun.recordsTotal === 0,
  })
  const state = await runMachine(start, perform)
  const last = (await getTransfer(db, id)) ?? position
  const report: TransferReport = {
    id,
    direction,
    recordsTotal: last.recordsTotal ?? 0,
    recordsTransferred: last.recordsTransferred,
    dequeue,
    deserialize,
    resumed,
    parked: state.phase.kind === 'parked' && state.phase.reason === 'limit',
    stages: watch.durations(),
  }
  return { state, report, error: failure, asksAgain }

  async function perform(effect: Effect, state: MachineState): Promise<MachineEvent | undefined> {
    // What is over is noted and cleared whatever happens.
    const closing = effect.kind === 'finish' || (effect.kind === 'move' && effect.status === 'errored')
    if (signal?.aborted === true && !closing) return { kind: 'abort' }
    if (budget !== undefined && isLate(budget, effect)) return { kind: 'limit' }
    try {
      return await attempt(effect, state)
    } catch (error) {
      if (signal?.aborted === true || isMorangoError(error, 'aborted')) return { kind: 'abort' }
      failure = error
      const progressed = transferred > transferredAtLoss
      transferredAtLoss = transferred
      // Whether a chunk arrived whose answer did not, only the server knows.
      if (effect.kind === 'work' && effect.work === 'send') sendAgain = true
      return failureEvent(error, progressed)
    }
  }

  async function attempt(effect: Effect, state: MachineState): Promise<MachineEvent | undefined> {
    switch (effect.kind) {
      case 'move':
        return move(effect)
      case 'work':
        return work(effect, state.empty)
      case 'ask':
        return ask(effect)
      case 'poll': {
        const view = await peer.transferSession(id, { signal })
        if (view === undefined) return { kind: 'gone' }
        requireNews(view)
        return adopt(view)
      }
      case 'sleep':
        if (effect.why === 'retry') {
          watch.retry(state.losses, effect.ms, failure === undefined ? '' : describeFailure(failure))
        }
        await sleep(effect.ms, signal)
        return undefined
      case 'finish':
        await engine.clearBuffers(position, lease)
        await finishTransfer(db, id, now())
        watch.leave()
        return undefined
    }
  }

  async function move(effect: Effect & { kind: 'move' }): Promise<MachineEvent | undefined> {
    const { stage, status } = effect
    const error = status === 'errored' && failure !== undefined ? describeFailure(failure) : null
    const moved = await moveTransfer(db, position, { stage, status, error }, now())
    if (moved === undefined) {
      await requireOpen()
      return { kind: 'busy' }
    }
    position = moved
    if (status === 'started') watch.enter(stage)
    return undefined
  }

  async function work(effect: Effect & { kind: 'work' }, empty: boolean): Promise<MachineEvent> {
    const transfer = position
    if (effect.work === 'await-records') throw new Error('A client does not wait for records')
    if (effect.work === 'send' || effect.work === 'receive') {
      const given = maxChunk ?? chunkSize
      const sizes = createChunkSizes(given ?? DEFAULT_CHUNK_SIZE, given === undefined && peer.packs === true)
      const chunks = budget?.within(sizes) ?? sizes
      const shouldPark = budget && ((): boolean => budget.reached() !== undefined)
      const context = { engine, peer, profile, signal, chunks, clock, lease, shouldPark, note }
      watch.progress(transfer.recordsTransferred, transfer.recordsTotal ?? undefined)
      const through =
        effect.work === 'receive'
          ? await receiveRecords(context, transfer)
          : await sendRecords(context, transfer, sendAgain)
      return through ? { kind: 'worked', empty } : { kind: 'limit' }
    }
    const result = await doEngineWork(
      {
        engine,
        profile,
        format: manner.format,
        isServer: false,
        certificates: context,
        lease,
        signal,
        confirmDeletions,
        onProgress: ({ done, total }) => watch.progress(done, total),
      },
      transfer,
      effect.work,
    )
    dequeue = result.dequeued ?? dequeue
    deserialize = result.deserialized ?? deserialize
    position = await updateTransfer(db, id, result.changes, now(), lease)
    if (effect.work === 'dequeue' || effect.work === 'deserialize') budget?.progress()
    const { recordsTotal } = result.changes
    return { kind: 'worked', empty: recordsTotal === undefined ? empty : recordsTotal === 0 }
  }

  async function note(recordsTransferred: number): Promise<void> {
    if (recordsTransferred > transferred) budget?.progress()
    transferred = recordsTransferred
    position = await updateTransfer(db, id, { recordsTransferred }, now(), lease)
    watch.progress(recordsTransferred)
  }

  async function ask(effect: Effect & { kind: 'ask' }): Promise<MachineEvent> {
    const transfer = position
    switch (effect.ask) {
      case 'create':
      case 'begin': {
        const view = await peer.createTransferSession(
          {
            id,
            filter: transfer.filter,
            push,
            sync_session_id: transfer.syncSessionId,
            client_fsic: transfer.clientFsic,
            ...(effect.ask === 'begin' && { transfer_stage: effect.stage }),
          },
          { signal },
        )
        // A session that an earlier run has made has the FSIC of that run.
        toldFsic = view.client_fsic ?? transfer.clientFsic
        return adopt(view)
      }
      case 'announce':
        return adopt(await peer.updateTransferSession(id, queuedOf(transfer, toldFsic), { signal }))
      case 'advance': {
        const patch = { transfer_stage: effect.stage, ...belongings(transfer, effect.stage, toldFsic) }
        if (effect.stage === 'serializing') toldFsic = transfer.clientFsic
        return adopt(await peer.updateTransferSession(id, patch, { signal }))
      }
      case 'close':
        asksAgain = (await compareSets(context, session, transfer, signal)) || asksAgain
        await peer.closeTransferSession(id, { signal })
        return {
          kind: 'answered',
          stage: 'cleanup',
          status: 'completed',
          empty: transfer.recordsTotal === 0,
        }
    }
  }

  /** Takes over what the peer's answer brings. */
  async function adopt(view: TransferSessionView): Promise<MachineEvent> {
    const { transfer_stage: stage, transfer_stage_status: status } = view
    if (view.id !== undefined && view.id !== id) {
      throw new MorangoError('peer-protocol', 'Another transfer of this direction is open in the session', {
        hint: 'Sync again: a new session will be opened.',
      })
    }
    requireSameFilter(position, view)
    if (status === 'errored') failure = erroredThere(id)
    const changes = learned(position, view)
    // What it claims is used later, and never outside the filter that was asked for.
    if (changes.serverFsic !== undefined) {
      claimsUnder(knownFsic(changes.serverFsic, manner.format), manner.format, parseFilter(position.filter))
    }
    if (Object.keys(changes).length > 0) {
      position = await updateTransfer(db, id, changes, now(), lease)
    }
    return { kind: 'answered', stage, status, empty: position.recordsTotal === 0 }
  }

  async function requireOpen(): Promise<void> {
    if ((await getTransfer(db, id))?.active === true) return
    throw new MorangoError('session-inactive', `Transfer ${id} was closed meanwhile`)
  }

  function now(): string {
    return clock.now().toISOString()
  }
}

/** Whether the time is up before something that may take long, and that another run can do as well. */
function isLate(budget: Budget, effect: Effect): boolean {
  if (!budget.late()) return false
  // The peer goes on by itself.
  if (effect.kind === 'poll' || (effect.kind === 'sleep' && effect.why === 'poll')) return true
  return effect.kind === 'work' && budget.progressed
}

function belongings(
  transfer: TransferRecord,
  stage: Stage,
  toldFsic: string | undefined,
): { client_fsic?: string; records_total?: number } {
  if (stage === 'serializing') return { client_fsic: transfer.clientFsic }
  return stage === 'queuing' && transfer.push ? queuedOf(transfer, toldFsic) : {}
}

/** What was queued, and by which FSIC when that is not the one told before. */
function queuedOf(
  { recordsTotal, clientFsic }: TransferRecord,
  toldFsic: string | undefined,
): { records_total: number; client_fsic?: string } {
  return { records_total: recordsTotal ?? 0, ...(clientFsic !== toldFsic && { client_fsic: clientFsic }) }
}

/** What a server claims is about its own filter: another than ours would make it true of other records. */
function requireSameFilter(transfer: TransferRecord, { filter }: TransferSessionView): void {
  if (filter === undefined) return
  const [asked, answered] = [parseFilter(transfer.filter), parseFilter(filter)]
  if (isFilterSubset(answered, asked) && isFilterSubset(asked, answered)) return
  throw new MorangoError('peer-protocol', 'The peer answered with another filter than it was asked for', {
    hint: 'Ask its operator which filter it syncs, and sync with that one.',
    details: { asked, answered },
  })
}

function learned(transfer: TransferRecord, view: TransferSessionView): TransferChanges {
  const done = (stage: Stage): boolean =>
    isBefore(stage, view.transfer_stage) ||
    (view.transfer_stage === stage && view.transfer_stage_status === 'completed')
  const { server_fsic: serverFsic, records_total: recordsTotal } = view
  const newFsic = done('serializing') && serverFsic !== undefined && serverFsic !== transfer.serverFsic
  const newTotal = !transfer.push && done('queuing') && recordsTotal !== transfer.recordsTotal
  if (newTotal && typeof recordsTotal !== 'number') {
    throw new MorangoError('peer-protocol', 'The peer did not tell how many records it has queued')
  }
  return {
    ...(newFsic && { serverFsic }),
    ...(newTotal && typeof recordsTotal === 'number' && { recordsTotal }),
  }
}
