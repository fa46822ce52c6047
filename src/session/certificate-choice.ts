import { certificateFromItem } from '../core/certificate.ts'
import type { Certificate } from '../core/certificate.ts'
import { MorangoError } from '../core/errors.ts'
import type { Filter } from '../core/filter.ts'
import { isFilterSubset } from '../core/filter.ts'
import type { CallOptions, Peer } from '../protocol/peer.ts'
import {
  certificateChain,
  getCertificate,
  getHeldCertificate,
  heldCertificates,
} from '../storage/certificates.ts'
import type { HeldCertificate } from '../storage/certificates.ts'
import { latestClientSession } from '../storage/sync-sessions.ts'
import { certificateScope } from './certificates.ts'
import { learnCertificate } from './client-certificates.ts'
import type { ClientContext } from './client-context.ts'
import { scopeRefusal } from './transfer-scope.ts'

/** What a session is wanted for. */
export interface WantedTransfer {
  readonly push: boolean
  readonly filter: Filter
}

/** What is said about which certificates to use; whatever is missing is chosen. */
export interface CertificateWishes {
  readonly clientCertificateId?: string | undefined
  readonly serverCertificateId?: string | undefined
  readonly transfers: readonly WantedTransfer[]
}

/** A pair of certificates for a session. */
export interface CertificatePair {
  readonly client: HeldCertificate
  readonly server: Certificate
  /** Whether the server's was taken from memory, so that the peer may not hold it any more. */
  readonly remembered: boolean
}

/**
 * Chooses certificates that permit the transfers. The server's is the one of the last session with that peer
 * if `useMemory`, so that a peer is asked for its certificates once only.
 *
 * @throws MorangoError `unknown-certificate`, `scope-not-permitted`
 */
export async function chooseCertificates(
  context: ClientContext,
  peer: Peer,
  wishes: CertificateWishes,
  useMemory: boolean,
  options?: CallOptions,
): Promise<CertificatePair> {
  const clients = await clientCandidates(context, wishes)
  const { serverCertificateId, transfers } = wishes
  for (const client of clients) {
    // oxlint-disable-next-line no-await-in-loop
    const server = await knownServer(client)
    if (server !== undefined && permits(context, client, server, transfers)) {
      return { client, server, remembered: serverCertificateId === undefined }
    }
  }
  if (serverCertificateId === undefined) {
    for (const client of clients) {
      // oxlint-disable-next-line no-await-in-loop
      const server = await askForServer(context, peer, client, transfers, options)
      if (server !== undefined) return { client, server, remembered: false }
    }
  }
  throw new MorangoError(
    'unknown-certificate',
    `No certificates of both sides permit this with ${peer.url}`,
    {
      hint: 'Request a certificate from the peer, or use a filter that both certificates cover.',
    },
  )

  async function knownServer(client: HeldCertificate): Promise<Certificate | undefined> {
    if (serverCertificateId !== undefined) {
      return learnCertificate(context, peer, serverCertificateId, options)
    }
    if (!useMemory) return undefined
    const clientCertificateId = client.certificate.id
    const last = await latestClientSession(context.db, { connectionPath: peer.url, clientCertificateId })
    return last === undefined ? undefined : getCertificate(context.db, last.serverCertificateId)
  }
}

async function clientCandidates(
  context: ClientContext,
  { clientCertificateId, transfers }: CertificateWishes,
): Promise<HeldCertificate[]> {
  if (clientCertificateId !== undefined) {
    const held = await getHeldCertificate(context.db, clientCertificateId)
    if (held !== undefined) return [held]
    throw new MorangoError('unknown-certificate', `The certificate ${clientCertificateId} is not held here`, {
      hint: 'Use a certificate that was made or requested on this device.',
    })
  }
  const held = await heldCertificates(context.db, context.profile)
  const able = held.filter(({ certificate }) => {
    if (context.scopeDefinition(certificate.scopeDefinitionId) === undefined) return false
    const { read, write } = certificateScope(context, certificate)
    return transfers.every(({ push, filter }) => isFilterSubset(filter, push ? write : read))
  })
  if (able.length > 0) return able
  throw held.length === 0
    ? new MorangoError('unknown-certificate', 'There is no certificate on this device to sync with', {
        hint: 'Request one from the peer first.',
      })
    : new MorangoError('scope-not-permitted', 'No certificate on this device permits this for the filter', {
        hint: 'Request a certificate with a wider scope, or use a narrower filter.',
      })
}

async function askForServer(
  context: ClientContext,
  peer: Peer,
  client: HeldCertificate,
  transfers: readonly WantedTransfer[],
  options?: CallOptions,
): Promise<Certificate | undefined> {
  const [root] = await certificateChain(context.db, client.certificate.id)
  if (root === undefined) return undefined
  const query = { primaryPartition: root.id, profile: context.profile }
  const items = await peer.certificates(query, options)
  const fitting = items
    .map(certificateFromItem)
    .find((certificate) => permits(context, client, certificate, transfers))
  return fitting === undefined ? undefined : learnCertificate(context, peer, fitting.id, options)
}

function permits(
  context: ClientContext,
  client: HeldCertificate,
  server: Certificate,
  transfers: readonly WantedTransfer[],
): boolean {
  if (server.profile !== client.certificate.profile) return false
  if (context.scopeDefinition(server.scopeDefinitionId) === undefined) return false
  return transfers.every(
    (transfer) => scopeRefusal(context, { ...transfer, client: client.certificate, server }) === undefined,
  )
}
