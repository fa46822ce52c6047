import { type ReadingName, READING_NAMES, READINGS } from './readings.ts'
import { type PairRun, type StepFigures, type StepName, STEPS, type VsPythonResult } from './result.ts'
import { PARTS } from './stages.ts'
import { targetLines } from './targets.ts'

const LABEL = 20
const OURS = 12
const CELL = 16

const TITLES: Readonly<Record<StepName, string>> = {
  firstPull: 'First pull',
  firstPush: 'First push',
  nothingToDo: 'Nothing to do, both ways',
  onePercent: '1 % changed, pulled',
}

/** The result as a table of 80 columns. What follows × is how many times ours it is. */
export function formatVsPython(result: VsPythonResult): string {
  const { records, oursFirstPull } = result
  const readings = READING_NAMES.filter((name) => result.python[name] !== undefined)
  const { min, max } = oursFirstPull
  const versions = new Set(Object.values(result.python).map(({ version }) => version))
  return [
    `${whole(records)} records pulled, as many pushed; between two peers of ours, between two of`,
    `Python's ${[...versions].join(', ')} (${readings.map((name) => READINGS[name].title).join('; ')}); SQLite`,
    '',
    heading(readings),
    ...STEPS.flatMap((step) => [...stepLines(result, readings, step), '']),
    ...sideLines(result, readings, 'Peak memory, MiB', 'peakMemoryMb', whole),
    '',
    ...sideLines(result, readings, 'Database, MB', 'databaseMb', (value) => value.toFixed(1)),
    '',
    `First pull of all runs of ours: ${min.toFixed(3)} to ${max.toFixed(3)} s`,
    '',
    ...targetLines(result),
  ].join('\n')
}

function heading(readings: readonly ReadingName[]): string {
  const cells = ['ours'.padStart(OURS), ...readings.map((name) => READINGS[name].title.padStart(CELL))]
  return `${' '.repeat(LABEL)}${cells.join('')}\n${'─'.repeat(LABEL + OURS + readings.length * CELL)}`
}

type Figure = (run: PairRun) => number | undefined

function stepLines(result: VsPythonResult, readings: readonly ReadingName[], step: StepName): string[] {
  const of = (label: string, figure: (step: StepFigures) => number | undefined, form: Form): string =>
    line(result, readings, label, ({ steps }) => figure(steps[step]), form)
  const parts = PARTS.filter((part) =>
    [result.ours, ...Object.values(result.python)].some(
      ({ steps }) => steps[step].stages[part] !== undefined,
    ),
  )
  const { records } = result.ours.steps[step]
  return [
    records === 0 ? TITLES[step] : `${TITLES[step]} (${whole(records)} records)`,
    of('  seconds', ({ seconds }) => seconds, threeDigits),
    ...parts.map((part) => of(`    ${part}`, ({ stages }) => stages[part], threeDigits)),
    of('  requests', ({ requests }) => requests, whole),
    of('  kB to server', ({ bytes }) => bytes.toServer / 1000, oneDigit),
    of('  kB to client', ({ bytes }) => bytes.toClient / 1000, oneDigit),
    ...(records === 0 ? [] : [of('  bytes per record', ({ bytesPerRecord }) => bytesPerRecord, whole)]),
  ]
}

function sideLines(
  result: VsPythonResult,
  readings: readonly ReadingName[],
  title: string,
  key: 'peakMemoryMb' | 'databaseMb',
  form: Form,
): string[] {
  return [
    title,
    line(result, readings, '  client', (run) => run[key].client, form),
    line(result, readings, '  server', (run) => run[key].server, form),
  ]
}

type Form = (value: number) => string

function line(
  result: VsPythonResult,
  readings: readonly ReadingName[],
  label: string,
  figure: Figure,
  form: Form,
): string {
  const own = figure(result.ours)
  const cells = readings.map((name) => {
    const run = result.python[name]
    const value = run === undefined ? undefined : figure(run)
    if (value === undefined) return ''
    const ratio = own === undefined || own === 0 ? '' : ` ×${times(value / own)}`.padEnd(7)
    return form(value) + ratio
  })
  const all = [
    (own === undefined ? '' : form(own)).padStart(OURS),
    ...cells.map((cell) => cell.padStart(CELL)),
  ]
  return (label.padEnd(LABEL) + all.join('')).trimEnd()
}

function times(ratio: number): string {
  return ratio < 10 ? ratio.toFixed(1) : whole(ratio)
}

function threeDigits(value: number): string {
  return value.toFixed(3)
}

function oneDigit(value: number): string {
  return value.toLocaleString('en', { minimumFractionDigits: 1, maximumFractionDigits: 1 })
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en')
}
