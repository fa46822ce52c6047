import { filterContains, parseFilter } from '../core/filter.ts'
import type { Filter } from '../core/filter.ts'
import { emptyPartitions } from '../core/fsic.ts'
import type { PartitionCounters } from '../core/fsic.ts'
import { fsicToText } from '../core/fsic-text.ts'
import { readAttempts } from '../storage/attempts.ts'
import { currentInstance } from '../storage/instance.ts'
import { nameInstance } from '../storage/known-instances.ts'
import type { InstanceName } from '../storage/known-instances.ts'
import { readSessionGroups, recentTransfers } from '../storage/transfer-history.ts'
import type { PastTransfer, SessionGroup } from '../storage/transfer-history.ts'
import type { ClientContext } from './client-context.ts'
import { bestClaim, claimsByTransfers, isThrough } from './peer-claims.ts'

/** The last transfer with a peer in one direction. */
export interface LastTransfer {
  readonly filter: string
  readonly at: string
  /** Whether it came to its end. */
  readonly complete: boolean
  readonly recordsTransferred: number
  readonly recordsTotal: number | null
}

/** How far a peer is with what is here, under the filter of the last transfer to it. */
export interface PeerProgress {
  readonly filter: string
  /** It has everything that this database saved up to this counter; undefined when it claims nothing of it. */
  readonly counter: number | undefined
  /** The counter here. */
  readonly ownCounter: number
  /** Records that it does not have yet, changes that are not serialized among them. */
  readonly records: number
}

/** Another instance that this one has synced with, or has tried to. */
export interface PeerSummary {
  /** Undefined as long as no session was opened. */
  readonly instance: InstanceName | undefined
  /** What it is to this database: a server that it syncs with, or a client that comes here. */
  readonly role: 'server' | 'client'
  /** A server's base URL, or the address of a client, which may be empty. */
  readonly address: string
  readonly profile: string
  readonly lastAttemptAt: string
  /** When a sync, or of a client a transfer, last came to its end. */
  readonly lastSuccessAt: string | undefined
  /** What the last attempt failed of. */
  readonly lastError: { readonly code: string; readonly message: string } | undefined
  readonly sent: LastTransfer | undefined
  readonly received: LastTransfer | undefined
  /** Undefined where nothing was ever sent. */
  readonly progress: PeerProgress | undefined
  /** Sessions that are not closed: a sync under way, parked, or left. */
  readonly openSessions: number
}

/** Who this database has synced with, the last first, and how far they are by what they said then. */
export async function listPeers(context: ClientContext): Promise<PeerSummary[]> {
  const { db, profile } = context
  const attempts = await readAttempts(db, profile)
  const peers: PeerSummary[] = []
  for (const group of await readSessionGroups(db, profile)) {
    // oxlint-disable-next-line no-await-in-loop
    const summary = await summarize(context, group)
    const attempt = summary.role === 'server' ? attempts.find(({ url }) => url === group.address) : undefined
    peers.push(
      attempt === undefined
        ? summary
        : {
            ...summary,
            lastAttemptAt: latest(attempt.attemptedAt, summary.lastAttemptAt),
            lastSuccessAt: attempt.succeededAt ?? summary.lastSuccessAt,
            lastError: attempt.error,
          },
    )
  }
  const reached = new Set(peers.flatMap(({ role, address }) => (role === 'server' ? [address] : [])))
  for (const { url, attemptedAt, succeededAt, error } of attempts) {
    if (reached.has(url)) continue
    peers.push({
      instance: undefined,
      role: 'server',
      address: url,
      profile,
      lastAttemptAt: attemptedAt,
      lastSuccessAt: succeededAt ?? undefined,
      lastError: error,
      sent: undefined,
      received: undefined,
      progress: undefined,
      openSessions: 0,
    })
  }
  return peers.toSorted((a, b) => (a.lastAttemptAt < b.lastAttemptAt ? 1 : -1))
}

async function summarize(context: ClientContext, group: SessionGroup): Promise<PeerSummary> {
  const { db, profile } = context
  const { instanceId, isServer, address } = group
  const transfers = await recentTransfers(db, { profile, with: group })
  const sent = transfers.find(({ weSend }) => weSend)
  const received = transfers.find(({ weSend }) => !weSend)
  const last = transfers[0]?.transfer
  const error = last?.status === 'errored' ? last.error : null
  return {
    instance: instanceId === null ? undefined : await nameInstance(db, instanceId),
    role: isServer ? 'client' : 'server',
    address,
    profile,
    lastAttemptAt: group.lastActivityAt,
    lastSuccessAt: transfers.find(({ transfer }) => isThrough(transfer))?.transfer.lastActivityAt,
    lastError: error === null ? undefined : { code: 'stage-failed', message: error },
    sent: lastTransfer(sent),
    received: lastTransfer(received),
    progress: sent === undefined ? undefined : await progressOf(context, sent, claimsByTransfers(transfers)),
    openSessions: group.open,
  }
}

async function progressOf(
  { db, engine, profile }: ClientContext,
  { transfer }: PastTransfer,
  claims: PartitionCounters,
): Promise<PeerProgress> {
  const filter = parseFilter(transfer.filter)
  const { id, counter: ownCounter } = await currentInstance(db)
  const { models } = await engine.preview({
    profile,
    filter,
    peerFsic: asFsic(claims, filter),
    format: 'v2',
  })
  const counters = filter.map((prefix) => bestClaim(claims, prefix, id)?.counter)
  const known = counters.flatMap((counter) => counter ?? [])
  return {
    filter: transfer.filter,
    counter: known.length === counters.length ? Math.min(...known) : undefined,
    ownCounter,
    records: models.reduce((sum, { records }) => sum + records, 0),
  }
}

/** Claims as a peer would state them for a filter. */
function asFsic(claims: PartitionCounters, filter: Filter): string {
  const fsic = { super: emptyPartitions(), sub: emptyPartitions() }
  for (const [partition, counters] of Object.entries(claims)) {
    if (filterContains(filter, partition)) fsic.sub[partition] = counters
    else if (filter.some((prefix) => prefix.startsWith(partition))) fsic.super[partition] = counters
  }
  return fsicToText(fsic)
}

function lastTransfer(past: PastTransfer | undefined): LastTransfer | undefined {
  if (past === undefined) return undefined
  const { filter, lastActivityAt, recordsTransferred, recordsTotal } = past.transfer
  return { filter, at: lastActivityAt, complete: isThrough(past.transfer), recordsTransferred, recordsTotal }
}

function latest(a: string, b: string): string {
  return a > b ? a : b
}
