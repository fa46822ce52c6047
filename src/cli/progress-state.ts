import type { Stage } from '../core/stages.ts'
import type { Direction } from '../session/plan.ts'
import type { SyncProgress } from '../session/progress.ts'

/** The stage that is under way. */
export interface StageView {
  readonly direction: Direction
  readonly stage: Stage
  readonly startedAt: number
  /** When it last told of something new. */
  readonly changedAt: number
  readonly done: number
  /** What was done when it began: a resumed transfer does not start at 0. */
  readonly before: number | undefined
  readonly total: number | undefined
  /** Over the connection in this stage. */
  readonly bytes: number
  readonly bytesBefore: number
}

/** Where a sync is, as far as its progress tells. */
export interface ProgressState {
  readonly direction: Direction | undefined
  readonly stage: StageView | undefined
}

/** What is to be told once and then stays. */
export type ProgressRow =
  | { readonly kind: 'heading'; readonly direction: Direction }
  | { readonly kind: 'stage'; readonly stage: StageView; readonly ms: number }
  | { readonly kind: 'note'; readonly text: string }

/** Before anything was told. */
export const NO_PROGRESS: ProgressState = { direction: undefined, stage: undefined }

/** Stages of one short call, which leave no row. */
const SHORT: ReadonlySet<Stage> = new Set<Stage>(['initializing', 'cleanup'])

/** Where the sync is after `event`, and the rows that it leaves. */
export function nextProgress(
  state: ProgressState,
  event: SyncProgress,
  now: number,
): { readonly state: ProgressState; readonly rows: readonly ProgressRow[] } {
  switch (event.kind) {
    case 'session': {
      const rows = event.state === 'resumed' ? [note('Going on with what an earlier sync left.')] : []
      return { state, rows }
    }
    case 'waiting':
      return {
        state,
        rows: [note(`A ${event.direction} may be running elsewhere: waiting a moment to see.`)],
      }
    case 'restarted': {
      const reason = event.reason.replace(/\.$/u, '')
      return {
        state: NO_PROGRESS,
        rows: [note(`The earlier ${event.direction} cannot go on (${reason}): it begins anew.`)],
      }
    }
    case 'retry': {
      const reason = event.reason === '' ? 'The peer did not answer' : event.reason.replace(/\.$/u, '')
      const wait = Math.max(1, Math.round(event.delayMs / 1000))
      return { state, rows: [note(`${reason}. Trying again in ${wait} s (attempt ${event.attempt}).`)] }
    }
    case 'stage-started': {
      const { direction } = event
      const stage: StageView = {
        direction,
        stage: event.stage,
        startedAt: now,
        changedAt: now,
        done: event.done,
        before: event.stage === 'transferring' ? undefined : 0,
        total: event.total,
        bytes: 0,
        bytesBefore: event.bytes,
      }
      const rows: ProgressRow[] = direction === state.direction ? [] : [{ kind: 'heading', direction }]
      return { state: { direction, stage }, rows }
    }
    case 'stage-progress':
    case 'stage-completed': {
      const { stage } = state
      if (stage === undefined) return { state, rows: [] }
      const { done, total, bytes } = event
      const latest = {
        ...stage,
        changedAt: now,
        done,
        total,
        before: stage.before ?? (event.kind === 'stage-progress' ? done : undefined),
        bytes: bytes - stage.bytesBefore,
      }
      if (event.kind === 'stage-progress') return { state: { ...state, stage: latest }, rows: [] }
      const rows: ProgressRow[] = SHORT.has(stage.stage)
        ? []
        : [{ kind: 'stage', stage: latest, ms: now - stage.startedAt }]
      return { state: { ...state, stage: undefined }, rows }
    }
  }
}

function note(text: string): ProgressRow {
  return { kind: 'note', text }
}
