import type { Kysely } from 'kysely'
import type { Clock, Random } from '../core/ports.ts'
import { MorangoError } from '../core/errors.ts'
import type { Filter } from '../core/filter.ts'
import type { CompiledProfile } from '../models/compiled.ts'
import type { DeletionBrake } from '../models/deletion-brake.ts'
import type { DatabaseClock } from './database-clock.ts'
import type { Database } from './dialect.ts'
import type { Schema } from './schema.ts'
import type { Listeners } from './tell.ts'

/** How much of a long operation is done at a time, in records. */
export interface WorkSizes {
  /** In one transaction; see `turns.ts`. */
  readonly turn: number
  /** Whether turns may become larger; see `turn-size.ts`. */
  readonly mayGrow: boolean
  /** Through memory. */
  readonly batch: number
}

const USUAL_TURN = 2500

/** What is usual, or what the application wants; with smaller turns the batches are smaller as well. */
export function workSizes(wanted?: number): WorkSizes {
  const turn = wanted ?? USUAL_TURN
  return { turn, mayGrow: wanted === undefined, batch: Math.min(500, turn) }
}

/** Something that went wrong without stopping anything, for the application's log. */
export interface EngineWarning {
  readonly code:
    | 'merge-hook-failed'
    | 'instance-renewed'
    | 'listener-failed'
    /** A password went, or is about to go, unencrypted over a network that others may listen on. */
    | 'plain-password'
    /** A scope's parameter covers others that begin with it; see `morango doctor`. */
    | 'open-scope'
    | 'claim-not-believed'
    | 'history-not-believed'
    | 'claims-differ'
    /** What two sides have could not be compared; the transfer itself went well. */
    | 'sets-not-compared'
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
  /** By what time days are counted; `clock` when missing. */
  readonly databaseNow?: DatabaseClock | undefined
  readonly random: Random
  readonly sizes: WorkSizes
  /** What too many deletions at once are; undefined: the default. */
  readonly deletionBrake?: DeletionBrake | false | undefined
  /** Whether that holds for deletions that arrive, too. */
  readonly brakeArriving?: boolean | undefined
  /** Rejects when the tables are not as they were when the profiles were compiled, and cannot be followed. */
  readonly verifySchema?: (() => Promise<void>) | undefined
  readonly onWarning?: ((warning: EngineWarning) => void) | undefined
  readonly listeners?: Listeners | undefined
  /** The most UTF-8 bytes of a record's JSON and conflicting data together; undefined: the default of 8 MB. */
  readonly maxRecordBytes?: number | undefined
  /**
   * The partition prefixes that a certificate lets its holder write; undefined when the certificate is not known any
   * more. Without this function no deletion is held to its sender's scope.
   */
  readonly writeScope?:
    | ((db: Kysely<Schema>, certificateId: string) => Promise<Filter | undefined>)
    | undefined
  /** The partition prefixes that this device may write: those of the certificates whose private keys are here. */
  readonly ownWriteScope?: ((db: Kysely<Schema>, profile: string) => Promise<Filter>) | undefined
}

/** The profile of that name. @throws MorangoError `unknown-profile` */
export function requireProfile({ profiles }: EngineContext, name: string): CompiledProfile {
  const profile = profiles.get(name)
  if (profile !== undefined) return profile
  throw new MorangoError('unknown-profile', `There is no profile "${name}" here.`)
}
