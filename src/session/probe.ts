import { MorangoError } from '../core/errors.ts'
import { filterToString } from '../core/filter.ts'
import type { Filter } from '../core/filter.ts'
import { isBefore } from '../core/stages.ts'
import type { Stage } from '../core/stages.ts'
import type { TransferPreview, TransferSessionView } from '../protocol/messages.ts'
import type { CallOptions, Peer } from '../protocol/peer.ts'
import { deleteSyncSession } from '../storage/sync-sessions.ts'
import { mannerOf } from './capability-use.ts'
import type { ClientContext } from './client-context.ts'
import { negotiate, openSession } from './connect.ts'
import type { SyncSession } from './connect.ts'
import { pollDelay } from './machine.ts'
import type { FsicFormat } from './ports.ts'

/** How often a peer is asked whether it has come to the end of a stage. It may have a lot to do. */
const MOST_POLLS = 600

/** Which transfer to ask about. */
export interface ProbeWishes extends CallOptions {
  readonly filter: Filter
  readonly push: boolean
  readonly certificate?: string | undefined
  readonly serverCertificate?: string | undefined
}

/** What a pull would bring. */
export interface Foreseen {
  readonly records: number
  /** Undefined of a peer that cannot tell more than the number: any of the original. */
  readonly preview: TransferPreview | undefined
}

/** A transfer that has come as far as the counters, and in which no record will move. */
export interface Probe {
  readonly session: SyncSession
  readonly format: FsicFormat
  /** What the peer has, as it says itself. */
  readonly serverFsic: string
  /** Of a pull: what it would bring. */
  readonly foresee: () => Promise<Foreseen>
}

/**
 * Asks a peer what it has under a filter, as a sync does, and lets `work` look at the answer. No record moves. What
 * stays at the peer is a closed session; here nothing does.
 *
 * @throws MorangoError as a sync does that cannot begin
 */
export async function probePeer<T>(
  context: ClientContext,
  peer: Peer,
  wishes: ProbeWishes,
  work: (probe: Probe) => Promise<T>,
): Promise<T> {
  const { filter, push, certificate, serverCertificate, signal } = wishes
  const call = { signal }
  const negotiated = negotiate(context, peer, call)
  const certificates = { clientCertificateId: certificate, serverCertificateId: serverCertificate }
  const wanted = { ...certificates, transfers: [{ push, filter }] }
  const session = await openSession(context, peer, wanted, negotiated, call)
  const capabilities = await negotiated
  const { mode, format } = mannerOf(capabilities)
  const id = context.random.uuid()
  let queued: number | undefined
  try {
    const serverFsic = await compareCounters()
    const result = await work({ session, format, serverFsic, foresee })
    await endInOrder()
    return result
  } finally {
    // Closing the session gives up what is left of the transfer.
    await session.close(call)
    await deleteSyncSession(context.db, session.record.id)
  }

  async function compareCounters(): Promise<string> {
    const clientFsic = await context.engine.fsic({ filter, role: push ? 'producer' : 'receiver', format })
    const staged = mode !== 'bundled'
    const created = await peer.createTransferSession(
      {
        id,
        filter: filterToString(filter),
        push,
        sync_session_id: session.record.id,
        client_fsic: staged ? '{}' : clientFsic,
      },
      call,
    )
    const view = staged
      ? await advance('serializing', { transfer_stage: 'serializing', client_fsic: clientFsic })
      : created
    if (view.transfer_stage_status === 'errored') throw noAnswer(peer)
    if (!push) queued = view.records_total ?? undefined
    return view.server_fsic ?? '{}'
  }

  async function foresee(): Promise<Foreseen> {
    if (capabilities.has('TRANSFER_PREVIEW')) {
      const { preview } = await peer.updateTransferSession(id, { preview: true }, call)
      if (preview !== undefined) {
        return { preview, records: preview.models.reduce((sum, { records }) => sum + records, 0) }
      }
    }
    if (mode !== 'bundled') {
      queued = (await advance('queuing', { transfer_stage: 'queuing' })).records_total ?? undefined
    }
    if (queued === undefined) throw noAnswer(peer)
    return { preview: undefined, records: queued }
  }

  /**
   * Ends the transfer as one in which nothing is left to do: the original clears the Buffer of such a one at once, and
   * of any other only hours later. Nothing was announced of a push, so the peer learns nothing from it.
   */
  async function endInOrder(): Promise<void> {
    if (push) {
      const nothing = { records_total: 0 }
      const patch = mode === 'bundled' ? nothing : { ...nothing, transfer_stage: 'queuing' as const }
      await peer.updateTransferSession(id, patch, call)
    } else {
      // Nothing is in its Buffer.
      if (queued === undefined) return
      const all = { transfer_stage: 'transferring', records_transferred: queued } as const
      await peer.updateTransferSession(id, all, call)
    }
    await peer.closeTransferSession(id, call)
  }

  /** Has the peer come to the end of a stage. */
  async function advance(
    stage: Stage,
    patch: Parameters<Peer['updateTransferSession']>[1],
  ): Promise<TransferSessionView> {
    let view = await peer.updateTransferSession(id, patch, call)
    for (let polls = 0; !isDone(view, stage); polls++) {
      // oxlint-disable-next-line no-await-in-loop
      await context.sleep(pollDelay(polls), signal)
      if (signal?.aborted === true) throw new MorangoError('aborted', 'The question was stopped')
      // oxlint-disable-next-line no-await-in-loop
      const next = await peer.transferSession(id, call)
      if (next === undefined || polls > MOST_POLLS) throw noAnswer(peer)
      view = next
    }
    if (view.transfer_stage_status === 'errored') throw noAnswer(peer)
    return view
  }
}

function isDone(
  { transfer_stage: at, transfer_stage_status: status }: TransferSessionView,
  stage: Stage,
): boolean {
  return status === 'errored' || isBefore(stage, at) || (stage === at && status === 'completed')
}

function noAnswer(peer: Peer): MorangoError {
  return new MorangoError('transfer-errored', `${peer.url} could not tell what it has`, {
    hint: 'The reason is kept with the transfer session at the peer.',
  })
}
