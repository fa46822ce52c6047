import type { Flat } from './flat.ts'
import type { Action } from './script.ts'

/** One thing that came out otherwise. */
export interface Difference {
  /** Undefined for the outcome of the step. */
  readonly peer: number | undefined
  readonly path: string
  readonly theirs: string
  readonly ours: string
}

/** A difference where it came up. */
export interface Occurrence {
  readonly difference: Difference
  /** All that are new after this step. */
  readonly differences: readonly Difference[]
  readonly action: Action
  /** What the peers of the original had before the step, and have after it. */
  readonly before: readonly Flat[]
  readonly after: readonly Flat[]
  readonly log: readonly string[]
}

/** Something that the original does and ours mends on purpose. */
export interface Quirk {
  readonly name: string
  readonly reason: string
  /** Whether what follows is another history, so that there is nothing more to compare. */
  readonly parts: boolean
  readonly explains: (occurrence: Occurrence) => boolean
}

export const QUIRKS: readonly Quirk[] = [
  {
    name: 'applied deletion stays dirty',
    reason: 'nothing follows from it',
    parts: false,
    explains: ({ difference: { path, theirs, ours } }) =>
      path.endsWith('/state') && theirs === `${ours} dirty` && ours.includes('deleted'),
  },
]

export function explain(occurrence: Occurrence): Quirk | undefined {
  return QUIRKS.find((quirk) => quirk.explains(occurrence))
}
