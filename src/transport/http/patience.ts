/** How long a request may take. All in ms; undefined: as long as it does. */
export interface PatienceLimits {
  /** Nothing may come for so long: no answer, or no next piece of it. */
  readonly idleMs: number | undefined
  /**
   * All of it may take so long, and what it must at the slowest link for its bytes: see {@link SLOWEST_LINK}. A call
   * that waits for the work of a stage has this from the beginning of its answer only.
   */
  readonly totalMs: number | undefined
  readonly waitsForWork: boolean
}

/** The slowest link, in bytes a second. Who drips more slowly is not waited for. */
export const SLOWEST_LINK = 1000

/** Watches one request. */
export interface Patience {
  /** Bytes have crossed, or the answer begins. */
  progress(bytes: number): void
  /** The answer begins. */
  answered(): void
  stop(): void
}

/** Watches a request from now on, and says once when it has taken too long. */
export function startPatience(
  { idleMs, totalMs, waitsForWork }: PatienceLimits,
  onOver: () => void,
): Patience {
  let lastProgress = performance.now()
  let begun = waitsForWork ? undefined : lastProgress
  let bytes = 0
  let timer: ReturnType<typeof setTimeout> | undefined

  const due = (): number => {
    const idle = idleMs === undefined ? Infinity : lastProgress + idleMs
    const total =
      totalMs === undefined || begun === undefined
        ? Infinity
        : begun + totalMs + (bytes * 1000) / SLOWEST_LINK
    return Math.min(idle, total)
  }
  const arm = (): void => {
    clearTimeout(timer)
    const wait = due() - performance.now()
    if (wait === Infinity) return
    timer = setTimeout(look, Math.min(Math.max(wait, 0), LONGEST_TIMER))
  }
  const look = (): void => {
    if (performance.now() >= due()) onOver()
    else arm()
  }
  arm()
  return {
    progress(count) {
      bytes += count
      lastProgress = performance.now()
      // A timer that is due too early looks again.
    },
    answered() {
      lastProgress = performance.now()
      begun ??= lastProgress
      arm()
    },
    stop: () => clearTimeout(timer),
  }
}

/** What timers can count. */
const LONGEST_TIMER = 0x7fff_ffff
