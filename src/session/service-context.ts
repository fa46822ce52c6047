import type { Kysely } from 'kysely'
import type { Clock, Random, Signer } from '../core/ports.ts'
import type { ScopeDefinition } from '../core/scope.ts'
import { effectiveCapabilities } from '../protocol/capabilities.ts'
import type { Caller } from '../protocol/peer.ts'
import type { Schema } from '../storage/schema.ts'
import type { InstanceInfo } from './instance-info.ts'
import { mannerOf } from './capability-use.ts'
import type { Manner } from './capability-use.ts'
import type { Engine } from './ports.ts'
import type { Sleep } from './timing.ts'

/** Who asks for a certificate. */
export interface CertificateApplicant {
  readonly username: string
  readonly password: string
  /** The user name read as `key=value&key=value`; empty when it is a plain name. */
  readonly fields: Readonly<Record<string, string>>
}

/** What certificate is asked for. */
export interface CertificateWish {
  readonly profile: string
  readonly scopeDefinition: string
  readonly scopeParams: Readonly<Record<string, unknown>>
  readonly parentId: string
}

/** True: give it; `unauthenticated`: unknown user or wrong password; false or `forbidden`: not this scope. */
export type Authorization = boolean | 'unauthenticated' | 'forbidden'

/** What a service is made of. */
export interface ServiceOptions {
  readonly db: Kysely<Schema>
  readonly engine: Engine
  readonly signer: Signer
  readonly clock: Clock
  readonly random: Random
  /** The names of the profiles that sync here. */
  readonly profiles: readonly string[]
  scopeDefinition(id: string): ScopeDefinition | undefined
  instanceInfo(): InstanceInfo | Promise<InstanceInfo>
  /** What this server offers. */
  readonly capabilities: readonly string[]
  /** The software's version, a dotted number. */
  readonly version: string
  /** More to tell in `morangoinfo`. */
  readonly customInfo?: Readonly<Record<string, unknown>> | undefined
  /** Decides who gets certificates. Without it, nobody does. */
  authorize?(applicant: CertificateApplicant, wish: CertificateWish): Authorization | Promise<Authorization>
  /** How long an answer waits for a stage that goes on in the background; 20 s. */
  readonly stageWaitMs?: number | undefined
  /**
   * How long a stage of another process may be without a sign of life before it is taken over; 15 s. A stage
   * that this process finds `started` from before its own start is taken over at once.
   */
  readonly leaseMs?: number | undefined
  /** Must really let that time pass: signs of life and `stageWaitMs` hang on it. */
  readonly sleep?: Sleep | undefined
}

/** How a server works with this caller, anew for each request as in the original (protocol §4). */
export function mannerWith(options: ServiceOptions, caller: Caller): Manner {
  return mannerOf(effectiveCapabilities(options.capabilities, caller.capabilities))
}

/** The time as it is kept. */
export function timestamp(clock: Clock): string {
  return clock.now().toISOString()
}
