import { hasEnded, stepMachine } from './machine.ts'
import type { Effect, MachineEvent, MachineState, Outcome, Transition } from './machine-types.ts'

/** A machine that has come to its end. */
export type EndedState = MachineState & { readonly phase: Outcome }

/**
 * Does one effect. An event ends the list of effects it belongs to; undefined goes on to the next.
 * Expected failures are events, anything thrown ends the run as it is.
 */
export type Perform = (effect: Effect, state: MachineState) => Promise<MachineEvent | undefined>

/**
 * The only loop: does what the machine asks for and tells it what happened, until it ends.
 *
 * @returns the machine where it ended
 */
export async function runMachine(start: Transition, perform: Perform): Promise<EndedState> {
  let { state, effects } = start
  for (;;) {
    let event: MachineEvent | undefined
    for (const effect of effects) {
      // Each effect follows from the ones before it.
      // oxlint-disable-next-line no-await-in-loop
      event = await perform(effect, state)
      if (event !== undefined) break
    }
    if (event === undefined || hasEnded(state)) {
      if (hasEnded(state)) return state
      throw new Error(`The transfer stopped in ${state.stage} without an end`)
    }
    ;({ state, effects } = stepMachine(state, event))
  }
}
