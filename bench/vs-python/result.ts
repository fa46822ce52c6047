import type { Spread } from '../result.ts'
import type { ReadingName } from './readings.ts'
import type { PartSeconds } from './stages.ts'

/** The steps of a run, in their order. */
export const STEPS = ['firstPull', 'firstPush', 'nothingToDo', 'onePercent'] as const

export type StepName = (typeof STEPS)[number]

/** One sync between two peers of a kind. */
export interface StepFigures {
  readonly records: number
  readonly seconds: number
  /** Seconds by stage, of the client's part and the server's together. Ours tells them; the original's are seen. */
  readonly stages: PartSeconds
  readonly requests: number
  /** All that passed over TCP, headers of HTTP included. */
  readonly bytes: { readonly toServer: number; readonly toClient: number }
  /** Both ways; undefined when no record travelled. */
  readonly bytesPerRecord: number | undefined
}

/** All steps between one pair of peers. */
export interface PairRun {
  /** Of Morango, as the server tells it. */
  readonly version: string
  /** Of those with nothing to do the one with the median time. */
  readonly steps: Readonly<Record<StepName, StepFigures>>
  /** Of each process over all steps, in MiB. */
  readonly peakMemoryMb: { readonly client: number; readonly server: number }
  /** The closed files after all steps. */
  readonly databaseMb: { readonly client: number; readonly server: number }
}

/** How many times ours a figure of the original is. */
export interface Ratios {
  /** Of seconds. */
  readonly seconds: Readonly<Record<StepName, number>>
  /** Of bytes on the wire. */
  readonly bytes: Readonly<Record<StepName, number>>
  readonly peakMemoryMb: { readonly client: number; readonly server: number }
  readonly databaseMb: { readonly client: number; readonly server: number }
}

/** What was measured. */
export interface VsPythonResult {
  readonly records: number
  /** The run with the median first pull. */
  readonly ours: PairRun
  /** Of all runs of ours, in seconds. */
  readonly oursFirstPull: Spread
  readonly python: Readonly<Partial<Record<ReadingName, PairRun & { readonly timesOurs: Ratios }>>>
}

/** Compares a run of the original with one of ours. */
export function ratiosOf(python: PairRun, ours: PairRun): Ratios {
  const bySteps = (figure: (step: StepFigures) => number): Record<StepName, number> => {
    const ratio = (step: StepName): number => figure(python.steps[step]) / figure(ours.steps[step])
    return {
      firstPull: ratio('firstPull'),
      firstPush: ratio('firstPush'),
      nothingToDo: ratio('nothingToDo'),
      onePercent: ratio('onePercent'),
    }
  }
  const bySide = (key: 'peakMemoryMb' | 'databaseMb'): { client: number; server: number } => ({
    client: python[key].client / ours[key].client,
    server: python[key].server / ours[key].server,
  })
  return {
    seconds: bySteps(({ seconds }) => seconds),
    bytes: bySteps(({ bytes }) => bytes.toServer + bytes.toClient),
    peakMemoryMb: bySide('peakMemoryMb'),
    databaseMb: bySide('databaseMb'),
  }
}
