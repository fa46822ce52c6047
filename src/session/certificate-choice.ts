import type { Certificate } from '../core/certificate.ts'
import { MorangoError, isMorangoError } from '../core/errors.ts'
import type { Filter } from '../core/filter.ts'
import { isFilterSubset } from '../core/filter.ts'
import { grantedScope } from '../core/scope.ts'
import type { Scope } from '../core/scope.ts'
import type { CallOptions, Peer } from '../protocol/peer.ts'
import { getHeldCertificate, heldCertificates } from '../storage/certificates.ts'
import type { HeldCertificate } from '../storage/certificates.ts'
import { latestClientSession } from '../storage/sync-sessions.ts'
import { certificateScope, knownChain } from './certificates.ts'
import type { CheckedChain } from './certificates.ts'
import type { ClientContext } from './client-context.ts'
import { learnChain, learnOffered, MOST_LOOKS, readOffered } from './find-signer.ts'
import { refusalOf } from './refused-certificates.ts'
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
  readonly clientChain: CheckedChain
  /** The chain of the server's certificate, its new ones not saved: that is for who has opened a session with it. */
  readonly server: CheckedChain
  /** Whether the server's was taken from memory, so that the peer may not hold it any more. */
  readonly remembered: boolean
}

/**
 * Chooses certificates that permit the transfers, both under one root. The server's is the one of the last session with
 * that peer if `useMemory`, so that a peer is asked for its certificates once only. Nothing is saved.
 *
 * @throws MorangoError `unknown-certificate`, `scope-not-permitted`, `certificate-refused`
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
      return { ...client, server, remembered: serverCertificateId === undefined }
    }
  }
  if (serverCertificateId === undefined) {
    for (const client of clients) {
      // oxlint-disable-next-line no-await-in-loop
      const server = await askForServer(context, peer, client, transfers, options)
      if (server !== undefined) return { ...client, server, remembered: false }
    }
  }
  throw new MorangoError(
    'unknown-certificate',
    `No certificates of both sides permit this with ${peer.url}`,
    {
      hint: 'Request a certificate from the peer, or use a filter that both certificates cover.',
    },
  )

  async function knownServer({ client }: Candidate): Promise<CheckedChain | undefined> {
    if (serverCertificateId !== undefined) return learnChain(context, peer, serverCertificateId, options)
    if (!useMemory) return undefined
    const clientCertificateId = client.certificate.id
    const last = await latestClientSession(context.db, { connectionPath: peer.url, clientCertificateId })
    return last === undefined ? undefined : knownChain(context, last.serverCertificateId)
  }
}

/** A certificate of this side, with its chain. */
type Candidate = Pick<CertificatePair, 'client' | 'clientChain'>

async function clientCandidates(
  context: ClientContext,
  { clientCertificateId, transfers }: CertificateWishes,
): Promise<Candidate[]> {
  if (clientCertificateId !== undefined) {
    const held = await getHeldCertificate(context.db, clientCertificateId)
    if (held !== undefined) return usable(context, [held])
    throw new MorangoError('unknown-certificate', `The certificate ${clientCertificateId} is not held here`, {
      hint: 'Use a certificate that was made or requested on this device.',
    })
  }
  const held = await heldCertificates(context.db, context.profile)
  const able = held.filter((one) => {
    const scope = grantedBy(context, one)
    return transfers.every(
      ({ push, filter }) => scope !== undefined && isFilterSubset(filter, push ? scope.write : scope.read),
    )
  })
  if (able.length > 0) return usable(context, able)
  throw held.length === 0
    ? new MorangoError('unknown-certificate', 'There is no certificate on this device to sync with', {
        hint: 'Request one from the peer first.',
      })
    : new MorangoError('scope-not-permitted', 'No certificate on this device permits this for the filter', {
        hint: 'Request a certificate with a wider scope, or use a narrower filter.',
      })
}

/** What a certificate allows; undefined when that cannot be told here. */
function grantedBy(context: ClientContext, { certificate }: HeldCertificate): Scope | undefined {
  try {
    return grantedScope(certificateScope(context, certificate))
  } catch (error) {
    if (isMorangoError(error)) return undefined
    throw error
  }
}

/** Those of the certificates that this side may use. @throws MorangoError `certificate-refused` if there are none */
async function usable(context: ClientContext, held: readonly HeldCertificate[]): Promise<Candidate[]> {
  const candidates: Candidate[] = []
  let refusal: MorangoError | undefined
  for (const client of held) {
    const { id } = client.certificate
    // oxlint-disable-next-line no-await-in-loop
    const clientChain = await knownChain(context, id)
    // oxlint-disable-next-line no-await-in-loop
    const found = await refusalOf(context, id, clientChain?.certificates ?? [])
    if (found === undefined && clientChain !== undefined) candidates.push({ client, clientChain })
    refusal ??= found
  }
  if (candidates.length === 0 && refusal !== undefined) throw refusal
  return candidates
}

async function askForServer(
  context: ClientContext,
  peer: Peer,
  client: Candidate,
  transfers: readonly WantedTransfer[],
  options?: CallOptions,
): Promise<CheckedChain | undefined> {
  const query = { primaryPartition: client.clientChain.root.id, profile: context.profile }
  const offered = readOffered(await peer.certificates(query, options)).filter((certificate) =>
    scopesPermit(context, client, certificate, transfers),
  )
  for (const certificate of offered.slice(0, MOST_LOOKS)) {
    // oxlint-disable-next-line no-await-in-loop
    const server = await learnOffered(context, peer, certificate.id, options)
    if (!isMorangoError(server) && permits(context, client, server, transfers)) return server
  }
  return undefined
}

/** The chain's root counts as well: what is under another one has nothing in common with ours. */
function permits(
  context: ClientContext,
  client: Candidate,
  server: CheckedChain,
  transfers: readonly WantedTransfer[],
): boolean {
  if (server.root.id !== client.clientChain.root.id) return false
  return scopesPermit(context, client, server.leaf, transfers)
}

function scopesPermit(
  context: ClientContext,
  { client }: Candidate,
  server: Certificate,
  transfers: readonly WantedTransfer[],
): boolean {
  const { certificate } = client
  if (server.profile !== certificate.profile) return false
  if (context.scopeDefinition(server.scopeDefinitionId) === undefined) return false
  return transfers.every(
    (transfer) => scopeRefusal(context, { ...transfer, client: certificate, server }) === undefined,
  )
}
