import type { Clock, Signer } from '../core/ports.ts'
import type { Scope, ScopeDefinition } from '../core/scope.ts'
import type { AllowedScope } from '../core/scope-within.ts'
import { effectiveCapabilities } from '../protocol/capabilities.ts'
import type { Caller } from '../protocol/peer.ts'
import { readDatabaseClock } from '../storage/database-clock.ts'
import type { InstanceInfo } from './instance-info.ts'
import { leaseTerms } from './lease-keeper.ts'
import type { LeaseOptions } from './lease-keeper.ts'
import { mannerOf } from './capability-use.ts'
import type { Manner } from './capability-use.ts'
import type { Engine } from './ports.ts'
import type { SomeLimits } from './quotas.ts'
import type { Sleep } from './timing.ts'

/** Who asks for a certificate. */
export interface CertificateApplicant {
  readonly username: string
  readonly password: string
  /** The user name read as `key=value&key=value`; empty when it is a plain name. */
  readonly fields: Readonly<Record<string, string>>
}

/**
 * What certificate is asked for. Parameters that make no scope never come here;
 * such a request is only asked about with no parameters and no prefixes, to find out whether the applicant is known.
 */
export interface CertificateWish {
  readonly profile: string
  /** The id of the scope. That of a root certificate is for nobody who merely signs in. */
  readonly scopeDefinition: string
  readonly scopeVersion: number
  /**
   * Texts, integers or booleans, by name. Each is one part of a partition. Those that the scope does not use are left
   * out: to compare them would say nothing about what the certificate reaches.
   */
  readonly scopeParams: Readonly<Record<string, unknown>>
  /** The prefixes that come of it: what the holder could read and write. A way that the scope denies has none. */
  readonly scope: Scope
  /**
   * Whether all these prefixes lie within what is named, by whole parts of a partition; see `scopeWithin`.
   *
   * @example
   * isWithin(`${dataset}:user:${username}`)
   * isWithin({ read: `${dataset}:place`, write: `${dataset}:user:${username}` })
   */
  readonly isWithin: (allowed: AllowedScope) => boolean
  /** The certificate that would sign. */
  readonly parentId: string
  /** The applicant's public key, as it was sent. */
  readonly publicKey: string
  /** The caller's address; empty where there is none. */
  readonly address: string
}

/** True: give it; `unauthenticated`: unknown user or wrong password; false or `forbidden`: not this scope. */
export type Authorization = boolean | 'unauthenticated' | 'forbidden'

/** What a service is made of. */
export interface ServiceOptions extends LeaseOptions {
  readonly engine: Engine
  readonly signer: Signer
  /** The names of the profiles that sync here. */
  readonly profiles: readonly string[]
  /** @param profile - of the certificate that is looked at; without, whichever profile has that scope */
  scopeDefinition(id: string, profile?: string): ScopeDefinition | undefined
  instanceInfo(): InstanceInfo | Promise<InstanceInfo>
  /** Ids of certificates to have nothing to do with, nor with those below them. */
  readonly refusedCertificates?: ReadonlySet<string> | undefined
  /** What this server offers. */
  readonly capabilities: readonly string[]
  /** The software's version, a dotted number. */
  readonly version: string
  /** More to tell in `morangoinfo`. */
  readonly customInfo?: Readonly<Record<string, unknown>> | undefined
  /** Decides who gets certificates. Without it, nobody does. */
  authorize?(applicant: CertificateApplicant, wish: CertificateWish): Authorization | Promise<Authorization>
  /** What callers may use up; what is not named is as in `DEFAULT_LIMITS`. */
  readonly limits?: SomeLimits | undefined
  /** How long an answer waits for a stage that goes on in the background, in milliseconds; 1,000. */
  readonly stageWaitMs?: number | undefined
  /** Must really let that time pass: `stageWaitMs` hangs on it. */
  readonly sleep?: Sleep | undefined
}

/** How a server works with this caller, anew for each request as in the original (protocol §4). */
export function mannerWith(options: ServiceOptions, caller: Caller): Manner {
  return mannerOf(effectiveCapabilities(options.capabilities, caller.capabilities))
}

/** The time by the database's clock: what another process may have to compare with. */
export async function databaseTime(options: ServiceOptions): Promise<Date> {
  const { db, now } = leaseTerms(options)
  return await readDatabaseClock(db, now)
}

/** The time as it is kept. */
export function timestamp(clock: Clock): string {
  return clock.now().toISOString()
}
