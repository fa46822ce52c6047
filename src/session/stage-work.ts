import { parseFilter } from '../core/filter.ts'
import type { TransferChanges, TransferRecord } from '../storage/transfer-sessions.ts'
import { knownFsic } from './capability-use.ts'
import type { CertificateDeps } from './certificates.ts'
import { peerStanding } from './peer-standing.ts'
import type { DequeueResult, DeserializeResult, Engine, FsicFormat, WorkOptions } from './ports.ts'

/** One side's own part of a stage that the engine does alone. */
export type EngineWork = 'serialize' | 'fingerprint' | 'queue' | 'dequeue' | 'deserialize'

/** For whom the engine works. */
export interface WorkContext extends WorkOptions {
  readonly engine: Engine
  readonly profile: string
  readonly format: FsicFormat
  readonly isServer: boolean
  /** Where the other side's certificate is, and what it says. */
  readonly certificates: CertificateDeps
}

/** What came of it: changes to note at the transfer, and what happened to records. */
export interface WorkResult {
  readonly changes: TransferChanges
  readonly dequeued?: DequeueResult
  readonly deserialized?: DeserializeResult
}

/** Does one side's part of a stage (protocol §5). Every part can be killed and run again. */
export async function doEngineWork(
  context: WorkContext,
  transfer: TransferRecord,
  work: EngineWork,
): Promise<WorkResult> {
  const { engine, profile, format, isServer, certificates } = context
  const { signal, onProgress, lease, confirmDeletions } = context
  const filter = parseFilter(transfer.filter)
  const peerFsic = isServer ? transfer.clientFsic : transfer.serverFsic
  const options = { profile, filter, signal, onProgress, lease, confirmDeletions }
  const target = { transferSessionId: transfer.id, ...options }
  switch (work) {
    case 'serialize':
      await engine.applyWaiting({ profile, signal, confirmDeletions })
      await engine.serialize(options)
      return { changes: ownFsicChange(await engine.fsic({ filter, role: 'producer', format })) }
    case 'fingerprint':
      // If nothing comes, the stage deserializing is left out.
      await engine.applyWaiting({ profile, signal, confirmDeletions })
      return { changes: ownFsicChange(await engine.fsic({ filter, role: 'receiver', format })) }
    case 'queue': {
      const { count, fsic } = await engine.queue({
        ...target,
        ...(await peerStanding(certificates, transfer)),
        format,
        peerFsic: knownFsic(peerFsic, format),
      })
      return { changes: { recordsTotal: count, ...ownFsicChange(fsic) } }
    }
    case 'dequeue': {
      const producerFsic = knownFsic(peerFsic, format)
      const standing = await peerStanding(certificates, transfer)
      return { changes: {}, dequeued: await engine.dequeue({ ...target, ...standing, format, producerFsic }) }
    }
    case 'deserialize':
      return { changes: {}, deserialized: await engine.deserialize(options) }
  }

  function ownFsicChange(fsic: string): TransferChanges {
    return isServer ? { serverFsic: fsic } : { clientFsic: fsic }
  }
}
