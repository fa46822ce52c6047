import { parseFilter } from '../core/filter.ts'
import type { InstanceSumItem, PartitionSumItem } from '../protocol/messages.ts'
import { getCertificates } from '../storage/certificates.ts'
import type { SyncSessionRecord } from '../storage/sync-sessions.ts'
import type { TransferRecord } from '../storage/transfer-sessions.ts'
import { knownFsic } from './capability-use.ts'
import type { CertificateDeps } from './certificates.ts'
import type { ComparedTransfer, InstanceSum, PartitionSum } from './ports.ts'
import { scopeRefusal } from './transfer-scope.ts'

/** A finished transfer as the engine compares what came of it. */
export function comparedTransfer(
  { profile, isServer }: Pick<SyncSessionRecord, 'profile' | 'isServer'>,
  { id, push, filter, clientFsic, serverFsic }: TransferRecord,
): ComparedTransfer {
  const sends = push !== isServer
  const producer = knownFsic(push ? clientFsic : serverFsic, 'v2')
  const receiver = knownFsic(push ? serverFsic : clientFsic, 'v2')
  return {
    transferSessionId: id,
    profile,
    filter: parseFilter(filter),
    push,
    // With the transfer the receiver has learned what the producer claimed.
    peerClaims: sends ? [receiver, producer] : [producer],
  }
}

/**
 * Whose claims a peer may cause to be forgotten: those on partitions of which a transfer like this one is permitted, for
 * it can send those records again.
 */
export async function forgettable(
  deps: CertificateDeps,
  { clientCertificateId, serverCertificateId }: SyncSessionRecord,
  push: boolean,
): Promise<(partition: string) => boolean> {
  const known = await getCertificates(deps.db, [clientCertificateId, serverCertificateId])
  const [client, server] = [known.get(clientCertificateId), known.get(serverCertificateId)]
  if (client === undefined || server === undefined) return () => false
  const asked = new Map<string, boolean>()
  return (partition) => {
    const before = asked.get(partition)
    if (before !== undefined) return before
    const may = scopeRefusal(deps, { push, filter: [partition], client, server }) === undefined
    asked.set(partition, may)
    return may
  }
}

/** The instances of the producer's whose sets differ at the receiver. */
export function differing(theirs: readonly InstanceSum[], ours: readonly InstanceSum[]): string[] {
  const own = new Map(ours.map(({ instance, sum, records }) => [instance, `${records} ${sum}`]))
  return theirs.flatMap(({ instance, sum, records }) =>
    own.get(instance) === `${records} ${sum}` ? [] : [instance],
  )
}

export function instanceItem({ instance, records, sum }: InstanceSum): InstanceSumItem {
  return [instance, records, sum]
}

export function instanceSum([instance, records, sum]: InstanceSumItem): InstanceSum {
  return { instance, records, sum }
}

export function partitionItem({ partition, instance, records, sum }: PartitionSum): PartitionSumItem {
  return [partition, instance, records, sum]
}

export function partitionSum([partition, instance, records, sum]: PartitionSumItem): PartitionSum {
  return { partition, instance, records, sum }
}
