import type { Stage, StageStatus } from '../core/stages.ts'
import type { Ask, Direction, Mode, Role, Work } from './plan.ts'

/** What a side of a transfer is at, within its stage. */
export type Phase =
  /** Doing its own part. */
  | { readonly kind: 'working' }
  /** Client: waiting for the answer to what it asked. `repeats`: how often that changed nothing. */
  | { readonly kind: 'asking'; readonly repeats: number }
  /** Client: the server goes on by itself; looking again now and then. */
  | { readonly kind: 'polling'; readonly polls: number; readonly repeats: number }
  | Outcome

/** How a run ends. All but `done` may be followed by another run from where the stage is. */
export type Outcome =
  | { readonly kind: 'done' }
  /** Others must act first (the client, or another runner of the same transfer), or a limit was reached. */
  | { readonly kind: 'parked'; readonly reason: 'records' | 'other-runner' | 'limit' }
  | { readonly kind: 'errored'; readonly side: 'self' | 'peer' }
  /** The other side knows the transfer no more. */
  | { readonly kind: 'gone' }
  | { readonly kind: 'interrupted'; readonly reason: 'aborted' | 'unreachable' }

/** One side of one transfer. `stage` never goes back. */
export interface MachineState {
  readonly mode: Mode
  readonly role: Role
  readonly direction: Direction
  readonly stage: Stage
  /** The last stage to complete: a client's is cleanup, a server's what it was asked for. */
  readonly target: Stage
  /** Whether there are no records to transfer; known from queuing on. */
  readonly empty: boolean
  /** Failed tries in a row. */
  readonly losses: number
  readonly phase: Phase
}

/** What has happened. */
export type MachineEvent =
  | { readonly kind: 'worked'; readonly empty: boolean }
  /** Server: not all records have been transferred. */
  | { readonly kind: 'short' }
  /** The peer's transfer session as it is now. */
  | {
      readonly kind: 'answered'
      readonly stage: Stage
      readonly status: StageStatus
      readonly empty: boolean
    }
  /** The peer did not answer, or not now. `progressed`: records have crossed since the last loss. */
  | { readonly kind: 'lost'; readonly progressed: boolean }
  /** The peer said no. */
  | { readonly kind: 'refused' }
  | { readonly kind: 'gone' }
  /** The own part failed. */
  | { readonly kind: 'failed' }
  /** Another runner has the stage. */
  | { readonly kind: 'busy' }
  /** Client: a limit of the sync is reached. */
  | { readonly kind: 'limit' }
  | { readonly kind: 'abort' }

/** What to do; in this order, until one of them makes an event. */
export type Effect =
  /** Note the own stage; `started` claims it against other runners. */
  | { readonly kind: 'move'; readonly stage: Stage; readonly status: StageStatus }
  | { readonly kind: 'work'; readonly stage: Stage; readonly work: Exclude<Work, 'none'> }
  | { readonly kind: 'ask'; readonly stage: Stage; readonly ask: Exclude<Ask, 'none'> }
  | { readonly kind: 'poll' }
  | { readonly kind: 'sleep'; readonly ms: number; readonly why: 'poll' | 'retry' }
  /** Delete the own Buffers and mark the own transfer session inactive. */
  | { readonly kind: 'finish' }

/** Where a machine is, and what is to be done next. */
export interface Transition {
  readonly state: MachineState
  readonly effects: readonly Effect[]
}
