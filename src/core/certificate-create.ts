import { certificateText } from './certificate.ts'
import type { Certificate, CertificateFields } from './certificate.ts'
import { MorangoError } from './errors.ts'
import { certificateId } from './ids.ts'
import type { KeyPair, Signer } from './ports.ts'
import { pythonStringify } from './python-json.ts'
import type { JsonValue } from './python-json.ts'
import { scopeOf } from './scope.ts'
import type { ScopeDefinition } from './scope.ts'

/** A new certificate and the private key that goes with it. */
export interface OwnCertificate {
  readonly certificate: Certificate
  readonly privateKeyPem: string
}

/** What a root certificate is made of. */
export interface RootCertificateRequest {
  readonly signer: Signer
  readonly definition: ScopeDefinition
  /** Further scope parameters; the primary one is the certificate's own id. */
  readonly extraParams?: Readonly<Record<string, JsonValue>>
  /** Made freshly when missing. */
  readonly keyPair?: KeyPair
}

/** What a certificate below another one is made of; the scope fields as a signing request has them. */
export interface ChildCertificateRequest {
  readonly signer: Signer
  readonly parent: Certificate
  readonly parentPrivateKeyPem: string
  readonly scopeDefinitionId: string
  readonly scopeVersion: number
  /** The JSON of an object, as text. */
  readonly scopeParams: string
  /** The child's, in any form that the signer reads. */
  readonly publicKey: string
  /** Random, 32 hex digits. */
  readonly salt: string
  /** The parent's when missing; any other fails the checks. */
  readonly profile?: string
}

/**
 * Makes a root certificate: no parent, no salt, signed by its own key, its id the primary scope parameter
 * and thus the primary partition (protocol §3).
 *
 * @throws MorangoError `invalid-argument` when the definition cannot make root certificates, or a further parameter
 * takes the place of the primary one; `certificate-malformed` when the parameters make no scope
 */
export async function createRootCertificate(request: RootCertificateRequest): Promise<OwnCertificate> {
  const { signer, definition, extraParams } = request
  const { id: scopeDefinitionId, profile, version: scopeVersion, primaryScopeParamKey } = definition
  if (primaryScopeParamKey === '') {
    throw new MorangoError(
      'invalid-argument',
      `The scope definition ${scopeDefinitionId} cannot make root certificates`,
      { hint: 'Use a scope definition that has a primary scope parameter.' },
    )
  }
  if (Object.hasOwn(extraParams ?? {}, primaryScopeParamKey)) {
    throw new MorangoError(
      'invalid-argument',
      `The parameter "${primaryScopeParamKey}" is the root's own id`,
      {
        hint: 'Leave it out: it is filled in.',
      },
    )
  }
  const { privateKeyPem, publicKey } = request.keyPair ?? (await signer.generateKeyPair())
  const salt = ''
  const id = certificateId(publicKey, profile, salt)
  const scopeParams = pythonStringify({ [primaryScopeParamKey]: id, ...extraParams })
  scopeOf(definition, scopeParams)
  const certificate = await signed(signer, privateKeyPem, {
    id,
    parentId: null,
    profile,
    salt,
    scopeDefinitionId,
    scopeVersion,
    scopeParams,
    publicKey,
  })
  return { certificate, privateKeyPem }
}

/**
 * Makes a certificate signed with its parent's key, as a server answers a signing request (protocol §4).
 * Does not check it: that is `checkCertificate`'s.
 *
 * @throws MorangoError `invalid-key` when the public key cannot be read
 */
export async function createChildCertificate(request: ChildCertificateRequest): Promise<Certificate> {
  const { signer, parent, scopeDefinitionId, scopeVersion, scopeParams, salt } = request
  const profile = request.profile ?? parent.profile
  const publicKey = signer.normalizePublicKey(request.publicKey)
  return signed(signer, request.parentPrivateKeyPem, {
    id: certificateId(publicKey, profile, salt),
    parentId: parent.id,
    profile,
    salt,
    scopeDefinitionId,
    scopeVersion,
    scopeParams,
    publicKey,
  })
}

async function signed(signer: Signer, keyPem: string, fields: CertificateFields): Promise<Certificate> {
  const serialized = certificateText(fields)
  return { ...fields, serialized, signature: await signer.sign(keyPem, serialized) }
}
