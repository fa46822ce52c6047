import { isBefore } from '../core/stages.ts'
import type { SumsReply, SumsRequest } from '../protocol/messages.ts'
import type { SyncSessionRecord } from '../storage/sync-sessions.ts'
import type { TransferRecord } from '../storage/transfer-sessions.ts'
import { canCompareSets } from './capability-use.ts'
import type { ServiceOptions } from './service-context.ts'
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
 * Answers a client that compares sets (protocol §6). Of a pull, which its certificate lets it read, it is told the
 * server's sums; of a push only whether its own are the same. Empty when there is nothing to compare, or was today.
 */
export async function answerSums(
  options: ServiceOptions,
  session: SyncSessionRecord,
  transfer: TransferRecord,
  request: SumsRequest,
): Promise<SumsReply> {
  const { engine } = options
  if (!canCompareSets(session.capabilities) || !isDone(transfer)) return {}
  const compared = comparedTransfer(session, transfer)
  if (!(await engine.comparisonDue(compared))) return {}
  const { of, partitions, instances } = request
  if (!transfer.push) {
    if (of !== undefined) {
      const sums = await engine.partitionSums({ ...compared, instances: of })
      return { partitions: sums.map(partitionItem) }
    }
    const sums = await engine.instanceSums(compared)
    if (sums === undefined) return {}
    await engine.noteComparison(compared)
    return { instances: sums.map(instanceItem) }
  }
  if (partitions !== undefined) {
    const theirs = partitions.map(partitionSum)
    const mayForget = await forgettable(options, session, transfer.push)
    return { forgotten: await engine.settleSums({ ...compared, theirs, mayForget }) }
  }
  if (instances === undefined) return {}
  const ours = await engine.instanceSums(compared)
  if (ours === undefined) return {}
  await engine.noteComparison(compared)
  return { differ: differing(instances.map(instanceSum), ours) }
}

/** Whether all that the transfer was for is done at the server. */
function isDone({ push, stage, status, recordsTotal, recordsTransferred }: TransferRecord): boolean {
  const through = (last: 'serializing' | 'queuing' | 'deserializing'): boolean =>
    isBefore(last, stage) || (stage === last && status === 'completed')
  if (status === 'errored') return false
  if (!push) return through('queuing')
  const isEmpty = (recordsTotal ?? 0) === 0 && recordsTransferred === 0
  return isEmpty ? through('serializing') : through('deserializing')
}
