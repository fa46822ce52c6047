import { isMorangoError } from '../core/errors.ts'
import { filterToString, isFilterSubset, parseFilter } from '../core/filter.ts'
import type { Filter } from '../core/filter.ts'
import { emptyPartitions } from '../core/fsic.ts'
import type { PartitionCounters } from '../core/fsic.ts'
import type { CompiledModel } from '../models/compiled.ts'
import type { CallOptions, Peer } from '../protocol/peer.ts'
import { getCertificate, heldCertificates } from '../storage/certificates.ts'
import type { Dialect } from '../storage/dialect.ts'
import { nameInstance } from '../storage/known-instances.ts'
import { readRecordFacts } from '../storage/record-facts.ts'
import type { RecordFacts } from '../storage/record-facts.ts'
import { findTransfer, recentTransfers } from '../storage/transfer-history.ts'
import type { PastTransfer } from '../storage/transfer-history.ts'
import { certificateScope } from './certificates.ts'
import type { ClientContext } from './client-context.ts'
import type { CertificateEvidence, Explanation, TransferEvidence } from './explanation.ts'
import { isAbsent, judgeLinks, partitionOf } from './explain-links.ts'
import type { PeerFacts } from './explain-links.ts'
import { addClaims, bestClaim, claimsByTransfers, claimsIn, isThrough } from './peer-claims.ts'
import type { Direction } from './plan.ts'
import { probePeer } from './probe.ts'
import type { Probe } from './probe.ts'

/** About which sync a record is explained. */
export interface ExplainOptions extends CallOptions {
  /** A peer to ask what it has; without, the last one synced with, as far as is known. */
  readonly peer?: Peer | undefined
  /** The filter of the sync; without, that of the last transfer with the peer. */
  readonly filter?: string | undefined
}

/** The peer in question, by the sessions with it and by what it answered. */
interface PeerView {
  readonly label: string
  readonly url: string
  readonly instanceId: string | undefined
  readonly transfers: readonly PastTransfer[]
  readonly claims: PartitionCounters
  readonly asked: boolean
  readonly hasMore: PeerFacts['hasMore']
  readonly refusal: string | undefined
  /** The certificates of the last session, or of the one in which it was asked. */
  readonly pair: { readonly ours: string; readonly theirs: string } | undefined
}

/**
 * Walks the chain from a row to a peer's row, and names the first link that fails. Reads only; a peer that is named is
 * asked what it has, by a session that is closed again.
 *
 * @throws MorangoError `network`, `peer-error` and the like when a peer that is named cannot be asked
 */
export async function explainRecord(
  context: ClientContext,
  dialect: Dialect,
  model: CompiledModel,
  id: string,
  options: ExplainOptions = {},
): Promise<Explanation> {
  const { db } = context
  const record = await readRecordFacts(db, dialect, model, id)
  const known = await recentTransfers(db, { profile: model.profile, url: options.peer?.url })
  const direction: Direction =
    isAbsent(record) || (record.store === undefined && !record.rowExists) ? 'pull' : 'push'
  const past = sameInstance(known)
  const filter = options.filter === undefined ? lastFilter(past) : parseFilter(options.filter)
  const peer = await viewPeer(context, { past, record, direction, filter }, options)
  const saved = record.store
  const partition = partitionOf(record)
  const brought =
    saved?.transferSessionId == null ? undefined : await findTransfer(db, saved.transferSessionId)
  const lastSent = past.find(({ weSend }) => weSend)
  const facts: PeerFacts | undefined = peer && {
    label: peer.label,
    asked: peer.asked,
    hasMore: peer.hasMore,
    lastTransferAt: peer.transfers[0]?.transfer.lastActivityAt,
    claimed:
      saved === undefined || partition === undefined
        ? undefined
        : bestClaim(peer.claims, partition, saved.instance),
  }
  const links = judgeLinks({
    table: model.table,
    record,
    savedBy: saved && (await nameInstance(db, saved.instance)),
    broughtBy: brought && evidenceOf(brought),
    filter,
    peer: facts,
    certificates: await certificatesFor(context, { peer, filter, partition, direction }),
    refusal: peer?.refusal,
    direction,
    underway: await underwayOf(context, record),
    stuck: lastSent === undefined || isThrough(lastSent.transfer) ? undefined : evidenceOf(lastSent),
  })
  const failed = links.find(({ state }) => state === 'failed')
  return {
    model: model.name,
    table: model.table,
    id,
    peer: peer && {
      url: peer.url,
      instance: peer.instanceId === undefined ? undefined : await nameInstance(db, peer.instanceId),
      asked: peer.asked,
      lastTransferAt: facts?.lastTransferAt,
    },
    verdict: {
      link: failed?.link,
      sentence: failed?.sentence ?? goodNews(record, facts),
      hint: failed?.hint,
    },
    links,
  }
}

function goodNews({ store }: RecordFacts, peer: PeerFacts | undefined): string {
  const deleted = store?.deleted === true
  const what = deleted ? 'The deletion' : 'The record'
  const otherwise = deleted ? 'If its row is still there' : 'If it is not in its table'
  if (peer?.claimed === undefined) return `${what} is ready to sync; nothing here is in its way.`
  return `${what} has synced: ${peer.label} has this version. ${otherwise}, explain it there.`
}

/** Of the transfers found, those with the instance of the newest. */
function sameInstance(transfers: readonly PastTransfer[]): PastTransfer[] {
  const newest = transfers[0]?.peerInstanceId
  return transfers.filter(({ peerInstanceId }) => peerInstanceId === newest)
}

function lastFilter(past: readonly PastTransfer[]): Filter | undefined {
  const last = past.find(({ weSend }) => weSend) ?? past[0]
  return last === undefined ? undefined : parseFilter(last.transfer.filter)
}

async function viewPeer(
  context: ClientContext,
  {
    past,
    record,
    direction,
    filter,
  }: {
    readonly past: readonly PastTransfer[]
    readonly record: RecordFacts
    readonly direction: Direction
    readonly filter: Filter | undefined
  },
  { peer, signal }: ExplainOptions,
): Promise<PeerView | undefined> {
  const [last] = past
  const instance =
    last?.peerInstanceId == null ? undefined : await nameInstance(context.db, last.peerInstanceId)
  const remembered: PeerView | undefined = last && {
    label: instance === undefined ? last.peer : `${instance.name} (${instance.hostname ?? last.peer})`,
    url: last.peer,
    instanceId: last.peerInstanceId ?? undefined,
    transfers: past,
    claims: claimsByTransfers(past),
    asked: false,
    hasMore: undefined,
    refusal: undefined,
    pair: { ours: last.ownCertificateId, theirs: last.peerCertificateId },
  }
  if (peer === undefined) return remembered
  const stranger: PeerView = {
    label: peer.url,
    url: peer.url,
    instanceId: undefined,
    transfers: [],
    claims: emptyPartitions(),
    asked: false,
    hasMore: undefined,
    refusal: undefined,
    pair: undefined,
  }
  const view = remembered ?? stranger
  const partition = partitionOf(record)
  const about = filter ?? (partition === undefined ? undefined : [partition])
  if (about === undefined) return view
  try {
    return await probePeer(
      context,
      peer,
      { push: direction === 'push', filter: about, signal },
      async (probe) => {
        const { session, format, serverFsic, foresee } = probe
        const role = direction === 'push' ? 'receiver' : 'producer'
        const claims = claimsIn(serverFsic, { format, filter: about, role })
        const hasMore = direction === 'pull' ? await wouldBring(foresee, record.id) : undefined
        const { serverInstanceId, clientCertificateId, serverCertificateId } = session.record
        // What it says now counts, even if it said more before: it may have been restored since.
        const own = emptyPartitions()
        addClaims(own, claims)
        const name = serverInstanceId === null ? undefined : await nameInstance(context.db, serverInstanceId)
        return {
          ...view,
          label: name === undefined ? peer.url : `${name.name} (${name.hostname ?? peer.url})`,
          instanceId: serverInstanceId ?? undefined,
          claims: own,
          asked: true,
          hasMore,
          pair: { ours: clientCertificateId, theirs: serverCertificateId },
        }
      },
    )
  } catch (error) {
    if (isMorangoError(error, 'unknown-certificate') || isMorangoError(error, 'scope-not-permitted')) {
      return {
        ...view,
        refusal: `No certificates of both sides permit a ${direction} of ${filterToString(about)}.`,
      }
    }
    throw error
  }
}

/** Whether a pull would bring something, and just this record, as far as the peer names them. */
async function wouldBring(foresee: Probe['foresee'], id: string): Promise<PeerFacts['hasMore']> {
  const { records, preview } = await foresee()
  if (preview?.ids?.includes(id) === true) return 'this'
  return records === 0 ? 'nothing' : preview?.ids === undefined ? 'something' : 'others'
}

async function certificatesFor(
  context: ClientContext,
  {
    peer,
    filter,
    partition,
    direction,
  }: {
    readonly peer: PeerView | undefined
    readonly filter: Filter | undefined
    readonly partition: string | undefined
    readonly direction: Direction
  },
): Promise<CertificateEvidence[]> {
  // What is outside the filter fails before.
  const about = filter ?? (partition === undefined ? undefined : [partition])
  if (about === undefined) return []
  const judge = async (id: string, side: 'ours' | 'theirs'): Promise<CertificateEvidence[]> => {
    const certificate = await getCertificate(context.db, id)
    if (certificate === undefined) return []
    const writes = (side === 'ours') === (direction === 'push')
    try {
      const { read, write } = certificateScope(context, certificate)
      const allows = writes ? write : read
      return [
        { side, id, scope: certificate.scopeDefinitionId, permits: isFilterSubset(about, allows), allows },
      ]
    } catch (error) {
      if (!isMorangoError(error)) throw error
      return [{ side, id, scope: certificate.scopeDefinitionId, permits: false, allows: [] }]
    }
  }
  if (peer?.pair !== undefined && peer.refusal === undefined) {
    return [...(await judge(peer.pair.ours, 'ours')), ...(await judge(peer.pair.theirs, 'theirs'))]
  }
  const held = await heldCertificates(context.db, context.profile)
  const all = (await Promise.all(held.map(({ certificate }) => judge(certificate.id, 'ours')))).flat()
  const best = all.find(({ permits }) => permits) ?? all[0]
  return best === undefined ? [] : [best]
}

async function underwayOf({ db }: ClientContext, record: RecordFacts): Promise<TransferEvidence[]> {
  const found: TransferEvidence[] = []
  for (const { transferSessionId, position } of [...record.queued, ...record.received]) {
    // oxlint-disable-next-line no-await-in-loop
    const transfer = await findTransfer(db, transferSessionId)
    if (transfer === undefined || !transfer.transfer.active) continue
    found.push({ ...evidenceOf(transfer), position: position === undefined ? undefined : position + 1 })
  }
  return found
}

function evidenceOf({ transfer, isServer, peer, peerCertificateId }: PastTransfer): TransferEvidence {
  const { id, push, stage, status, error, recordsTransferred, recordsTotal, lastActivityAt } = transfer
  return {
    id,
    direction: push ? 'push' : 'pull',
    role: isServer ? 'server' : 'client',
    peer,
    stage,
    status,
    error,
    recordsTransferred,
    recordsTotal,
    lastActivityAt,
    certificate: peerCertificateId,
    position: undefined,
  }
}
