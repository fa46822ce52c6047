import { certificateFromItem, certificateToItem } from '../core/certificate.ts'
import type { Certificate } from '../core/certificate.ts'
import { createChildCertificate } from '../core/certificate-create.ts'
import { MorangoError } from '../core/errors.ts'
import { pythonStringify } from '../core/python-json.ts'
import type { JsonValue } from '../core/python-json.ts'
import { scopeOf } from '../core/scope.ts'
import type { ScopeDefinition } from '../core/scope.ts'
import type { Credentials } from '../protocol/messages.ts'
import type { CallOptions, Peer } from '../protocol/peer.ts'
import {
  certificateChain,
  getHeldCertificate,
  saveCertificate,
  saveCertificates,
} from '../storage/certificates.ts'
import { problemOf } from './certificates.ts'
import type { ClientContext } from './client-context.ts'
import { findSigner } from './find-signer.ts'
import { plainPasswordWarning } from './plain-password.ts'
import { requireUsable, requireUsableChains } from './refused-certificates.ts'

interface WantedScope {
  readonly scopeDefinition: string
  readonly scopeParams: Readonly<Record<string, JsonValue>>
}

/** A certificate wanted from a peer, below a certificate that it holds. */
export interface CertificateRequest extends WantedScope {
  readonly credentials: Credentials
  /** The certificate to be signed by; without, one that the peer holds under `primaryPartition`. */
  readonly parentId?: string | undefined
  /** The id of the root certificate; may be left out when the peer holds certificates of one root only. */
  readonly primaryPartition?: string | undefined
}

/** A certificate to give to a peer, below one that is held here. */
export interface CertificatePush extends WantedScope {
  readonly parentId: string
}

/**
 * Gets a certificate from a peer by a signing request, checks it, and keeps it with its private key, which
 * never leaves this side (protocol §3, §4). The credentials are sent only once the peer has shown a chain of
 * certificates under the root that was asked for; that chain is kept when all has succeeded.
 *
 * @throws MorangoError `peer-error` (401, 403, 400), `unknown-certificate` when the peer holds none under that root,
 * `invalid-argument` when it has to be said which root is meant, `unknown-scope-definition`, `certificate-…`,
 * `peer-protocol` when the answer is not what was asked for
 */
export async function requestCertificate(
  context: ClientContext,
  peer: Peer,
  request: CertificateRequest,
  options?: CallOptions,
): Promise<Certificate> {
  const { signer, db, profile } = context
  const definition = requireDefinition(context, request.scopeDefinition)
  const scopeParams = pythonStringify(request.scopeParams)
  scopeOf(definition, scopeParams)
  const chain = await findSigner(context, peer, request, options)
  await requireUsableChains(context, chain.certificates)
  const parent = chain.leaf
  const { privateKeyPem, publicKey } = await signer.generateKeyPair()
  const wanted = {
    parent: parent.id,
    profile,
    scope_definition: definition.id,
    scope_version: definition.version,
    scope_params: scopeParams,
    public_key: publicKey,
  }
  const warning = plainPasswordWarning(peer.url)
  if (warning !== undefined) context.onWarning?.({ code: 'plain-password', message: warning })
  const item = await peer.requestCertificate(wanted, request.credentials, options)
  const certificate = certificateFromItem(item)
  const asWanted =
    certificate.parentId === parent.id &&
    certificate.profile === profile &&
    certificate.publicKey === publicKey &&
    certificate.scopeDefinitionId === wanted.scope_definition &&
    certificate.scopeVersion === wanted.scope_version &&
    certificate.scopeParams === wanted.scope_params
  if (!asWanted) {
    throw new MorangoError('peer-protocol', 'The peer signed another certificate than was asked for', {
      hint: 'Check that the URL is that of the peer you mean.',
    })
  }
  await requireSound(context, certificate, parent)
  await saveCertificates(db, [...chain.unsaved, certificate], privateKeyPem)
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
  const scopeParams = pythonStringify(push.scopeParams)
  scopeOf(definition, scopeParams)
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
  await requireUsable(context, held.certificate)
  const publicKey = await peer.publicKey(options)
  const { id: salt } = await peer.createNonce(options)
  const certificate = await createChildCertificate({
    signer,
    parent: held.certificate,
    parentPrivateKeyPem: held.privateKeyPem,
    scopeDefinitionId: definition.id,
    scopeVersion: definition.version,
    scopeParams,
    publicKey,
    salt,
  })
  await requireSound(context, certificate, held.certificate)
  const chain = [...(await certificateChain(db, push.parentId)), certificate]
  await peer.pushCertificateChain(chain.map(certificateToItem), options)
  await saveCertificate(db, certificate)
  return certificate
}

function requireDefinition(context: ClientContext, id: string): ScopeDefinition {
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
