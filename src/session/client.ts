import type { Certificate } from '../core/certificate.ts'
import { filterToString, parseFilter } from '../core/filter.ts'
import type { CompiledModel } from '../models/compiled.ts'
import type { CallOptions, Peer } from '../protocol/peer.ts'
import type { Dialect } from '../storage/dialect.ts'
import { activeTransfers } from '../storage/transfer-sessions.ts'
import type { WantedTransfer } from './certificate-choice.ts'
import { pushCertificate, requestCertificate } from './client-certificates.ts'
import type { CertificatePush, CertificateRequest } from './client-certificates.ts'
import { createClientContext } from './client-context.ts'
import type { ClientContext, RunOptions, SyncClientOptions } from './client-context.ts'
import { runTransfer } from './client-transfer.ts'
import { negotiate, openSession } from './connect.ts'
import type { SyncSession } from './connect.ts'
import { explainRecord } from './explain.ts'
import type { ExplainOptions } from './explain.ts'
import type { Explanation } from './explanation.ts'
import { foreseeSync } from './foresee.ts'
import type { ForeseeOptions, SyncPlan } from './foresee.ts'
import { listPeers } from './peers.ts'
import type { PeerSummary } from './peers.ts'
import { runOwn, takeLeft } from './own-transfer.ts'
import type { Direction } from './plan.ts'
import type { SyncReport, TransferReport } from './progress.ts'
import { syncWithPeer } from './sync.ts'
import type { SyncOptions } from './sync.ts'
import { createTransfer, finishedReport, hasFailed, outcomeError } from './transfer-run.ts'
import { canGoOn, findUnfinished, giveUp } from './unfinished.ts'

export type { CertificatePush, CertificateRequest } from './client-certificates.ts'
export type { RunOptions, SyncClientOptions } from './client-context.ts'
export type { SyncSession } from './connect.ts'
export type { SyncOptions } from './sync.ts'

/** Which session to open. Whatever is missing is chosen from what both sides hold. */
export interface ConnectOptions extends CallOptions {
  readonly clientCertificateId?: string | undefined
  readonly serverCertificateId?: string | undefined
  /** What it is for, so that the certificates chosen permit it. */
  readonly transfers?: readonly WantedTransfer[] | undefined
}

/** Which unfinished transfers to go on with; any when missing. */
export interface ResumeOptions extends RunOptions {
  readonly direction?: Direction | undefined
  readonly filter?: string | undefined
}

/** The client's side of the protocol on one database. */
export interface SyncClient {
  /** Opens a sync session. @throws MorangoError as {@link openSession} */
  connect(peer: Peer, options?: ConnectOptions): Promise<SyncSession>
  /** Gets a certificate by a signing request. @throws MorangoError as {@link requestCertificate} */
  requestCertificate(peer: Peer, request: CertificateRequest, options?: CallOptions): Promise<Certificate>
  /** Gives the peer a certificate. @throws MorangoError as {@link pushCertificate} */
  pushCertificate(peer: Peer, push: CertificatePush, options?: CallOptions): Promise<Certificate>
  /** One transfer from the server. @throws MorangoError as {@link finishedReport} */
  pull(session: SyncSession, filter: string, options?: RunOptions): Promise<TransferReport>
  /** One transfer to the server. @throws MorangoError as {@link finishedReport} */
  push(session: SyncSession, filter: string, options?: RunOptions): Promise<TransferReport>
  /** Goes on with what earlier syncs with this peer left, and begins nothing new. */
  resume(peer: Peer, options?: ResumeOptions): Promise<TransferReport[]>
  /** Everything: resumes or connects, pulls, pushes, closes. @throws MorangoError */
  sync(peer: Peer, options: SyncOptions): Promise<SyncReport>
  /** Who was synced with, and how far they are. */
  peers(): Promise<PeerSummary[]>
  /** What a sync would do now. @throws MorangoError as {@link foreseeSync} */
  plan(peer: Peer, options: ForeseeOptions): Promise<SyncPlan>
  /** Why a record did not sync. @throws MorangoError as {@link explainRecord} */
  explain(dialect: Dialect, model: CompiledModel, id: string, options?: ExplainOptions): Promise<Explanation>
}

/** A client on one database. */
export function createSyncClient(options: SyncClientOptions): SyncClient {
  const context = createClientContext(options)
  return {
    async connect(peer, wishes = {}) {
      const wanted = { ...wishes, transfers: wishes.transfers ?? [] }
      return openSession(context, peer, wanted, negotiate(context, peer, wishes), wishes)
    },
    requestCertificate: (peer, request, call) => requestCertificate(context, peer, request, call),
    pushCertificate: (peer, push, call) => pushCertificate(context, peer, push, call),
    pull: (session, filter, run) => transferIn(context, session, false, filter, run),
    push: (session, filter, run) => transferIn(context, session, true, filter, run),
    resume: (peer, run) => resumeAll(context, peer, run),
    sync: (peer, run) => syncWithPeer(context, peer, run),
    peers: () => listPeers(context),
    plan: (peer, about) => foreseeSync(context, peer, about),
    explain: (dialect, model, id, about) => explainRecord(context, dialect, model, id, about),
  }
}

async function transferIn(
  context: ClientContext,
  session: SyncSession,
  push: boolean,
  filter: string,
  options: RunOptions = {},
): Promise<TransferReport> {
  const left = await activeTransfers(context.db, session.record.id, push)
  const wanted = filterToString(parseFilter(filter))
  for (const found of left) {
    if (found.filter !== wanted || context.running.has(found.id)) continue
    // oxlint-disable-next-line no-await-in-loop
    const outcome = await runOwn(context, found.id, async (lease) => {
      const transfer = await takeLeft(context, found, lease, options)
      if (transfer === undefined) return undefined
      return await runTransfer(context, session, transfer, lease, { ...options, resumed: true })
    })
    if (outcome !== undefined) return finishedReport(outcome)
  }
  return await runOwn(context, context.random.uuid(), async (lease) => {
    const transfer = await createTransfer(context, session, lease, { push, filter: wanted })
    return finishedReport(
      await runTransfer(context, session, transfer, lease, { ...options, resumed: false }),
    )
  })
}

async function resumeAll(
  context: ClientContext,
  peer: Peer,
  options: ResumeOptions = {},
): Promise<TransferReport[]> {
  const { direction, filter } = options
  const left = await findUnfinished(context, peer, {
    push: direction === undefined ? undefined : direction === 'push',
    filter: filter === undefined ? undefined : parseFilter(filter),
  })
  if (left.length === 0) return []
  const capabilities = await negotiate(context, peer, options)
  const reports: TransferReport[] = []
  for (const { transfer: found, session } of left) {
    // One after the other, as all transfers of a session.
    // oxlint-disable-next-line no-await-in-loop
    await runOwn(context, found.id, async (lease) => {
      const transfer = await takeLeft(context, found, lease, options)
      if (transfer === undefined) return
      const unfinished = { transfer, session }
      if (await canGoOn(context, unfinished, capabilities, options)) {
        const outcome = await runTransfer(context, session, transfer, lease, { ...options, resumed: true })
        if (outcome.state.phase.kind === 'done') {
          reports.push(outcome.report)
          await session.close(options)
          return
        }
        if (!hasFailed(outcome)) throw outcomeError(outcome)
      }
      await giveUp(context, unfinished, lease, options)
    })
  }
  return reports
}
