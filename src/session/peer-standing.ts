import { isMorangoError } from '../core/errors.ts'
import { getCertificate } from '../storage/certificates.ts'
import { getSyncSession } from '../storage/sync-sessions.ts'
import type { TransferRecord } from '../storage/transfer-sessions.ts'
import { certificateScope } from './certificates.ts'
import type { CertificateDeps } from './certificates.ts'
import type { PeerStanding } from './ports.ts'

/** What the other side of a transfer may write, by its certificate. Whoever is not known may write nothing. */
export async function peerStanding(
  deps: CertificateDeps,
  transfer: Pick<TransferRecord, 'syncSessionId'>,
): Promise<PeerStanding> {
  const session = await getSyncSession(deps.db, transfer.syncSessionId)
  if (session === undefined) return {}
  const id = session.isServer ? session.clientCertificateId : session.serverCertificateId
  const certificate = await getCertificate(deps.db, id)
  if (certificate === undefined) return {}
  try {
    return { peerWrites: certificateScope(deps, certificate).write }
  } catch (error) {
    if (isMorangoError(error)) return {}
    throw error
  }
}
