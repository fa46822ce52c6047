import type { Clock } from '../core/ports.ts'
import type { ChunkSizes } from './chunk-size.ts'

/** How much of the connection, and how long, one sync may take. */
export interface SyncLimits {
  /**
   * Bytes over the connection, both ways, as on the wire. The sync parks before the chunk that would go beyond, as
   * far as the size of chunks can be foreseen; what comes after the last record is a few hundred bytes and still done.
   */
  readonly maxBytes?: number | undefined
  /** Seconds. The sync parks after the chunk or the step that is under way. */
  readonly maxSeconds?: number | undefined
}

/** Which limit a sync has reached. */
export type LimitKind = 'bytes' | 'seconds'

/** What is left of the limits of one sync. */
export interface Budget {
  /** The limit that is reached, if any. */
  reached(): LimitKind | undefined
  /** Whether the time is up. */
  late(): boolean
  /** Notes that the sync has come further: before that it does not park, or it would never end. */
  progress(): void
  /** Whether it has come further. */
  readonly progressed: boolean
  /** Sizes of chunks that keep within the bytes that are left. */
  within(sizes: ChunkSizes): ChunkSizes
}

/** What a record takes until it is known: not compressed, so that the first chunk is rather too small. */
const FIRST_GUESS = 1000

/** The budget of a sync that begins now. */
export function createBudget(
  { maxBytes, maxSeconds }: SyncLimits,
  {
    clock,
    traffic,
  }: { readonly clock: Clock; readonly traffic: { readonly sent: number; readonly received: number } },
): Budget {
  const begun = clock.now().getTime()
  const crossedBefore = traffic.sent + traffic.received
  const spent = (): number => traffic.sent + traffic.received - crossedBefore
  const late = (): boolean => maxSeconds !== undefined && clock.now().getTime() - begun >= maxSeconds * 1000
  let progressed = false
  return {
    late,
    reached() {
      if (maxBytes !== undefined && spent() >= maxBytes) return 'bytes'
      return late() ? 'seconds' : undefined
    },
    progress() {
      progressed = true
    },
    get progressed() {
      return progressed
    },
    within(sizes) {
      if (maxBytes === undefined) return sizes
      const crossedAtFirst = spent()
      let records = 0
      return {
        get size() {
          const perRecord = records === 0 ? FIRST_GUESS : Math.max(1, (spent() - crossedAtFirst) / records)
          const fitting = Math.floor((maxBytes - spent()) / perRecord)
          return Math.max(1, Math.min(sizes.size, fitting))
        },
        learn(chunk) {
          records += chunk.records
          sizes.learn(chunk)
        },
      }
    },
  }
}
