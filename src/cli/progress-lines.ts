import { bytes, count, counted, duration, oneLine, truncate } from './format.ts'
import type { Paint } from './paint.ts'
import type { ProgressRow, StageView } from './progress-state.ts'

/** How lines are drawn. */
export interface LineStyle {
  /** Of the terminal; no line is longer. */
  readonly width: number
  readonly unicode: boolean
  readonly paint: Paint
  /** The peer's URL. */
  readonly peer: string
}

const WIDEST_BAR = 30
const NARROWEST_BAR = 6
/** Rates of shorter stages are chance. */
const SHORTEST_RATED = 100
/** Who has seen nothing move for so long wants to know that it is not forgotten. */
const WAITING_MS = 3000

/** A row as it stays in a terminal. */
export function rowLine(row: ProgressRow, style: LineStyle): string {
  // The last column stays free: some terminals wrap when it is written to.
  const width = style.width - 1
  switch (row.kind) {
    case 'heading': {
      const text = `${row.direction === 'pull' ? 'Pull from' : 'Push to'} ${oneLine(style.peer)}`
      return style.paint.bold(truncate(text, width))
    }
    case 'note':
      return style.paint.yellow(truncate(`  ${oneLine(row.text)}`, width))
    case 'stage':
      return truncate(stageFields(row.stage, row.ms).trimEnd(), width)
  }
}

/** The stage that is under way, for the line that is drawn anew. */
export function liveLine(stage: StageView, now: number, style: LineStyle): string {
  // Room for the ^C that the terminal may write after it.
  const width = style.width - 3
  const waiting = stage.stage === 'transferring' && now - stage.changedAt >= WAITING_MS
  const fields = stageFields(stage, now - stage.startedAt, waiting ? 'waiting' : undefined)
  const { done, total } = stage
  const room = width - fields.length - '  '.length - ' 100%'.length
  if (total === undefined || total === 0 || room < NARROWEST_BAR) return truncate(fields.trimEnd(), width)
  const share = Math.min(1, done / total)
  const percent = `${Math.floor(share * 100)}%`.padStart(4)
  return `${fields}  ${bar(share, Math.min(room, WIDEST_BAR), style)} ${percent}`
}

/** What is shown while nothing is told yet. */
export function connectingLine(ms: number, style: LineStyle): string {
  const elapsed = ms < 1000 ? '' : `  ${duration(ms)}`
  return truncate(`Connecting to ${oneLine(style.peer)}${elapsed}`, style.width - 3)
}

/** A row for a log: nothing aligned, everything named. */
export function plainLine(row: ProgressRow): string | undefined {
  if (row.kind === 'heading') return undefined
  return row.kind === 'note' ? oneLine(row.text) : plainStage(row.stage, row.ms)
}

/** A stage for a log, finished or not. */
export function plainStage(stage: StageView, ms: number): string {
  const { direction, stage: name, done, total } = stage
  const records =
    total !== undefined && done < total
      ? `${count(done)} of ${counted(total, 'record')}`
      : done > 0
        ? counted(done, 'record')
        : ''
  const parts = [records, rate(stage, ms), traffic(stage), duration(ms)].filter((part) => part !== '')
  return `${direction} ${name}: ${parts.join(', ')}`
}

function stageFields(stage: StageView, ms: number, pace: string = rate(stage, ms)): string {
  return [
    `  ${stage.stage.padEnd(13)}`,
    records(stage).padStart(15),
    pace.padStart(9),
    traffic(stage).padStart(6),
    duration(ms).padStart(6),
  ].join('  ')
}

function records({ done, total }: StageView): string {
  if (total !== undefined && done < total) return `${count(done)}/${count(total)}`
  return done > 0 ? count(done) : ''
}

function rate({ done, before }: StageView, ms: number): string {
  const moved = done - (before ?? done)
  return moved <= 0 || ms < SHORTEST_RATED ? '' : `${count(Math.round((moved * 1000) / ms))}/s`
}

/** Only of the stage that is about it: in the others it is the small change of the calls. */
function traffic(stage: StageView): string {
  return stage.stage === 'transferring' && stage.bytes > 0 ? bytes(stage.bytes) : ''
}

function bar(share: number, width: number, { unicode, paint }: LineStyle): string {
  const full = Math.round(share * width)
  return unicode
    ? '█'.repeat(full) + paint.dim('░'.repeat(width - full))
    : '#'.repeat(full) + paint.dim('.'.repeat(width - full))
}
