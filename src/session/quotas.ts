import { MorangoError } from '../core/errors.ts'
import type { Usage } from '../storage/quota-usage.ts'

/** How much of one thing may be in use at a time. */
export interface Quota {
  /** By one client certificate. */
  readonly perCertificate: number
  /**
   * By a client certificate and all of those below the same branch: the first certificate in the client's chain that is
   * not in the server's. Who has a certificate can make any number of others below it.
   */
  readonly perBranch: number
  /** From one network: an IPv4 address, or a /64 of IPv6. Where the address is not known, ten times as much. */
  readonly perAddress: number
  readonly inAll: number
}

/**
 * What callers of a server may use up. An honest client comes nowhere near; one that asks for more waits, then is told to
 * come back (429). No client's use takes another's place.
 */
export interface ServiceLimits {
  /** Open sync sessions. */
  readonly syncSessions: Quota
  /** Records in the Buffers of transfers that are not over, of both directions. */
  readonly bufferedRecords: Quota
  /** Bytes of the records that have come and are not merged yet. */
  readonly bufferedBytes: Quota
  /** Stages that are worked on at a time, in one process. More wait in a queue. */
  readonly runningStages: Omit<Quota, 'inAll'>
  /** Nonces given out that are not used. Beyond, the oldest of the same network are dropped. */
  readonly nonces: Pick<Quota, 'perAddress' | 'inAll'>
  /** Transfers of one sync session, those that are over included. */
  readonly transfersPerSession: number
  /** What a push may announce. */
  readonly recordsPerPush: number
  /** Certificates kept that one certificate has signed. */
  readonly certificatesPerParent: number
  /** Certificates that one user name gets in an hour. */
  readonly certificatesPerUser: number
  /** How long a call waits for a place before it is refused, in milliseconds. */
  readonly queueMs: number
  /** How long a session without a call counts as in use, when its own certificate needs the place, in milliseconds. */
  readonly restMs: number
  /** After how long without activity sessions are closed, in milliseconds. */
  readonly idleSessionMs: number
  /** For how long sessions that are over are kept, in milliseconds. The last with each certificate is kept. */
  readonly keptSessionMs: number
  /** How many sessions that are over are kept of one branch, whatever their age. */
  readonly keptSessionsPerBranch: number
}

const MIB = 1024 * 1024
const HOUR_MS = 60 * 60 * 1000

/** The limits of a server that is told no others. */
export const DEFAULT_LIMITS: ServiceLimits = {
  syncSessions: { perCertificate: 64, perBranch: 256, perAddress: 1000, inAll: 5000 },
  bufferedRecords: {
    perCertificate: 10_000_000,
    perBranch: 20_000_000,
    perAddress: 20_000_000,
    inAll: 100_000_000,
  },
  bufferedBytes: {
    perCertificate: 2048 * MIB,
    perBranch: 4096 * MIB,
    perAddress: 4096 * MIB,
    inAll: 16_384 * MIB,
  },
  runningStages: { perCertificate: 2, perBranch: 4, perAddress: 8 },
  nonces: { perAddress: 1000, inAll: 20_000 },
  transfersPerSession: 200,
  recordsPerPush: 10_000_000,
  certificatesPerParent: 100_000,
  certificatesPerUser: 500,
  queueMs: 3000,
  restMs: 10_000,
  idleSessionMs: 6 * HOUR_MS,
  keptSessionMs: 30 * 24 * HOUR_MS,
  keptSessionsPerBranch: 2000,
}

/** Where an address is not known, as behind a proxy that does not tell it, many callers share one. */
const UNKNOWN_ADDRESS_FACTOR = 10

/** Limits of which some are named; the others are {@link DEFAULT_LIMITS}. */
export type SomeLimits = {
  readonly [Name in keyof ServiceLimits]?: ServiceLimits[Name] extends number
    ? number
    : Partial<ServiceLimits[Name]>
}

/** The limits with the defaults filled in. */
export function limitsOf(some: SomeLimits = {}): ServiceLimits {
  const { syncSessions, bufferedRecords, bufferedBytes, runningStages, nonces, ...numbers } = some
  return {
    ...DEFAULT_LIMITS,
    ...numbers,
    syncSessions: { ...DEFAULT_LIMITS.syncSessions, ...syncSessions },
    bufferedRecords: { ...DEFAULT_LIMITS.bufferedRecords, ...bufferedRecords },
    bufferedBytes: { ...DEFAULT_LIMITS.bufferedBytes, ...bufferedBytes },
    runningStages: { ...DEFAULT_LIMITS.runningStages, ...runningStages },
    nonces: { ...DEFAULT_LIMITS.nonces, ...nonces },
  }
}

/** Which allowance is used up when `more` is added; undefined: none. */
export function exceeded(usage: Usage, more: number, quota: Quota, network: string): keyof Usage | undefined {
  if (usage.certificate + more > quota.perCertificate) return 'certificate'
  if (usage.branch + more > quota.perBranch) return 'branch'
  if (usage.network + more > allowance(quota, network)) return 'network'
  return usage.all + more > quota.inAll ? 'all' : undefined
}

/** What a network may have. */
export function allowance({ perAddress }: Pick<Quota, 'perAddress'>, network: string): number {
  return network === '' ? perAddress * UNKNOWN_ADDRESS_FACTOR : perAddress
}

/** The first certificate of a client's chain that is not in the server's, or the last; chains go root first. */
export function branchOf(clientChain: readonly string[], serverChain: readonly string[]): string {
  const known = new Set(serverChain)
  return clientChain.find((id) => !known.has(id)) ?? clientChain.at(-1) ?? ''
}

/**
 * The error for more than a caller may have (429).
 *
 * @param retryAfter - when to come back, in seconds
 */
export function tooMany(message: string, retryAfter: number): MorangoError {
  return new MorangoError('too-many-requests', message, {
    hint: `Try again in ${retryAfter} s.`,
    details: { retryAfter, body: { detail: message } },
  })
}
