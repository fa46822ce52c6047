/** What an {@link AdaptiveSize} is bounded by. */
export interface SizeBounds {
  /** What it begins with, and never falls below. */
  readonly first: number
  readonly most: number
  /** What took less is followed by twice as much, in milliseconds. */
  readonly quickMs: number
  /** What took more is followed by half as much. */
  readonly slowMs: number
}

/** How much to do at a time, by how long it took so far. */
export interface AdaptiveSize {
  /** For the next time. */
  readonly size: number
  /**
   * What was done took so long.
   *
   * @param most a bound for the next times, if it is lower than the usual one
   */
  learn(done: number, ms: number, most?: number): void
}

/** Grows while things are quick, and shrinks while they are slow. What was less than the size tells nothing. */
export function createAdaptiveSize({ first, most, quickMs, slowMs }: SizeBounds): AdaptiveSize {
  let size = first
  return {
    get size() {
      return size
    },
    learn(done, ms, bound = most) {
      if (done < size) return
      const wanted = ms < quickMs ? size * 2 : ms > slowMs ? Math.floor(size / 2) : size
      size = Math.max(first, Math.min(wanted, most, bound))
    },
  }
}
