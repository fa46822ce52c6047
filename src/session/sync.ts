import { isMorangoError } from '../core/errors.ts'
import { filterToString, parseFilter, requireFilterLimits } from '../core/filter.ts'
import type { Peer } from '../protocol/peer.ts'
import { noteAttempt, noteOutcome } from '../storage/attempts.ts'
import { ahead } from './ahead.ts'
import { createBudget } from './budget.ts'
import type { SyncLimits } from './budget.ts'
import type { ClientContext, RunOptions, TransferOptions } from './client-context.ts'
import { createTransfer, finishedReport, hasFailed, isParked, outcomeError } from './transfer-run.ts'
import { runTransfer } from './client-transfer.ts'
import { negotiate, openSession } from './connect.ts'
import type { SyncSession } from './connect.ts'
import { runOwn, takeLeft } from './own-transfer.ts'
import type { Direction } from './plan.ts'
import type { LeaseHold } from './ports.ts'
import type { Parked, SyncReport, TransferReport } from './progress.ts'
import { canGoOn, findUnfinished, giveUp, sessionPermits } from './unfinished.ts'
import type { Unfinished } from './unfinished.ts'

/** What to sync. */
export interface SyncOptions extends RunOptions, SyncLimits {
  /** `both` pulls, then pushes. */
  readonly direction: 'pull' | 'push' | 'both'
  /** Partition prefixes, separated by whitespace. */
  readonly filter: string
  /** The id of the certificate to use here; chosen among those held when missing. */
  readonly certificate?: string | undefined
  /** The id of the peer's certificate; chosen among those it holds when missing. */
  readonly serverCertificate?: string | undefined
}

/**
 * Syncs with a peer: goes on with what an earlier sync left, or opens a session; transfers; closes. How it went is
 * noted, so that a peer that was never reached can be told from one that was never tried.
 *
 * @throws MorangoError
 */
export async function syncWithPeer(
  context: ClientContext,
  peer: Peer,
  options: SyncOptions,
): Promise<SyncReport> {
  const { db, clock, profile } = context
  const key = { url: peer.url, profile }
  const now = (): string => clock.now().toISOString()
  await noteAttempt(db, key, now())
  try {
    const report = await runSync(context, peer, options)
    await noteOutcome(db, key, now())
    return report
  } catch (error) {
    const failure = {
      code: isMorangoError(error) ? error.code : 'stage-failed',
      message: error instanceof Error ? error.message : String(error),
    }
    // The database itself may be what failed; that error is the one to hear of.
    await noteOutcome(db, key, now(), failure).catch(() => {})
    throw error
  }
}

async function runSync(context: ClientContext, peer: Peer, options: SyncOptions): Promise<SyncReport> {
  const { signal, onProgress } = options
  const { sent, received, roundTrips } = peer.traffic
  const filter = parseFilter(options.filter)
  requireFilterLimits(filter)
  const { maxBytes, maxSeconds } = options
  const limited = maxBytes !== undefined || maxSeconds !== undefined
  const budget = limited ? createBudget(options, { clock: context.clock, traffic: peer.traffic }) : undefined
  const run: Omit<TransferOptions, 'resumed'> = { ...options, budget }
  const directions: readonly Direction[] =
    options.direction === 'both' ? ['pull', 'push'] : [options.direction]
  const negotiated = ahead(negotiate(context, peer, { signal }))
  const sessions = new Map<string, SyncSession>()
  let fresh: SyncSession | undefined
  let parkedSession: string | undefined
  const transfers: TransferReport[] = []
  let parked: Parked | undefined
  const askingAgain = new Set<Direction>()
  for (const direction of directions) {
    const before = budget?.progressed === true ? budget.reached() : undefined
    if (before !== undefined) {
      parked = { limit: before, direction, recordsTransferred: 0, recordsTotal: undefined }
      break
    }
    // One after the other: what was pulled is not to be pushed back.
    // oxlint-disable-next-line no-await-in-loop
    let transfer = (await goOn(direction)) ?? (await begin(direction))
    transfers.push(transfer)
    if (askingAgain.delete(direction) && budget?.reached() === undefined) {
      // At most once: sets are compared once a day.
      // oxlint-disable-next-line no-await-in-loop
      transfer = await begin(direction)
      transfers.push(transfer)
    }
    if (!transfer.parked) continue
    const { recordsTransferred, recordsTotal } = transfer
    parked = { limit: budget?.reached() ?? 'seconds', direction, recordsTransferred, recordsTotal }
    break
  }
  for (const session of sessions.values()) {
    // The next sync goes on in it.
    if (session.record.id === parkedSession) continue
    // oxlint-disable-next-line no-await-in-loop
    await session.close({ signal })
    onProgress?.({ kind: 'session', state: 'closed', sessionId: session.record.id })
  }
  return {
    parked,
    pulled: sum(transfers, ({ direction, recordsTransferred: n }) => (direction === 'pull' ? n : 0)),
    pushed: sum(transfers, ({ direction, recordsTransferred: n }) => (direction === 'push' ? n : 0)),
    conflicts: sum(transfers, ({ dequeue }) => dequeue.conflicts),
    problems: await context.engine.problemCounts(context.profile),
    bytes: { sent: peer.traffic.sent - sent, received: peer.traffic.received - received },
    roundTrips: peer.traffic.roundTrips - roundTrips,
    transfers,
  }

  /** Finishes what an earlier sync left; undefined when there is nothing, or nothing that can go on. */
  async function goOn(direction: Direction): Promise<TransferReport | undefined> {
    const query = { push: direction === 'push', filter, clientCertificateId: options.certificate }
    for (const unfinished of await findUnfinished(context, peer, query)) {
      const { transfer: found, session } = unfinished
      if (context.running.has(found.id)) continue
      // oxlint-disable-next-line no-await-in-loop
      const report = await runOwn(context, found.id, async (lease) => {
        const transfer = await takeLeft(context, found, lease, options)
        return transfer === undefined ? undefined : await resume({ transfer, session }, direction, lease)
      })
      if (report !== undefined) return report
    }
    return undefined
  }

  async function resume(
    unfinished: Unfinished,
    direction: Direction,
    lease: LeaseHold,
  ): Promise<TransferReport | undefined> {
    const { transfer, session } = unfinished
    let reason = 'The peer cannot go on with it'
    if (await canGoOn(context, unfinished, await negotiated, { signal })) {
      onProgress?.({ kind: 'session', state: 'resumed', sessionId: session.record.id })
      const outcome = await runTransfer(context, session, transfer, lease, { ...run, resumed: true })
      if (!hasFailed(outcome)) {
        if (outcome.asksAgain) askingAgain.add(direction)
        const report = finishedReport(outcome)
        sessions.set(session.record.id, session)
        if (report.parked) parkedSession = session.record.id
        // For the other direction it will do as well, if it may.
        if (await sessionPermits(context, session, { push: true, filter })) fresh ??= session
        return report
      }
      reason = outcomeError(outcome).message
    }
    await giveUp(context, unfinished, lease, { signal })
    onProgress?.({ kind: 'restarted', direction, reason })
    return undefined
  }

  async function begin(direction: Direction): Promise<TransferReport> {
    const session = (fresh ??= await open())
    const push = direction === 'push'
    return await runOwn(context, context.random.uuid(), async (lease) => {
      const transfer = await createTransfer(context, session, lease, { push, filter: filterToString(filter) })
      const outcome = await runTransfer(context, session, transfer, lease, { ...run, resumed: false })
      const { phase } = outcome.state
      // What failed here is kept, to go on with once the cause is mended.
      const lostThere = phase.kind === 'gone' || (phase.kind === 'errored' && phase.side === 'peer')
      if (lostThere) await giveUp(context, { transfer, session }, lease, { signal })
      if (isParked(outcome)) parkedSession = session.record.id
      if (outcome.asksAgain) askingAgain.add(direction)
      return finishedReport(outcome)
    })
  }

  async function open(): Promise<SyncSession> {
    const wishes = {
      clientCertificateId: options.certificate,
      serverCertificateId: options.serverCertificate,
      transfers: directions.map((direction) => ({ push: direction === 'push', filter })),
    }
    const session = await openSession(context, peer, wishes, negotiated, { signal })
    sessions.set(session.record.id, session)
    onProgress?.({ kind: 'session', state: 'opened', sessionId: session.record.id })
    return session
  }
}

function sum(transfers: readonly TransferReport[], value: (transfer: TransferReport) => number): number {
  return transfers.reduce((total, transfer) => total + value(transfer), 0)
}
