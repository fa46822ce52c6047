import process from 'node:process'
import { EXIT } from './failure.ts'

/** Ctrl-C and its kin, as an AbortSignal. */
export interface StopSignals {
  readonly signal: AbortSignal
  /** The exit code of who was stopped so. */
  exitCode(): number
  /** Leaves the signals to Node again. */
  release(): void
}

/** Waits for SIGINT and SIGTERM. The first stops in good order, a second one at once. */
export function catchStopSignals(onStop: () => void = () => {}): StopSignals {
  const controller = new AbortController()
  let exitCode: number = EXIT.interrupted
  const stop = (name: NodeJS.Signals): void => {
    if (name === 'SIGTERM') exitCode = 143
    if (controller.signal.aborted) process.exit(exitCode)
    controller.abort()
    onStop()
  }
  process.on('SIGINT', stop).on('SIGTERM', stop)
  return {
    signal: controller.signal,
    exitCode: () => exitCode,
    release: () => {
      process.off('SIGINT', stop).off('SIGTERM', stop)
    },
  }
}
