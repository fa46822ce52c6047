import { isBefore } from '../core/stages.ts'
import type { Stage } from '../core/stages.ts'
import { getTransfer, updateTransfer } from '../storage/transfer-sessions.ts'
import type { TransferRecord } from '../storage/transfer-sessions.ts'
import { beginMachine } from './machine.ts'
import type { FsicFormat } from './ports.ts'
import { runMachine } from './runner.ts'
import { performForServer } from './server-effects.ts'
import { timestamp } from './service-context.ts'
import type { ServiceOptions } from './service-context.ts'
import { realSleep, startDeadline } from './timing.ts'

const DEFAULT_LEASE_MS = 15_000
const OTHER_RUNNER_POLL_MS = 500

/** How far to bring a transfer. */
export interface StageGoal {
  readonly target: Stage
  readonly profile: string
  readonly format: FsicFormat
  /** How long to wait for it; undefined: until it is done. */
  readonly waitMs: number | undefined
}

/** Runs stages of transfers at the server, each transfer by one runner at a time. */
export interface StageRunner {
  /**
   * Brings a transfer to a stage, through those before it, or as far as it gets. What takes longer than
   * `waitMs` goes on in the background.
   *
   * @returns the transfer as it then is
   */
  advance(id: string, goal: StageGoal): Promise<TransferRecord | undefined>
  /** Whether the runner of a `started` stage is no more, so that nobody would ever finish it. */
  isAbandoned(transfer: TransferRecord): boolean
  /** Resolves when nothing runs for a transfer in this process. */
  idle(id: string): Promise<void>
}

/** The server's stage runner of one process. */
export function createStageRunner(options: ServiceOptions): StageRunner {
  const { db, clock, sleep = realSleep, leaseMs = DEFAULT_LEASE_MS } = options
  const running = new Map<string, Promise<void>>()
  const startedAt = timestamp(clock)

  return { advance, isAbandoned, idle }

  async function advance(id: string, goal: StageGoal): Promise<TransferRecord | undefined> {
    const deadline = startDeadline(sleep, goal.waitMs)
    try {
      for (;;) {
        const other = running.get(id)
        if (other !== undefined) {
          if (await deadline.waitFor(other.catch(() => {}))) continue
          return await getTransfer(db, id)
        }
        const transfer = await getTransfer(db, id)
        if (transfer === undefined || isSettled(transfer, goal.target)) return transfer
        if (transfer.status === 'started' && !isAbandoned(transfer)) {
          if (deadline.expired) return transfer
          await sleep(OTHER_RUNNER_POLL_MS)
          continue
        }
        if (running.has(id)) continue
        await deadline.waitFor(start(transfer, goal))
        return await getTransfer(db, id)
      }
    } finally {
      deadline.stop()
    }
  }

  function isAbandoned(transfer: TransferRecord): boolean {
    if (transfer.status !== 'started' || running.has(transfer.id)) return false
    const lapsed = new Date(clock.now().getTime() - leaseMs).toISOString()
    return transfer.lastActivityAt <= startedAt || transfer.lastActivityAt <= lapsed
  }

  async function idle(id: string): Promise<void> {
    await running.get(id)?.catch(() => {})
  }

  function start(transfer: TransferRecord, goal: StageGoal): Promise<void> {
    const work = run(transfer, goal).finally(() => running.delete(transfer.id))
    running.set(transfer.id, work)
    // In the background nobody looks; the stage stays started and is taken over when its lease is over.
    work.catch(() => {})
    return work
  }

  async function run(transfer: TransferRecord, goal: StageGoal): Promise<void> {
    const stopper = new AbortController()
    const pulse = showLife(transfer.id, stopper.signal)
    try {
      const begin = beginMachine({
        mode: 'staged',
        role: 'server',
        direction: transfer.push ? 'push' : 'pull',
        stage: transfer.stage,
        status: transfer.status,
        target: goal.target,
        empty: transfer.recordsTotal === 0,
      })
      await runMachine(begin, performForServer(options, transfer, goal))
    } finally {
      stopper.abort()
      await pulse
    }
  }

  async function showLife(id: string, signal: AbortSignal): Promise<void> {
    for (;;) {
      await sleep(leaseMs / 3, signal)
      if (signal.aborted) return
      await updateTransfer(db, id, {}, timestamp(clock)).catch(() => {})
    }
  }
}

function isSettled(transfer: TransferRecord, target: Stage): boolean {
  if (!transfer.active || transfer.status === 'errored') return true
  if (isBefore(target, transfer.stage)) return true
  return transfer.stage === target && transfer.status === 'completed'
}
