import type { Clock } from './ports.ts'

const WINDOW_MS = 60_000
const MOST_KEYS = 200

/** Lets so many reports of a kind through in a minute, so that nobody can fill a log. */
export interface ReportLimit {
  /**
   * @param kind - reports of one kind share a limit
   * @returns how many of this kind were left out since the last that was let through; undefined: leave this one out
   */
  admit(kind: string): number | undefined
}

/** A limit of `most` reports of a kind in each minute. */
export function createReportLimit(clock: Clock, most = 10): ReportLimit {
  const kinds = new Map<string, { since: number; told: number; left: number }>()
  return {
    admit(kind) {
      const now = clock.now().getTime()
      // What has many kinds is one kind.
      const key = kinds.has(kind) || kinds.size < MOST_KEYS ? kind : ''
      const seen = kinds.get(key) ?? { since: now, told: 0, left: 0 }
      kinds.set(key, seen)
      if (Math.abs(now - seen.since) >= WINDOW_MS) {
        seen.since = now
        seen.told = 0
      }
      if (seen.told >= most) {
        seen.left++
        return undefined
      }
      seen.told++
      const { left } = seen
      seen.left = 0
      return left
    },
  }
}
