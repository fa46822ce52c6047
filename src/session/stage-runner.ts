import { isBefore } from '../core/stages.ts'
import type { Stage } from '../core/stages.ts'
import { currentLease, takeTransfer } from '../storage/leases.ts'
import type { Owner } from '../storage/quota-usage.ts'
import { getTransfer } from '../storage/transfer-sessions.ts'
import type { TransferRecord } from '../storage/transfer-sessions.ts'
import { leaseTerms, underLease } from './lease-keeper.ts'
import { beginMachine } from './machine.ts'
import type { FsicFormat } from './ports.ts'
import { runMachine } from './runner.ts'
import { performForServer } from './server-effects.ts'
import type { ServiceOptions } from './service-context.ts'
import type { StagePlaces } from './stage-places.ts'
import { realSleep, startDeadline } from './timing.ts'

const OTHER_RUNNER_POLL_MS = 500

/** How far to bring a transfer. */
export interface StageGoal {
  readonly target: Stage
  readonly profile: string
  readonly format: FsicFormat
  /** Whose turn it has to be. */
  readonly owner: Owner
  /** How long to wait for it; undefined: until it is done. */
  readonly waitMs: number | undefined
}

/** Runs stages of transfers at the server, each transfer by one run at a time in all processes on the database. */
export interface StageRunner {
  /**
   * Brings a transfer to a stage, through those before it, or as far as it gets. What takes longer than
   * `waitMs` goes on in the background.
   *
   * @param seen - the transfer as it was read a moment ago
   * @returns the transfer as it then is
   */
  advance(seen: TransferRecord, goal: StageGoal): Promise<TransferRecord | undefined>
  /** Whether the runner of a `started` stage is no more, so that nobody would ever finish it. */
  isAbandoned(transfer: TransferRecord): Promise<boolean>
}

/**
 * The server's stage runner of one process. Who may run a stage is decided by the lease in the database; what is
 * known here of own runs only spares looking there again and again.
 */
export function createStageRunner(options: ServiceOptions, places: StagePlaces): StageRunner {
  const { db, sleep = realSleep } = options
  const terms = leaseTerms(options)
  const running = new Map<string, Promise<boolean>>()

  return { advance, isAbandoned }

  async function advance(seen: TransferRecord, goal: StageGoal): Promise<TransferRecord | undefined> {
    const { id } = seen
    const deadline = startDeadline(sleep, goal.waitMs)
    let fresh: TransferRecord | undefined = seen
    try {
      for (;;) {
        const other = running.get(id)
        if (other !== undefined) {
          fresh = undefined
          if (await deadline.waitFor(other.catch(() => {}))) continue
          return await getTransfer(db, id)
        }
        const transfer: TransferRecord | undefined = fresh ?? (await getTransfer(db, id))
        fresh = undefined
        if (transfer === undefined || isSettled(transfer, goal.target)) return transfer
        if ((await currentLease(terms, transfer)) !== undefined) {
          if (await deadline.waitFor(sleep(OTHER_RUNNER_POLL_MS))) continue
          return transfer
        }
        if (running.has(id)) continue
        const work = start(transfer, goal)
        if (!(await deadline.waitFor(work)) || (await work)) return await getTransfer(db, id)
      }
    } finally {
      deadline.stop()
    }
  }

  async function isAbandoned(transfer: TransferRecord): Promise<boolean> {
    return transfer.status === 'started' && (await currentLease(terms, transfer)) === undefined
  }

  function start(transfer: TransferRecord, goal: StageGoal): Promise<boolean> {
    const work = run(transfer, goal).finally(() => running.delete(transfer.id))
    running.set(transfer.id, work)
    // In the background nobody looks; the stage stays started, and is taken over by the next who asks for it.
    work.catch(() => {})
    return work
  }

  /** @returns false when another run has the transfer, so that its end is to be waited for */
  async function run(seen: TransferRecord, goal: StageGoal): Promise<boolean> {
    return await underLease(options, seen.id, async (lease) => {
      const transfer = await takeTransfer(terms, seen, lease.holder)
      if (transfer === undefined) return false
      if (isSettled(transfer, goal.target)) return true
      const begin = beginMachine({
        mode: 'staged',
        role: 'server',
        direction: transfer.push ? 'push' : 'pull',
        stage: transfer.stage,
        status: transfer.status,
        target: goal.target,
        empty: transfer.recordsTotal === 0,
      })
      const { phase } = await runMachine(
        begin,
        performForServer(options, transfer, { ...goal, places }, lease),
      )
      return phase.kind !== 'parked' || phase.reason !== 'other-runner'
    })
  }
}

function isSettled(transfer: TransferRecord, target: Stage): boolean {
  if (!transfer.active || transfer.status === 'errored') return true
  if (isBefore(target, transfer.stage)) return true
  return transfer.stage === target && transfer.status === 'completed'
}
