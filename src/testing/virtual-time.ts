import type { Clock } from '../core/ports.ts'
import type { Sleep } from '../session/timing.ts'

/** Time that passes only when somebody waits for it. */
export interface VirtualTime {
  /** Goes on by a millisecond with every look, so that no two moments are the same. */
  readonly clock: Clock
  /** Lets that time pass at once; whoever has waited for it goes on. */
  advance(ms: number): void
  /** Waits until somebody lets the time pass. */
  readonly wait: Sleep
}

const START = Date.UTC(2026, 0, 1)

/** A clock and a sleep in which nothing takes real time. */
export function createVirtualTime(): VirtualTime {
  let now = START
  const waiting = new Set<{ readonly at: number; readonly wake: () => void }>()

  return {
    clock: { now: () => new Date(now++) },
    advance(ms) {
      now += ms
      for (const sleeper of [...waiting].toSorted((a, b) => a.at - b.at)) {
        if (sleeper.at <= now) sleeper.wake()
      }
    },
    wait: (ms, signal) =>
      new Promise((resolve) => {
        const wake = (): void => {
          waiting.delete(sleeper)
          resolve()
        }
        const sleeper = { at: now + ms, wake }
        if (signal?.aborted === true) {
          resolve()
          return
        }
        waiting.add(sleeper)
        signal?.addEventListener('abort', wake, { once: true })
      }),
  }
}
