import { type ReadingName, READINGS } from './readings.ts'
import type { StepName, VsPythonResult } from './result.ts'

/** The seconds of a step of the original, as times ours, that we want at least. */
const AT_LEAST: readonly (readonly [step: StepName, title: string, reading: ReadingName, times: number])[] = [
  ['firstPull', 'First pull', 'as-is', 50],
  ['firstPull', 'First pull', 'kindest', 12],
  ['nothingToDo', 'Nothing to do', 'as-is', 30],
  ['nothingToDo', 'Nothing to do', 'no-sleeps', 10],
]

/** The bytes per record between our peers that we want at most: a tenth of the original's, and its gzipped ones. */
const AT_MOST: readonly (readonly [step: StepName, title: string, bytes: number])[] = [
  ['firstPull', 'Bytes per pulled record, ours', 105],
  ['firstPush', 'Bytes per pushed record, ours', 137],
]

/** What was aimed at, set for 10,000 records, and what came of it. Nothing is judged here. */
export function targetLines({ ours, python }: VsPythonResult): string[] {
  return [
    'Aims, for 10,000 records',
    ...AT_LEAST.flatMap(([step, title, reading, times]) => {
      const ratio = python[reading]?.timesOurs.seconds[step]
      if (ratio === undefined) return []
      return [
        line(`${title}, against ${READINGS[reading].title}`, `×${ratio.toFixed(1)}`, `at least ×${times}`),
      ]
    }),
    ...AT_MOST.map(([step, title, bytes]) =>
      line(title, ours.steps[step].bytesPerRecord?.toFixed(1) ?? '', `at most ${bytes}`),
    ),
  ]
}

function line(label: string, value: string, aim: string): string {
  return `  ${label.padEnd(38)}${value.padStart(10)}   ${aim}`
}
