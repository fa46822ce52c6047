import { filtersEqual, parseFilter } from '../core/filter.ts'
import type { Filter } from '../core/filter.ts'
import type { CallOptions, Peer } from '../protocol/peer.ts'
import { getCertificate, getHeldCertificate } from '../storage/certificates.ts'
import { unfinishedClientTransfers } from '../storage/left-transfers.ts'
import { getSyncSession } from '../storage/sync-sessions.ts'
import { deactivateTransfer } from '../storage/transfer-sessions.ts'
import type { TransferRecord } from '../storage/transfer-sessions.ts'
import type { LeaseHold } from './ports.ts'
import { mannerOf } from './capability-use.ts'
import type { WantedTransfer } from './certificate-choice.ts'
import type { ClientContext } from './client-context.ts'
import { retrying, sessionOf } from './connect.ts'
import type { SyncSession } from './connect.ts'
import { isUsable } from './refused-certificates.ts'
import { scopeRefusal } from './transfer-scope.ts'

/** A transfer that an earlier sync left, with its session. */
export interface Unfinished {
  readonly transfer: TransferRecord
  readonly session: SyncSession
}

/** Which unfinished transfers are meant; whatever is missing means any. */
export interface UnfinishedQuery {
  readonly push?: boolean | undefined
  readonly filter?: Filter | undefined
  readonly clientCertificateId?: string | undefined
}

/**
 * The transfers with a peer that were begun and neither finished nor given up, newest first, but those that
 * run in this process now; others may be running elsewhere, which `takeLeft` finds out. By URL, direction and filter, not by process (protocol §5, resuming).
 */
export async function findUnfinished(
  context: ClientContext,
  peer: Peer,
  query: UnfinishedQuery,
): Promise<Unfinished[]> {
  const { db, profile, running } = context
  const found: Unfinished[] = []
  for (const transfer of await unfinishedClientTransfers(db, { connectionPath: peer.url, profile })) {
    if (running.has(transfer.id)) continue
    if (query.push !== undefined && transfer.push !== query.push) continue
    if (query.filter !== undefined && !filtersEqual(parseFilter(transfer.filter), query.filter)) continue
    // oxlint-disable-next-line no-await-in-loop
    const record = await getSyncSession(db, transfer.syncSessionId)
    if (record === undefined) continue
    if (query.clientCertificateId !== undefined && record.clientCertificateId !== query.clientCertificateId) {
      continue
    }
    found.push({ transfer, session: sessionOf(context, peer, record) })
  }
  return found
}

/**
 * Whether an unfinished transfer can go on: both sides work together as they did, the certificates still
 * permit it, and the peer knows the session.
 */
export async function canGoOn(
  context: ClientContext,
  { transfer, session }: Unfinished,
  capabilities: ReadonlySet<string>,
  options?: CallOptions,
): Promise<boolean> {
  const { record, peer } = session
  const now = mannerOf(capabilities)
  const then = mannerOf(record.capabilities)
  if (now.mode !== then.mode || now.format !== then.format) return false
  const wanted = { push: transfer.push, filter: parseFilter(transfer.filter) }
  if (!(await sessionPermits(context, session, wanted))) return false
  const there = await retrying(context, () => peer.syncSession(record.id, options), options)
  return there !== undefined
}

/** Whether the certificates of a session are still here and permit a transfer. */
export async function sessionPermits(
  context: ClientContext,
  { record }: SyncSession,
  wanted: WantedTransfer,
): Promise<boolean> {
  const held = await getHeldCertificate(context.db, record.clientCertificateId)
  const server = await getCertificate(context.db, record.serverCertificateId)
  if (held === undefined || server === undefined) return false
  if (scopeRefusal(context, { ...wanted, client: held.certificate, server }) !== undefined) return false
  return (await isUsable(context, held.certificate)) && (await isUsable(context, server))
}

/**
 * Gives a transfer and its session up: nothing of it stays here, and the peer is told if it can be.
 *
 * @throws MorangoError `lease-lost` when it is no longer this run's to give up
 */
export async function giveUp(
  context: ClientContext,
  { transfer, session }: Unfinished,
  lease: LeaseHold,
  options?: CallOptions,
): Promise<void> {
  await context.engine.clearBuffers(transfer, lease)
  await deactivateTransfer(context.db, transfer.id, context.clock.now().toISOString())
  await session.close(options)
}
