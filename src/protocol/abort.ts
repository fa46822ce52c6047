import { MorangoError } from '../core/errors.ts'

/** The error for work that its caller gave up. */
export function abortedError(signal: AbortSignal): MorangoError {
  return new MorangoError('aborted', 'The call was aborted.', { cause: signal.reason })
}

/** @throws MorangoError `aborted` */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw abortedError(signal)
}

/**
 * As `work`, but a caller that gives up is free at once, while what it asked for may go on.
 *
 * @throws MorangoError `aborted`
 */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await work
  const { promise, reject } = Promise.withResolvers<never>()
  const abort = (): void => {
    reject(abortedError(signal))
  }
  signal.addEventListener('abort', abort, { once: true })
  if (signal.aborted) abort()
  try {
    return await Promise.race([work, promise])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
