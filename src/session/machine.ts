import { STAGES, isBefore, stageIndex } from '../core/stages.ts'
import type { Stage, StageStatus } from '../core/stages.ts'
import { planStep } from './plan.ts'
import type { Effect, MachineEvent, MachineState, Outcome, Phase, Transition } from './machine-types.ts'
import type { Direction, Mode, Role, Step } from './plan.ts'

/** How often in a row a call may fail before a client gives up for now. */
export const MAX_LOSSES = 7

/** How often a client asks anew for a stage that the server says it has not come to. */
export const MAX_REPEATS = 3

/** After so many polls of a stage that does not end, a client asks for it anew: its runner may have died. */
export const STALLED_POLLS = 600

const FIRST_POLL_MS = 50
const POLL_GROWTH = 1.25
const LONGEST_POLL_MS = 1000
const LONGEST_WAIT_MS = 30_000

/** A transfer as it was left: in memory a moment ago, or in the database before a restart. */
export interface MachineStart {
  readonly mode: Mode
  readonly role: Role
  readonly direction: Direction
  readonly stage: Stage
  readonly status: StageStatus
  readonly target: Stage
  readonly empty: boolean
}

/**
 * Starts or resumes: a stage that was completed is followed by the next, any other is run anew as a whole
 * (protocol §5, resuming).
 */
export function beginMachine(start: MachineStart): Transition {
  const { status, ...rest } = start
  const state: MachineState = { ...rest, losses: 0, phase: { kind: 'working' } }
  if (status === 'completed') return completed(state)
  return enter(state)
}

/** The next state, and what to do. Ended machines ignore whatever comes. */
export function stepMachine(state: MachineState, event: MachineEvent): Transition {
  if (hasEnded(state)) return { state, effects: [] }
  switch (event.kind) {
    case 'abort':
      return ended(state, { kind: 'interrupted', reason: 'aborted' })
    case 'busy':
      return ended(state, { kind: 'parked', reason: 'other-runner' })
    case 'limit':
      return ended(state, { kind: 'parked', reason: 'limit' })
    case 'failed':
      return errored(state, 'self')
    case 'refused':
      return errored(state, 'peer')
    case 'gone':
      // What is gone was cleaned up: the answer to an earlier DELETE was lost.
      return state.stage === 'cleanup' ? completed(state) : ended(state, { kind: 'gone' })
    case 'lost':
      return lost(state, event.progressed)
    case 'short':
      return short(state)
    case 'worked':
      return worked({ ...state, empty: event.empty })
    case 'answered':
      return answered({ ...state, empty: event.empty, losses: 0 }, event.stage, event.status)
  }
}

/** Whether nothing will happen any more. */
export function hasEnded(state: MachineState): state is MachineState & { readonly phase: Outcome } {
  const { kind } = state.phase
  return kind !== 'working' && kind !== 'asking' && kind !== 'polling'
}

/**
 * What a client waits before it looks again: a fifth of the time that it has waited so far, so that no stage is much
 * longer by it, and a second at most.
 */
export function pollDelay(polls: number): number {
  return Math.min(LONGEST_POLL_MS, Math.round(FIRST_POLL_MS * POLL_GROWTH ** polls))
}

/** What a client waits before it tries again. */
export function retryDelay(losses: number): number {
  return Math.min(LONGEST_WAIT_MS, 500 * 2 ** (losses - 1))
}

function worked(state: MachineState): Transition {
  if (state.phase.kind !== 'working') return { state, effects: [] }
  const { ask: what, whenEmpty } = stepOf(state)
  if (what === 'none' || (state.empty && whenEmpty === 'do-not-ask')) return completed(state)
  return ask({ ...state, losses: 0 }, 0)
}

function ask(state: MachineState, repeats: number): Transition {
  const { ask: what } = stepOf(state)
  if (what === 'none') return completed(state)
  return {
    state: { ...state, phase: { kind: 'asking', repeats } },
    effects: [{ kind: 'ask', stage: state.stage, ask: what }],
  }
}

function answered(state: MachineState, stage: Stage, status: StageStatus): Transition {
  const { phase } = state
  if (phase.kind !== 'asking' && phase.kind !== 'polling') return { state, effects: [] }
  if (status === 'errored') return errored(state, 'peer')
  const behind = isBefore(stage, state.stage)
  if (!behind && (stage !== state.stage || status === 'completed')) return completed(state)
  if (status === 'started' || !behind) return poll(state)
  // The peer rests before the stage that it was asked for.
  if (phase.kind === 'polling') return ask(state, phase.repeats)
  if (phase.repeats >= MAX_REPEATS) return errored(state, 'peer')
  return poll({ ...state, phase: { kind: 'asking', repeats: phase.repeats + 1 } })
}

function poll(state: MachineState): Transition {
  const { phase } = state
  const { polls, repeats } = pollingOf(phase)
  if (polls >= STALLED_POLLS) return ask(state, repeats)
  return {
    state: { ...state, phase: { kind: 'polling', polls: polls + 1, repeats } },
    effects: [{ kind: 'sleep', ms: pollDelay(polls), why: 'poll' }, { kind: 'poll' }],
  }
}

function pollingOf(phase: Phase): { polls: number; repeats: number } {
  return {
    polls: phase.kind === 'polling' ? phase.polls : 0,
    repeats: phase.kind === 'polling' || phase.kind === 'asking' ? phase.repeats : 0,
  }
}

function lost(state: MachineState, progressed: boolean): Transition {
  const losses = progressed ? 1 : state.losses + 1
  if (losses > MAX_LOSSES) return ended(state, { kind: 'interrupted', reason: 'unreachable' })
  const wait: Effect = { kind: 'sleep', ms: retryDelay(losses), why: 'retry' }
  const next = { ...state, losses }
  if (state.phase.kind === 'working') return { state: next, effects: [wait, ...workEffects(next)] }
  if (state.phase.kind === 'asking' && stepOf(state).ask !== 'advance') {
    return { state: next, effects: [wait, ...ask(next, state.phase.repeats).effects] }
  }
  // The stage may be running: asked again, a server of the original would run it twice at once.
  return {
    state: { ...next, phase: { kind: 'polling', ...pollingOf(state.phase) } },
    effects: [wait, { kind: 'poll' }],
  }
}

function short(state: MachineState): Transition {
  if (state.direction === 'push' && isBefore('transferring', state.target)) return errored(state, 'self')
  return {
    state: { ...state, phase: { kind: 'parked', reason: 'records' } },
    effects: [{ kind: 'move', stage: state.stage, status: 'pending' }],
  }
}

/** The own stage is over, at both sides as far as the client asks: on to the next with anything to do. */
function completed(state: MachineState): Transition {
  return advance({ ...state, losses: 0 })
}

function advance(state: MachineState): Transition {
  if (!isBefore(state.stage, state.target)) return finished(state)
  const next = STAGES[stageIndex(state.stage) + 1]
  return next === undefined ? finished(state) : enter({ ...state, stage: next })
}

function enter(state: MachineState): Transition {
  const { work, ask: what, whenEmpty } = stepOf(state)
  if ((work === 'none' && what === 'none') || (state.empty && whenEmpty === 'skip')) return advance(state)
  // Looking whether all records are there needs no claim, and happens with every chunk.
  const claim: Effect[] =
    work === 'await-records' ? [] : [{ kind: 'move', stage: state.stage, status: 'started' }]
  const working: MachineState = { ...state, phase: { kind: 'working' } }
  if (work !== 'none') return { state: working, effects: [...claim, ...workEffects(working)] }
  const asked = ask(working, 0)
  return { state: asked.state, effects: [...claim, ...asked.effects] }
}

function finished(state: MachineState): Transition {
  const done: MachineState = { ...state, phase: { kind: 'done' } }
  // Finishing deletes the Buffers before it notes that the transfer is over: killed in between, it runs anew.
  if (state.stage === 'cleanup') return { state: done, effects: [{ kind: 'finish' }] }
  return { state: done, effects: [{ kind: 'move', stage: state.stage, status: 'completed' }] }
}

function errored(state: MachineState, side: 'self' | 'peer'): Transition {
  return {
    state: { ...state, phase: { kind: 'errored', side } },
    effects: [{ kind: 'move', stage: state.stage, status: 'errored' }],
  }
}

function ended(state: MachineState, outcome: Outcome): Transition {
  return { state: { ...state, phase: outcome }, effects: [] }
}

function workEffects(state: MachineState): Effect[] {
  const { work } = stepOf(state)
  return work === 'none' ? [] : [{ kind: 'work', stage: state.stage, work }]
}

function stepOf({ mode, role, direction, stage }: MachineState): Step {
  return planStep(mode, role, direction, stage)
}
