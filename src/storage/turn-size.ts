import { createAdaptiveSize } from '../core/adaptive-size.ts'
import type { EngineContext } from './context.ts'

const MOST_GROWTH = 4
const QUICK_MS = 80
const SLOW_MS = 250

/** How many records a turn has, as a stage goes on. */
export interface TurnSizes {
  /** For the next turn. */
  readonly size: number
  /** Runs a turn and learns from how long it took. */
  timed<T>(turn: () => Promise<T>, records: (result: T) => number): Promise<T>
}

/**
 * The size of turns: unless the application has said it, it grows while turns take less than a tenth of a second.
 * Every turn writes the same pages of indexes again, so a few large ones write half of what many small ones do.
 */
export function createTurnSizes({ sizes, clock }: EngineContext): TurnSizes {
  const first = sizes.turn
  const most = sizes.mayGrow ? first * MOST_GROWTH : first
  const turns = createAdaptiveSize({ first, most, quickMs: QUICK_MS, slowMs: SLOW_MS })
  return {
    get size() {
      return turns.size
    },
    async timed(turn, records) {
      const begun = clock.now().getTime()
      const result = await turn()
      turns.learn(records(result), clock.now().getTime() - begun)
      return result
    },
  }
}
