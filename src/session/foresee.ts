import { isMorangoError } from '../core/errors.ts'
import { parseFilter, requireFilterLimits } from '../core/filter.ts'
import type { Filter } from '../core/filter.ts'
import type { CallOptions, Peer } from '../protocol/peer.ts'
import { knownFsic } from './capability-use.ts'
import type { ClientContext } from './client-context.ts'
import type { Direction } from './plan.ts'
import type { PreviewedModel } from './ports.ts'
import { probePeer } from './probe.ts'

/** Which sync to foresee. */
export interface ForeseeOptions extends CallOptions {
  readonly direction: Direction | 'both'
  /** Partition prefixes, separated by whitespace. */
  readonly filter: string
  readonly certificate?: string | undefined
  readonly serverCertificate?: string | undefined
}

/** What would go in one direction. */
export interface PlannedTransfer {
  readonly direction: Direction
  readonly records: number
  /** By model, with their bytes before compression; undefined where the peer tells the number only. */
  readonly models: readonly PreviewedModel[] | undefined
}

/** What a sync would do now. */
export interface SyncPlan {
  readonly transfers: readonly PlannedTransfer[]
  /**
   * Records that were changed on both sides; undefined where that cannot be known: the peer does not name what it
   * would send, or too much, or the filter may not be pushed.
   */
  readonly conflicts: number | undefined
  /** Changed rows that could not be sent, and would be problems. */
  readonly unserializable: number
  /** What asking has taken. */
  readonly bytes: { readonly sent: number; readonly received: number }
}

/**
 * What a sync would do, without doing it: nothing is stamped or written here, and no record moves. The peer serializes
 * its changes, as it would for a sync, and keeps a closed session.
 *
 * @throws MorangoError as a sync does that cannot begin
 */
export async function foreseeSync(
  context: ClientContext,
  peer: Peer,
  options: ForeseeOptions,
): Promise<SyncPlan> {
  const { sent, received } = peer.traffic
  const filter = parseFilter(options.filter)
  requireFilterLimits(filter)
  const { direction } = options
  const transfers: PlannedTransfer[] = []
  let conflicts: number | undefined = 0
  let unserializable = 0
  if (direction !== 'push') {
    const { coming, ids } = await foreseePull(context, peer, filter, options)
    transfers.push(coming)
    conflicts = await countConflicts(context, peer, filter, options, coming, ids)
  }
  if (direction !== 'pull') {
    const going = await foreseePush(context, peer, filter, options)
    transfers.push(going.transfer)
    unserializable = going.unserializable
  }
  const bytes = { sent: peer.traffic.sent - sent, received: peer.traffic.received - received }
  return { transfers, conflicts, unserializable, bytes }
}

async function foreseePull(
  context: ClientContext,
  peer: Peer,
  filter: Filter,
  options: ForeseeOptions,
): Promise<{ coming: PlannedTransfer; ids: readonly string[] | undefined }> {
  return await probePeer(context, peer, { ...options, filter, push: false }, async ({ foresee }) => {
    const { records, preview } = await foresee()
    const coming: PlannedTransfer = { direction: 'pull', records, models: preview?.models }
    return { coming, ids: preview?.ids }
  })
}

/** Of what would come, what was changed here, too, and the peer does not know of. */
async function countConflicts(
  context: ClientContext,
  peer: Peer,
  filter: Filter,
  options: ForeseeOptions,
  { records }: PlannedTransfer,
  ids: readonly string[] | undefined,
): Promise<number | undefined> {
  if (records === 0) return 0
  if (ids === undefined) return undefined
  const { engine, profile } = context
  try {
    return await probePeer(
      context,
      peer,
      { ...options, filter, push: true },
      async ({ format, serverFsic }) => {
        const peerFsic = knownFsic(serverFsic, format)
        return await engine.countChanged({ profile, filter, peerFsic, format, ids })
      },
    )
  } catch (error) {
    // Who may only read cannot ask what the peer knows of its changes.
    if (isMorangoError(error, 'scope-not-permitted') || isMorangoError(error, 'unknown-certificate'))
      return undefined
    throw error
  }
}

async function foreseePush(
  context: ClientContext,
  peer: Peer,
  filter: Filter,
  options: ForeseeOptions,
): Promise<{ transfer: PlannedTransfer; unserializable: number }> {
  const { engine, profile } = context
  return await probePeer(
    context,
    peer,
    { ...options, filter, push: true },
    async ({ format, serverFsic }) => {
      const peerFsic = knownFsic(serverFsic, format)
      const { signal } = options
      const { models, unserializable } = await engine.preview({ profile, filter, peerFsic, format, signal })
      const records = models.reduce((sum, model) => sum + model.records, 0)
      return { transfer: { direction: 'push', records, models }, unserializable }
    },
  )
}
