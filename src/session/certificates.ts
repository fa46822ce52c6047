import type { Kysely } from 'kysely'
import type { Certificate, SignedItem } from '../core/certificate.ts'
import { checkChain, checkedChain } from '../core/certificate-chain.ts'
import type { CheckedChain } from '../core/certificate-chain.ts'
import { checkCertificate } from '../core/certificate-checks.ts'
import type { CertificateProblem } from '../core/certificate-checks.ts'
import { MorangoError, isMorangoError } from '../core/errors.ts'
import type { Signer } from '../core/ports.ts'
import { scopeOf } from '../core/scope.ts'
import type { Scope, ScopeDefinition } from '../core/scope.ts'
import { certificateChain, getCertificates } from '../storage/certificates.ts'
import type { Schema } from '../storage/schema.ts'

export type { CheckedChain } from '../core/certificate-chain.ts'

/** What checking and keeping certificates needs. */
export interface CertificateDeps {
  readonly db: Kysely<Schema>
  readonly signer: Signer
  /** @param profile - of the certificate that is looked at; without, whichever profile has that scope */
  scopeDefinition(id: string, profile?: string): ScopeDefinition | undefined
  /** Ids of certificates to have nothing to do with, nor with those below them. */
  readonly refusedCertificates?: ReadonlySet<string> | undefined
}

/**
 * Checks a chain in memory, root first, and saves nothing of it (protocol §3). What is known here already is checked
 * again with it: it may have been saved by a release that took more.
 *
 * @throws MorangoError `certificate-…`, `invalid-key`, `unknown-scope-definition`
 */
export async function readCertificateChain(
  deps: CertificateDeps,
  items: readonly SignedItem[],
  expectedLastId?: string,
): Promise<CheckedChain> {
  return checkChain({
    items,
    expectedLastId,
    known: async (idsFromLeaf) => {
      const known = await getCertificates(deps.db, idsFromLeaf)
      const nearest = idsFromLeaf.find((id) => known.has(id))
      return nearest === undefined ? [] : certificateChain(deps.db, nearest)
    },
    check: (certificate, parent) => problemOf(deps, certificate, parent),
  })
}

/** The chain of a certificate that is known here, not checked again; undefined when it is not known whole. */
export async function knownChain(deps: CertificateDeps, id: string): Promise<CheckedChain | undefined> {
  const certificates = await certificateChain(deps.db, id)
  return certificates.length === 0 ? undefined : checkedChain(certificates, [])
}

/** The first problem that keeps a certificate from being saved, if any (protocol §3, §11). */
export async function problemOf(
  deps: CertificateDeps,
  certificate: Certificate,
  parent: Certificate | undefined,
): Promise<CertificateProblem | undefined> {
  const { signer } = deps
  return checkCertificate(certificate, parent, {
    scopeDefinition: (id, profile) => deps.scopeDefinition(id, profile),
    isPublicKey: (text) => isWireKey(signer, text),
    verify: (publicKey, message, signature) => signer.verify(publicKey, message, signature),
  })
}

function isWireKey(signer: Signer, text: string): boolean {
  try {
    return signer.normalizePublicKey(text) === text
  } catch (error) {
    if (isMorangoError(error, 'invalid-key')) return false
    throw error
  }
}

/**
 * What a certificate allows.
 *
 * @throws MorangoError `unknown-scope-definition`, `certificate-malformed`
 */
export function certificateScope(deps: CertificateDeps, certificate: Certificate): Scope {
  const definition = deps.scopeDefinition(certificate.scopeDefinitionId, certificate.profile)
  if (definition === undefined) {
    throw new MorangoError(
      'unknown-scope-definition',
      `The scope definition ${certificate.scopeDefinitionId} is not known here`,
      { hint: 'Both peers must define the same scopes; they do not travel.' },
    )
  }
  return scopeOf(definition, certificate.scopeParams)
}
