import type { Clock, Random } from '../core/ports.ts'
import { MorangoError } from '../core/errors.ts'
import type { CompiledProfile } from '../models/compiled.ts'
import type { Database } from './dialect.ts'

/** How many records the engine takes through memory at a time. */
export const BATCH = 500

/** Something that went wrong without stopping anything, for the application's log. */
export interface EngineWarning {
  readonly code: 'merge-hook-failed' | 'instance-renewed'
  readonly message: string
  readonly model?: string
  readonly recordId?: string
  readonly cause?: unknown
}

/** What every operation of the engine works with. */
export interface EngineContext {
  readonly database: Database
  readonly profiles: ReadonlyMap<string, CompiledProfile>
  readonly clock: Clock
  readonly random: Random
  readonly onWarning?: ((warning: EngineWarning) => void) | undefined
}

/** The profile of that name. @throws MorangoError `unknown-profile` */
export function requireProfile({ profiles }: EngineContext, name: string): CompiledProfile {
  const profile = profiles.get(name)
  if (profile !== undefined) return profile
  throw new MorangoError('unknown-profile', `There is no profile "${name}" here.`)
}
