/** Resolves after so many milliseconds, or at once when `signal` aborts; never rejects. */
export type Sleep = (ms: number, signal?: AbortSignal) => Promise<void>

/** {@link Sleep} by the platform's timer. */
export const realSleep: Sleep = (ms, signal) =>
  new Promise((resolve) => {
    if (signal?.aborted === true) {
      resolve()
      return
    }
    const done = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal?.addEventListener('abort', done, { once: true })
  })

/** A limit on how long something is waited for. */
export interface Deadline {
  readonly expired: boolean
  /** Whether `work` ended in time. Rejects when `work` does, in time. */
  waitFor(work: Promise<unknown>): Promise<boolean>
  /** Lets go of the timer. */
  stop(): void
}

/** A deadline in so many milliseconds; undefined: none. */
export function startDeadline(sleep: Sleep, ms: number | undefined): Deadline {
  const stopper = new AbortController()
  const state = { expired: false }
  const timeout =
    ms === undefined
      ? new Promise<boolean>(() => {})
      : sleep(ms, stopper.signal).then(() => {
          state.expired = true
          return false
        })
  return {
    get expired() {
      return state.expired
    },
    waitFor: (work) => Promise.race([work.then(() => true), timeout]),
    stop: () => stopper.abort(),
  }
}
