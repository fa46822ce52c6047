import type { Clock } from '../core/ports.ts'
import type { Stage } from '../core/stages.ts'
import type { Peer } from '../protocol/peer.ts'
import type { Direction } from './plan.ts'
import type { SyncProgress } from './progress.ts'

/** Measures and tells the stages of one transfer. */
export interface StageWatch {
  enter(stage: Stage): void
  /** The total stays what it was when it is not given. */
  progress(done: number, total?: number): void
  retry(attempt: number, delayMs: number, reason: string): void
  /** After the last stage. */
  leave(): void
  /** Milliseconds by stage so far. */
  durations(): Partial<Record<Stage, number>>
}

/** A watch over a transfer, telling what happens to `onProgress`. */
export function createStageWatch(options: {
  readonly clock: Clock
  readonly direction: Direction
  readonly peer: Peer
  readonly onProgress: ((progress: SyncProgress) => void) | undefined
}): StageWatch {
  const { clock, direction, peer, onProgress } = options
  const durations: Partial<Record<Stage, number>> = {}
  const before = bytesOf(peer)
  let stage: Stage | undefined
  let since = 0
  let done = 0
  let total: number | undefined

  return {
    enter(next) {
      leave()
      stage = next
      since = clock.now().getTime()
      done = 0
      total = undefined
      tell('stage-started')
    },
    progress(count, of) {
      done = count
      total = of ?? total
      tell('stage-progress')
    },
    retry(attempt, delayMs, reason) {
      if (stage !== undefined) onProgress?.({ kind: 'retry', direction, stage, attempt, delayMs, reason })
    },
    leave,
    durations: () => ({ ...durations }),
  }

  function leave(): void {
    if (stage === undefined) return
    durations[stage] = (durations[stage] ?? 0) + clock.now().getTime() - since
    tell('stage-completed')
    stage = undefined
  }

  function tell(kind: 'stage-started' | 'stage-progress' | 'stage-completed'): void {
    if (stage === undefined) return
    onProgress?.({ kind, direction, stage, done, total, bytes: bytesOf(peer) - before })
  }
}

function bytesOf({ traffic }: Peer): number {
  return traffic.sent + traffic.received
}
