import { type Leave, createKeyedPlaces } from '../core/keyed-places.ts'
import { networkOf } from '../core/network.ts'
import type { Caller } from '../protocol/peer.ts'
import {
  type Owner,
  bufferUsage,
  largestBranch,
  restingSessions,
  sessionUsage,
} from '../storage/quota-usage.ts'
import { leaseTerms } from './lease-keeper.ts'
import { type ServiceLimits, branchOf, exceeded, tooMany } from './quotas.ts'
import type { ServiceOptions } from './service-context.ts'
import { realSleep } from './timing.ts'

/** How often a call that waits looks whether there is room. */
const LOOK_MS = 250

/** How many calls of one branch may wait to open a session. */
const MOST_WAITING = 50

const RETRY_AFTER_S = 5
/** How many sessions are looked at for one that rests. */
const LOOKED_AT = 50

/** Whether there is room for what a caller wants, and makes it where the caller's own sessions rest. */
export interface ServiceRoom {
  /**
   * Waits until there is room for another sync session. Others of the same branch wait until `leave` is called.
   *
   * @throws MorangoError `too-many-requests`
   */
  forSession(owner: Owner): Promise<Leave>
  /**
   * Waits until there is room for that much in the Buffers.
   *
   * @param sessionId - of the session that it is for, which is never closed
   * @throws MorangoError `too-many-requests`
   */
  forRecords(owner: Owner, sessionId: string, records: number, bytes: number): Promise<void>
  /** Notes that a session is in use. */
  noteCall(sessionId: string): void
}

/**
 * The room of a service. Counts are those of the database, so they hold over processes; of several that open sessions at
 * the same moment each may take one place too many.
 *
 * @param closeSession - closes a session with its transfers and Buffers
 */
export function createServiceRoom(
  options: ServiceOptions,
  limits: ServiceLimits,
  closeSession: (id: string) => Promise<unknown>,
): ServiceRoom {
  const { db, clock, sleep = realSleep } = options
  const terms = leaseTerms(options)
  const opening = createKeyedPlaces({ places: () => 1, waiting: MOST_WAITING })
  const lastCalls = createLastCalls()

  return {
    async forSession(owner) {
      const leave = await opening.enter(owner.branch)
      if (leave === undefined) throw tooMany('Too many sync sessions are being opened.', RETRY_AFTER_S)
      try {
        const hasRoom = await waitUntil(async () => {
          const usage = await sessionUsage(db, owner)
          const full = exceeded(usage, 1, limits.syncSessions, owner.network)
          if (full === undefined) return true
          if (full === 'all') return await closeOfLargest(owner, usage.branch)
          return await closeResting({ certificate: owner.certificate })
        })
        if (!hasRoom) throw tooMany('Too many sync sessions are open.', RETRY_AFTER_S)
        return leave
      } catch (error) {
        leave()
        throw error
      }
    },

    async forRecords(owner, sessionId, records, bytes) {
      const hasRoom = await waitUntil(async () => {
        const usage = await bufferUsage(db, owner)
        const full =
          exceeded(usage.records, records, limits.bufferedRecords, owner.network) ??
          exceeded(usage.bytes, bytes, limits.bufferedBytes, owner.network)
        return full === undefined || (await closeResting({ certificate: owner.certificate }, sessionId))
      })
      if (!hasRoom) throw tooMany('Too many records of unfinished transfers are kept.', RETRY_AFTER_S)
    },

    noteCall: (sessionId) => lastCalls.note(sessionId, clock.now().getTime()),
  }

  /** Looks again and again until there is room, for as long as a call may wait. */
  async function waitUntil(look: () => Promise<boolean>): Promise<boolean> {
    for (let waited = 0; ; waited += LOOK_MS) {
      // oxlint-disable-next-line no-await-in-loop
      if (await look()) return true
      if (waited >= limits.queueMs) return false
      // oxlint-disable-next-line no-await-in-loop
      await sleep(LOOK_MS)
    }
  }

  /** Closes the session of the owner's that rests longest. @returns false when none rests */
  async function closeResting(
    of: { readonly certificate: string } | { readonly branch: string },
    except?: string,
    restMs: number = limits.restMs,
  ): Promise<boolean> {
    const before = clock.now().getTime() - restMs
    const candidates = await restingSessions(db, of, terms.now, LOOKED_AT)
    const resting = candidates.find(
      ({ id, lastActivityAt }) =>
        id !== except && Math.max(Date.parse(lastActivityAt), lastCalls.of(id)) <= before,
    )
    if (resting === undefined) return false
    await closeSession(resting.id)
    return true
  }

  /** Takes a place of the branch that has most, if that is more than the caller's has. */
  async function closeOfLargest(owner: Owner, own: number): Promise<boolean> {
    const largest = await largestBranch(db)
    if (largest === undefined || largest.sessions <= own + 1) {
      return await closeResting({ certificate: owner.certificate })
    }
    return await closeResting({ branch: largest.branch })
  }
}

/** When sessions were last called, as far as this process has seen it. */
function createLastCalls(): { note(id: string, at: number): void; of(id: string): number } {
  const calls = new Map<string, number>()
  return {
    note(id, at) {
      calls.delete(id)
      calls.set(id, at)
      if (calls.size <= MOST_CALLS) return
      const [oldest] = calls.keys()
      if (oldest !== undefined) calls.delete(oldest)
    },
    of: (id) => calls.get(id) ?? 0,
  }
}

const MOST_CALLS = 10_000

/** On whose allowances a session is that is served. */
export function ownerOf(session: {
  readonly clientCertificateId: string
  readonly clientBranch?: string
  readonly clientNetwork?: string
}): Owner {
  const { clientCertificateId: certificate, clientBranch = '', clientNetwork = '' } = session
  // Sessions of earlier releases have no branch.
  return { certificate, branch: clientBranch === '' ? certificate : clientBranch, network: clientNetwork }
}

/** On whose allowances a session of two chains, root first, would be. */
export function ownerFor(
  clientChain: readonly string[],
  serverChain: readonly string[],
  caller: Caller,
): Owner {
  const branch = branchOf(clientChain, serverChain)
  return { certificate: clientChain.at(-1) ?? '', branch, network: networkOf(caller.ip) }
}
