import { isMorangoError } from '../core/errors.ts'
import type { SumsReply, SumsRequest } from '../protocol/messages.ts'
import type { TransferRecord } from '../storage/transfer-sessions.ts'
import { canCompareSets } from './capability-use.ts'
import type { ClientContext } from './client-context.ts'
import type { SyncSession } from './connect.ts'
import {
  comparedTransfer,
  differing,
  forgettable,
  instanceItem,
  instanceSum,
  partitionItem,
  partitionSum,
} from './set-sums.ts'

/**
 * Compares what both sides have under the filter of a client's transfer that has nothing left to do but to be closed
 * (protocol §6). The receiver forgets what it claims and cannot have.
 *
 * @returns whether there is something to be asked for again
 */
export async function compareSets(
  context: ClientContext,
  { record, peer }: SyncSession,
  transfer: TransferRecord,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const { engine } = context
  if (!canCompareSets(record.capabilities) || transfer.recordsTotal === null) return false
  const compared = comparedTransfer(record, transfer)
  if (!(await engine.comparisonDue(compared))) return false
  const ours = await engine.instanceSums(compared)
  if (ours === undefined) return false
  const say = async (sums: SumsRequest): Promise<SumsReply> =>
    (await peer.updateTransferSession(transfer.id, { sums }, { signal })).sums ?? {}
  try {
    const forgotten = await (transfer.push ? tell() : ask())
    await engine.noteComparison(compared)
    return forgotten > 0
  } catch (error) {
    if (!isMorangoError(error, 'peer-error') && !isMorangoError(error, 'peer-protocol')) throw error
    // The transfer itself is over and well.
    context.onWarning?.({
      code: 'sets-not-compared',
      message: `What both sides have could not be compared with ${peer.url}: ${error.message}`,
      cause: error,
    })
    await engine.noteComparison(compared)
    return false
  }

  /** Of a pull the client is the receiver. */
  async function ask(): Promise<number> {
    const { instances = [] } = await say({})
    const of = differing(instances.map(instanceSum), ours ?? [])
    if (of.length === 0) return 0
    const { partitions = [] } = await say({ of })
    const mayForget = await forgettable(context, record, transfer.push)
    return await engine.settleSums({ ...compared, theirs: partitions.map(partitionSum), mayForget })
  }

  /** Of a push the server is; it says no more than whether sums differ. */
  async function tell(): Promise<number> {
    const { differ = [] } = await say({ instances: ours?.map(instanceItem) ?? [] })
    if (differ.length === 0) return 0
    const sums = await engine.partitionSums({ ...compared, instances: differ })
    if (sums.length === 0) return 0
    return (await say({ partitions: sums.map(partitionItem) })).forgotten ?? 0
  }
}
