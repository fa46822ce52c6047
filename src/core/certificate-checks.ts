import type { Certificate } from './certificate.ts'
import { isMorangoError } from './errors.ts'
import type { MorangoErrorCode } from './errors.ts'
import { certificateId } from './ids.ts'
import { isScopeSubset, scopeOf } from './scope.ts'
import type { Scope, ScopeDefinition } from './scope.ts'

/** What checking a certificate needs from outside. */
export interface CertificateContext {
  /** @param profile - the certificate's, for two profiles may have scopes of the same id */
  scopeDefinition(id: string, profile: string): ScopeDefinition | undefined
  /** Whether a text is a public key of the protocol, in its wire form (protocol §3, §11). */
  isPublicKey(text: string): boolean
  /** As in the Signer port: false, never an error, for anything malformed. */
  verify(publicKey: string, message: string, signature: string): Promise<boolean>
}

/** Why a certificate is refused; `errorClass` and `message` are what an answer of the protocol reports. */
export interface CertificateProblem {
  readonly errorClass:
    | 'CertificateIDInvalid'
    | 'CertificateSignatureInvalid'
    | 'CertificateRootScopeInvalid'
    | 'CertificateScopeNotSubset'
    | 'CertificateProfileInvalid'
    /** The scope definition, or the parent's, is not known here: it does not travel (protocol §2). */
    | 'ScopeDefinitionUnknown'
    /** What comes of `scope_params` is no scope (protocol §11). */
    | 'CertificateMalformed'
    /** The public key is no RSA key, too small, or has an exponent that is not safe (protocol §11). */
    | 'CertificateKeyInvalid'
    /** The parent that the certificate names is not the one given. */
    | 'CertificateParentInvalid'
  readonly code: MorangoErrorCode
  readonly message: string
}

/**
 * Makes the checks of protocol §3 in their order, and those of §11 among them, and gives the first problem, or
 * undefined when the certificate may be saved.
 *
 * @param parent - the saved and hence checked parent; undefined for a root
 */
export async function checkCertificate(
  certificate: Certificate,
  parent: Certificate | undefined,
  context: CertificateContext,
): Promise<CertificateProblem | undefined> {
  const { id, publicKey, profile, salt, serialized, signature } = certificate
  const expectedId = certificateId(publicKey, profile, salt)
  if (id !== expectedId) {
    return problem('CertificateIDInvalid', `Certificate ID is ${id} but should be ${expectedId}`)
  }
  if (!context.isPublicKey(publicKey)) {
    return problem('CertificateKeyInvalid', `The public key of certificate ${id} cannot be used`)
  }
  if ((parent?.id ?? null) !== certificate.parentId) {
    return problem('CertificateParentInvalid', `The parent ${certificate.parentId} was not given`)
  }
  if (!(await context.verify((parent ?? certificate).publicKey, serialized, signature))) {
    return problem('CertificateSignatureInvalid', `The signature of certificate ${id} does not verify`)
  }
  const scope = resolveScope(certificate, context)
  if ('errorClass' in scope) return scope
  return parent === undefined
    ? checkRootScope(certificate, scope)
    : checkAgainstParent(certificate, scope, parent, context)
}

function checkRootScope({ id }: Certificate, scope: Scope): CertificateProblem | undefined {
  const stray = [...scope.read, ...scope.write].find((prefix) => !prefix.startsWith(id))
  if (stray === undefined) return undefined
  return problem(
    'CertificateRootScopeInvalid',
    `Scope entry ${stray} does not start with primary partition ${id}`,
  )
}

function checkAgainstParent(
  certificate: Certificate,
  scope: Scope,
  parent: Certificate,
  context: CertificateContext,
): CertificateProblem | undefined {
  const parentScope = resolveScope(parent, context)
  if ('errorClass' in parentScope) return parentScope
  if (!isScopeSubset(scope, parentScope)) {
    return problem(
      'CertificateScopeNotSubset',
      `The scope of certificate ${certificate.id} is not a subset of its parent's`,
    )
  }
  if (certificate.profile !== parent.profile) {
    return problem(
      'CertificateProfileInvalid',
      `Certificate profile is ${certificate.profile} but parent's is ${parent.profile}`,
    )
  }
  return undefined
}

function resolveScope(certificate: Certificate, context: CertificateContext): Scope | CertificateProblem {
  const { scopeDefinitionId, scopeParams, profile } = certificate
  const definition = context.scopeDefinition(scopeDefinitionId, profile)
  if (definition === undefined) {
    return problem('ScopeDefinitionUnknown', `The scope definition ${scopeDefinitionId} is not known here`)
  }
  try {
    return scopeOf(definition, scopeParams)
  } catch (error) {
    if (isMorangoError(error, 'certificate-malformed')) return problem('CertificateMalformed', error.message)
    throw error
  }
}

const CODES: Readonly<Record<CertificateProblem['errorClass'], MorangoErrorCode>> = {
  CertificateIDInvalid: 'certificate-id-invalid',
  CertificateSignatureInvalid: 'certificate-signature-invalid',
  CertificateRootScopeInvalid: 'certificate-root-scope-invalid',
  CertificateScopeNotSubset: 'certificate-scope-not-subset',
  CertificateProfileInvalid: 'certificate-profile-invalid',
  ScopeDefinitionUnknown: 'unknown-scope-definition',
  CertificateMalformed: 'certificate-malformed',
  CertificateKeyInvalid: 'invalid-key',
  CertificateParentInvalid: 'certificate-chain-invalid',
}

function problem(errorClass: CertificateProblem['errorClass'], message: string): CertificateProblem {
  return { errorClass, code: CODES[errorClass], message }
}
