import type { Stage } from '../core/stages.ts'
import type { LimitKind } from './budget.ts'
import type { Direction } from './plan.ts'
import type { DequeueResult, DeserializeResult } from './ports.ts'

interface InStage {
  readonly direction: Direction
  readonly stage: Stage
  /** Records done in this stage so far. */
  readonly done: number
  /** Undefined while it is not known. */
  readonly total: number | undefined
  /** Bytes over the connection since the sync began, both ways. */
  readonly bytes: number
}

/** What a sync tells while it runs. */
export type SyncProgress =
  | { readonly kind: 'session'; readonly state: 'opened' | 'resumed' | 'closed'; readonly sessionId: string }
  | ({ readonly kind: 'stage-started' | 'stage-progress' | 'stage-completed' } & InStage)
  /** A call failed and is tried again. */
  | {
      readonly kind: 'retry'
      readonly direction: Direction
      readonly stage: Stage
      readonly attempt: number
      readonly delayMs: number
      readonly reason: string
    }
  /** What was left of an earlier sync may be running in another process; its lease will tell, within seconds. */
  | { readonly kind: 'waiting'; readonly direction: Direction }
  /** What was left of an earlier sync cannot go on; it is begun anew. */
  | { readonly kind: 'restarted'; readonly direction: Direction; readonly reason: string }

/** What one transfer did. */
export interface TransferReport {
  readonly id: string
  readonly direction: Direction
  readonly recordsTotal: number
  readonly recordsTransferred: number
  /** What became of the received records; all 0 for a push, whose server does not tell. */
  readonly dequeue: DequeueResult
  readonly deserialize: DeserializeResult
  /** Whether it went on with what an earlier sync had left. */
  readonly resumed: boolean
  /** Whether it stopped at a limit of the sync; the next one goes on with it. */
  readonly parked: boolean
  /** How long each stage took, in milliseconds. */
  readonly stages: Readonly<Partial<Record<Stage, number>>>
}

/** Where a sync has stopped because of its limits. */
export interface Parked {
  readonly limit: LimitKind
  /** In which direction the next sync goes on. */
  readonly direction: Direction
  readonly recordsTransferred: number
  /** Undefined when it was not begun in that direction. */
  readonly recordsTotal: number | undefined
}

/** What a sync did. */
export interface SyncReport {
  /** Set when it stopped at one of its limits: the next sync with the same peer and filter goes on from there. */
  readonly parked: Parked | undefined
  readonly pulled: number
  readonly pushed: number
  readonly conflicts: number
  /** Records that wait with a reason, of this sync and earlier ones. */
  readonly problems: { readonly unserialized: number; readonly undeserialized: number }
  readonly bytes: { readonly sent: number; readonly received: number }
  readonly roundTrips: number
  readonly transfers: readonly TransferReport[]
}

/** Of a transfer in which nothing was dequeued. */
export const NOTHING_DEQUEUED: DequeueResult = { created: 0, fastForwarded: 0, known: 0, conflicts: 0 }

/** Of a transfer in which nothing was deserialized. */
export const NOTHING_DESERIALIZED: DeserializeResult = { written: 0, deleted: 0, failed: 0 }
