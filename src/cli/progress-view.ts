import process from 'node:process'
import type { SyncProgress } from '../session/progress.ts'
import { oneLine } from './format.ts'
import { printNote, redraw } from './output.ts'
import { createPaint } from './paint.ts'
import { connectingLine, liveLine, plainLine, plainStage, rowLine, type LineStyle } from './progress-lines.ts'
import { NO_PROGRESS, nextProgress } from './progress-state.ts'
import { terminalOf } from './terminal.ts'

const FRAME_MS = 100
/** How often a log hears of a stage that takes long. */
const LOG_MS = 10_000

/** Shows how a sync comes along. */
export interface ProgressView {
  onProgress(event: SyncProgress): void
  /** Something to know, beside the progress. */
  note(text: string): void
  /** Takes the line away that is drawn anew. */
  stop(): void
}

/** Shows nothing. */
export const NO_VIEW: ProgressView = {
  onProgress: () => {},
  note: () => {},
  stop: () => {},
}

/** A view on the standard error: drawn in a terminal, plain lines anywhere else. */
export function createProgressView(peer: string): ProgressView {
  return terminalOf(process.stderr).live ? drawnView(peer) : plainView()
}

function drawnView(peer: string): ProgressView {
  const terminal = terminalOf(process.stderr)
  const paint = createPaint(terminal.color)
  const begun = performance.now()
  let state = NO_PROGRESS
  let connecting = true
  let shown = ''
  let drawnAt = 0
  let rows = 0
  let stopped = false
  // The stages' own work keeps this thread busy, so events draw, too.
  const timer = setInterval(() => draw([]), FRAME_MS)
  draw([])

  return {
    onProgress: (event) => {
      connecting = false
      const now = performance.now()
      const next = nextProgress(state, event, now)
      const sameStage = event.kind === 'stage-progress'
      state = next.state
      if (sameStage && now - drawnAt < FRAME_MS) return
      draw(next.rows.map((row) => rowLine(row, style())))
    },
    note: (text) => draw([rowLine({ kind: 'note', text }, style())]),
    stop: () => {
      clearInterval(timer)
      // A blank line before what comes next, if anything stays above it.
      if (!stopped) write(rows > 0 ? [''] : [], '')
      stopped = true
    },
  }

  function style(): LineStyle {
    return { width: terminal.width(), unicode: terminal.unicode, paint, peer }
  }

  function draw(lines: readonly string[]): void {
    drawnAt = performance.now()
    const live =
      state.stage !== undefined
        ? liveLine(state.stage, drawnAt, style())
        : connecting
          ? connectingLine(drawnAt - begun, style())
          : ''
    write(lines, live)
  }

  // Everything in one write, and over the old line rather than after clearing it: nothing to flicker.
  function write(lines: readonly string[], live: string): void {
    rows += lines.length
    if (lines.length === 0 && live === shown) return
    redraw(lines, live)
    shown = live
  }
}

function plainView(): ProgressView {
  let state = NO_PROGRESS
  let toldAt = performance.now()
  const tell = (line: string): void => {
    toldAt = performance.now()
    printNote(line)
  }
  return {
    onProgress: (event) => {
      const now = performance.now()
      const next = nextProgress(state, event, now)
      state = next.state
      for (const row of next.rows) {
        const line = plainLine(row)
        if (line !== undefined) tell(line)
      }
      if (state.stage !== undefined && now - toldAt >= LOG_MS) {
        tell(plainStage(state.stage, now - state.stage.startedAt))
      }
    },
    note: (text) => tell(oneLine(text)),
    stop: () => {},
  }
}
