import type { BenchOptions } from './options.ts'
import type { TransferPart } from './parts.ts'

/** Several measurements of the same, in seconds. */
export interface Spread {
  readonly min: number
  readonly median: number
  readonly max: number
}

/** One sync. */
export interface SyncFigures {
  readonly records: number
  readonly seconds: number
  /** Seconds by part of the transfer. */
  readonly stages: Readonly<Partial<Record<TransferPart, number>>>
  /** Both ways, without headers. */
  readonly bytes: number
  readonly roundTrips: number
}

/** What was measured. */
export interface BenchResult {
  readonly records: number
  readonly direction: BenchOptions['direction']
  readonly client: string
  readonly server: string
  /** The median; see `plainCopy` for the spread. */
  readonly plainCopySeconds: number
  readonly plainCopy: {
    readonly seconds: Spread
    readonly bytes: number
    readonly peakMemoryMb: { readonly source: number; readonly target: number }
    readonly databaseMb: number
  }
  /** The sync with the median time. */
  readonly firstSync: SyncFigures & {
    readonly spread: Spread
    readonly ratioToPlainCopy: number
    /** The fastest sync to the fastest copy: what a noisy machine disturbs least, given a few of both. */
    readonly ratioOfFastest: number
  }
  /** The longest that the server let another request wait during a first sync. */
  readonly longestAnswerSeconds: number
  /** Right after it, both ways. */
  readonly nothingToDo: {
    readonly milliseconds: number
    readonly roundTrips: number
    readonly bytes: number
  }
  /** After every hundredth place was changed at the producer. */
  readonly onePercent: SyncFigures
  /** Of the processes of the first sync, at its end. */
  readonly peakMemoryMb: { readonly client: number; readonly server: number }
  readonly databaseMb: { readonly client: number; readonly server: number }
}

/** The spread of some measurements, at least one. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b)
  return { min: sorted[0] ?? NaN, median: sorted[middle(sorted)] ?? NaN, max: sorted.at(-1) ?? NaN }
}

/** The one in the middle by `value`; of an even number the lower one. */
export function medianBy<Item>(items: readonly Item[], value: (item: Item) => number): Item {
  const sorted = items.toSorted((a, b) => value(a) - value(b))
  const item = sorted[middle(sorted)]
  if (item === undefined) throw new Error('Nothing was measured')
  return item
}

function middle({ length }: readonly unknown[]): number {
  return Math.floor((length - 1) / 2)
}
