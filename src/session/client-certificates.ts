import { certificateFromItem, certificateToItem } from '../core/certificate.ts'
import type { Certificate } from '../core/certificate.ts'
import { createChildCertificate } from '../core/certificate-create.ts'
import { MorangoError } from '../core/errors.ts'
import { pythonStringify } from '../core/python-json.ts'
import type { JsonValue } from '../core/python-json.ts'
import type { Credentials } from '../protocol/messages.ts'
import type { CallOptions, Peer } from '../protocol/peer.ts'
import {
  certificateChain,
  getCertificate,
  getHeldCertificate,
  saveCertificate,
} from '../storage/certificates.ts'
import { problemOf, saveCertificateChain } from './certificates.ts'
import type { ClientContext } from './client-context.ts'

interface WantedScope {
  readonly scopeDefinition: string
  readonly scopeParams: Readonly<Record<string, JsonValue>>
}

/** A certificate wanted from a peer, below a certificate that it holds. */
export interface CertificateRequest extends WantedScope {
  readonly credentials: Credentials
  /** The certificate to be signed by; the peer's certificates of `primaryPartition` are asked for without. */
  readonly parentId?: string | undefined
  /** The id of the root certificate. */
  readonly primaryPartition?: string | undefined
}

/** A certificate to give to a peer, below one that is held here. */
export interface CertificatePush extends WantedScope {
  readonly parentId: string
}

/**
 * Gets a certificate from a peer by a signing request, checks it, and keeps it with its private key, which
 * never leaves this side (protocol §3, §4).
 *
 * @throws MorangoError `peer-error` (401, 403, 400), `unknown-certificate`, `unknown-scope-definition`,
 * `certificate-…`, `peer-protocol` when the answer is not what was asked for
 */
export async function requestCertificate(
  context: ClientContext,
  peer: Peer,
  request: CertificateRequest,
  options?: CallOptions,
): Promise<Certificate> {
  const { signer, db, profile } = context
  const definition = requireDefinition(context, request.scopeDefinition)
  const parentId = request.parentId ?? (await findParent(context, peer, request, options))
  const parent = await learnCertificate(context, peer, parentId, options)
  const { privateKeyPem, publicKey } = await signer.generateKeyPair()
  const wanted = {
    parent: parent.id,
    profile,
    scope_definition: definition.id,
    scope_version: definition.version,
    scope_params: pythonStringify(request.scopeParams),
    public_key: publicKey,
  }
  const item = await peer.requestCertificate(wanted, request.credentials, options)
  const certificate = certificateFromItem(item)
  const asWanted =
    certificate.parentId === parent.id &&
    certificate.profile === profile &&
    certificate.publicKey === publicKey &&
    certificate.scopeDefinitionId === wanted.scope_definition &&
    certificate.scopeParams === wanted.scope_params
  if (!asWanted) {
    throw new MorangoError('peer-protocol', 'The peer signed another certificate than was asked for', {
      hint: 'Check that the URL is that of the peer you mean.',
    })
  }
  await requireSound(context, certificate, parent)
  await saveCertificate(db, certificate, privateKeyPem)
  return certificate
}

/**
 * Gives a peer a certificate of its own, signed here with its shared key, so that it can answer for that
 * scope: certificate pushing (protocol §4).
 *
 * @throws MorangoError `private-key-missing`, `peer-error` (403 where the peer does not take any)
 */
export async function pushCertificate(
  context: ClientContext,
  peer: Peer,
  push: CertificatePush,
  options?: CallOptions,
): Promise<Certificate> {
  const { signer, db } = context
  const definition = requireDefinition(context, push.scopeDefinition)
  const held = await getHeldCertificate(db, push.parentId)
  if (held === undefined) {
    throw new MorangoError(
      'private-key-missing',
      `The private key of certificate ${push.parentId} is not here`,
      {
        hint: 'Push below a certificate that was made or requested on this device.',
      },
    )
  }
  const publicKey = await peer.publicKey(options)
  const { id: salt } = await peer.createNonce(options)
  const certificate = await createChildCertificate({
    signer,
    parent: held.certificate,
    parentPrivateKeyPem: held.privateKeyPem,
    scopeDefinitionId: definition.id,
    scopeVersion: definition.version,
    scopeParams: pythonStringify(push.scopeParams),
    publicKey,
    salt,
  })
  await requireSound(context, certificate, held.certificate)
  const chain = [...(await certificateChain(db, push.parentId)), certificate]
  await peer.pushCertificateChain(chain.map(certificateToItem), options)
  await saveCertificate(db, certificate)
  return certificate
}

/**
 * A certificate that the peer holds; its chain is asked for and checked if it is not known here yet.
 *
 * @throws MorangoError `unknown-certificate`, `certificate-…`
 */
export async function learnCertificate(
  context: ClientContext,
  peer: Peer,
  id: string,
  options?: CallOptions,
): Promise<Certificate> {
  const known = await getCertificate(context.db, id)
  if (known !== undefined) return known
  const chain = await peer.certificates({ ancestorsOf: id }, options)
  if (chain.length === 0) {
    throw new MorangoError('unknown-certificate', `The peer does not hold the certificate ${id}`, {
      hint: 'Ask the peer for its certificates and choose one of them.',
    })
  }
  return saveCertificateChain(context, chain, id)
}

async function findParent(
  context: ClientContext,
  peer: Peer,
  { primaryPartition }: CertificateRequest,
  options?: CallOptions,
): Promise<string> {
  const query = { primaryPartition, profile: context.profile }
  const items = await peer.certificates(query, options)
  const parent = items.find((item) => item.id === primaryPartition) ?? items[0]
  if (parent !== undefined) return parent.id
  throw new MorangoError('unknown-certificate', 'The peer holds no certificate to sign with', {
    hint: 'Check the primary partition, and that this peer may give out certificates for it.',
  })
}

function requireDefinition(context: ClientContext, id: string): { id: string; version: number } {
  const definition = context.scopeDefinition(id)
  if (definition !== undefined) return definition
  throw new MorangoError('unknown-scope-definition', `The scope definition ${id} is not known here`, {
    hint: 'Both peers must define the same scopes; they do not travel.',
  })
}

async function requireSound(
  context: ClientContext,
  certificate: Certificate,
  parent: Certificate,
): Promise<void> {
  const problem = await problemOf(context, certificate, parent)
  if (problem === undefined) return
  throw new MorangoError(problem.code, problem.message, { details: { errorClass: problem.errorClass } })
}
