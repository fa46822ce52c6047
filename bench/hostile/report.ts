import type { Reading } from './measure.ts'

/** What is aimed at, on a machine of two cores. */
export const AIMS = { waitMs: 200, peakMemoryMb: 400, raisedMemoryMb: 100 } as const

const NAME = 54
const CELL = 9
const HEADS = ['sent kB', 'status', 'ms', 'wait', 'idle', 'work', 'CPU ms', 'peak MB', 'more MB']

/** The readings as a table, the ones that miss an aim marked, with the aims below. */
export function formatReadings(readings: readonly Reading[]): string {
  const group = (title: string, signedIn: boolean): string[] => [
    title,
    ...readings.filter((reading) => reading.signedIn === signedIn).map(readingLine),
  ]
  return [
    line('', HEADS),
    '─'.repeat(NAME + HEADS.length * CELL),
    ...group('By anybody', false),
    '',
    ...group('With a narrow certificate', true),
    '',
    ...footer(readings),
  ].join('\n')
}

/** Whether a reading misses an aim. */
export function misses({ longestWaitMs, peakMemoryMb, raisedMemoryMb }: Reading): boolean {
  return (
    longestWaitMs > AIMS.waitMs || peakMemoryMb > AIMS.peakMemoryMb || raisedMemoryMb > AIMS.raisedMemoryMb
  )
}

/** One reading as a line of the table. */
export function readingLine(reading: Reading): string {
  const { name, bytes, statuses, ms, longestWaitMs, baselineWaitMs, longestWorkMs, cpuMs } = reading
  const mark = misses(reading) ? '! ' : '  '
  return line(mark + name, [
    (bytes / 1000).toFixed(bytes < 1e5 ? 1 : 0),
    statuses.join(','),
    ...[
      ms,
      longestWaitMs,
      baselineWaitMs,
      longestWorkMs,
      cpuMs,
      reading.peakMemoryMb,
      reading.raisedMemoryMb,
    ].map((value) => value.toFixed(0)),
  ])
}

function footer(readings: readonly Reading[]): string[] {
  const most = (figure: (reading: Reading) => number): string =>
    Math.max(0, ...readings.map(figure)).toFixed(0)
  const missed = readings.filter(misses).map(({ name }) => name)
  const failures = [...new Set(readings.flatMap((reading) => reading.failures))]
  return [
    'wait, idle: the longest that a small request of others took meanwhile, and without the attack, in ms',
    'work: the longest that the server worked without a rest, in ms of CPU time; on a busy machine it says more',
    'peak MB, more MB: the most memory the process had, and by how much that is over what it had before',
    '',
    `Longest work ${most(({ longestWorkMs }) => longestWorkMs)} ms, longest wait ${most(({ longestWaitMs }) => longestWaitMs)} ms (aim ${AIMS.waitMs}), ` +
      `peak ${most(({ peakMemoryMb }) => peakMemoryMb)} MB (aim ${AIMS.peakMemoryMb}), ` +
      `increase ${most(({ raisedMemoryMb }) => raisedMemoryMb)} MB (aim ${AIMS.raisedMemoryMb})`,
    missed.length === 0 ? 'Every aim is met.' : `An aim is missed by: ${missed.join('; ')}`,
    ...failures.map((failure) => `Answered with 500: ${failure}`),
  ]
}

function line(label: string, cells: readonly string[]): string {
  return (label.padEnd(NAME) + cells.map((cell) => cell.padStart(CELL)).join('')).trimEnd()
}
