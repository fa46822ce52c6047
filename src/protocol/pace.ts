import { throwIfAborted } from './abort.ts'

/** Called between two steps of long work. Gives a promise when it is time to let others have the event loop. */
export type Pace = () => Promise<void> | undefined

const SLICE_MS = 10

/** The platform's parts that a pace needs. */
export interface PaceOptions {
  readonly signal?: AbortSignal | undefined
  /** How long to work before a rest, in ms; 10. */
  readonly sliceMs?: number | undefined
  /** The time in ms, from any beginning. */
  readonly now?: (() => number) | undefined
  /** Resolves after everything that waits for the event loop has had it. */
  readonly rest?: (() => Promise<void>) | undefined
}

/**
 * A pace for one piece of work: what takes long is done in slices, so that a large message of one peer does not keep
 * the others waiting. Rejects with `aborted` where the caller has given up.
 */
export function createPace({
  signal,
  sliceMs = SLICE_MS,
  now = () => performance.now(),
  rest = () => new Promise((resolve) => setTimeout(resolve)),
}: PaceOptions = {}): Pace {
  let begun = now()
  return () => {
    throwIfAborted(signal)
    if (now() - begun < sliceMs) return undefined
    return rest().then(() => {
      throwIfAborted(signal)
      begun = now()
    })
  }
}
