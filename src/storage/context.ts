import type { Clock, Random } from '../core/ports.ts'
import type { CompiledProfile } from '../models/compiled.ts'
import type { Database } from './dialect.ts'

/** How many records the engine takes through memory at a time. */
export const BATCH = 1000

/** What every operation of the engine works with. */
export interface EngineContext {
  readonly database: Database
  readonly profiles: ReadonlyMap<string, CompiledProfile>
  readonly clock: Clock
  readonly random: Random
}
