import type { BenchResult, Spread, SyncFigures } from './result.ts'

const LABEL = 30
const CELL = 12

/** The result as a table of 80 columns. */
export function formatResult(result: BenchResult): string {
  const { records, plainCopy, plainCopySeconds, firstSync, nothingToDo, onePercent } = result
  const { peakMemoryMb, databaseMb } = result
  return [
    `${whole(records)} records, ${result.direction}; client ${result.client}, server ${result.server}`,
    '',
    heading('', 'seconds', 'records/s', 'MB sent', 'round trips'),
    line(
      'Plain copy',
      seconds(plainCopySeconds),
      rate(records, plainCopySeconds),
      megabytes(plainCopy.bytes),
      '1',
    ),
    spreadLine(plainCopy.seconds),
    ...syncLines('First sync', firstSync),
    spreadLine(firstSync.spread),
    line('  times the plain copy', firstSync.ratioToPlainCopy.toFixed(2)),
    line('  fastest of each', firstSync.ratioOfFastest.toFixed(2)),
    line('  others waited at most', seconds(result.longestAnswerSeconds)),
    line(
      'Nothing to do, both ways',
      seconds(nothingToDo.milliseconds / 1000),
      '',
      megabytes(nothingToDo.bytes),
      whole(nothingToDo.roundTrips),
    ),
    ...syncLines(`1 % changed (${whole(onePercent.records)})`, onePercent),
    '',
    heading('MB', 'client', 'server', 'plain to', 'plain from'),
    line(
      'Peak memory',
      whole(peakMemoryMb.client),
      whole(peakMemoryMb.server),
      whole(plainCopy.peakMemoryMb.target),
      whole(plainCopy.peakMemoryMb.source),
    ),
    line(
      'Database',
      databaseMb.client.toFixed(1),
      databaseMb.server.toFixed(1),
      plainCopy.databaseMb.toFixed(1),
    ),
  ].join('\n')
}

function syncLines(label: string, figures: SyncFigures): string[] {
  const { records, stages } = figures
  const inStages = Object.entries(stages)
  const rest = figures.seconds - inStages.reduce((total, [, value]) => total + value, 0)
  return [
    line(
      label,
      seconds(figures.seconds),
      rate(records, figures.seconds),
      megabytes(figures.bytes),
      whole(figures.roundTrips),
    ),
    ...inStages.map(([stage, value]) => line(`  ${stage}`, seconds(value), rate(records, value))),
    line('  sessions', seconds(Math.max(0, rest))),
  ]
}

function spreadLine({ min, max }: Spread): string {
  return line('  from, to', `${min.toFixed(2)}–${max.toFixed(2)}`)
}

function heading(...cells: readonly string[]): string {
  const text = line(...cells)
  return `${text}\n${'─'.repeat(LABEL + 4 * CELL)}`
}

function line(label = '', ...cells: readonly string[]): string {
  return (label.padEnd(LABEL) + cells.map((cell) => cell.padStart(CELL)).join('')).trimEnd()
}

function seconds(value: number): string {
  return value.toFixed(3)
}

function rate(records: number, value: number): string {
  return value < 0.01 ? '' : whole(records / value)
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(bytes < 1e5 ? 3 : 1)
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en')
}
