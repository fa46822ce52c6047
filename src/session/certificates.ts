import type { Kysely } from 'kysely'
import type { Certificate, SignedItem } from '../core/certificate.ts'
import { saveChain } from '../core/certificate-chain.ts'
import { checkCertificate } from '../core/certificate-checks.ts'
import type { CertificateProblem } from '../core/certificate-checks.ts'
import { MorangoError } from '../core/errors.ts'
import type { Signer } from '../core/ports.ts'
import { scopeOf } from '../core/scope.ts'
import type { Scope, ScopeDefinition } from '../core/scope.ts'
import { getCertificate, saveCertificate } from '../storage/certificates.ts'
import type { Schema } from '../storage/schema.ts'

/** What checking and keeping certificates needs. */
export interface CertificateDeps {
  readonly db: Kysely<Schema>
  readonly signer: Signer
  scopeDefinition(id: string): ScopeDefinition | undefined
  /** Ids of certificates to have nothing to do with, nor with those below them. */
  readonly refusedCertificates?: ReadonlySet<string> | undefined
}

/**
 * Checks and saves what is new of a chain, root first; valid ancestors stay saved when a later one fails
 * (protocol §3).
 *
 * @throws MorangoError `certificate-…`, `unknown-scope-definition`
 */
export async function saveCertificateChain(
  deps: CertificateDeps,
  items: readonly SignedItem[],
  expectedLastId?: string,
): Promise<Certificate> {
  return saveChain({
    items,
    expectedLastId,
    known: (id) => getCertificate(deps.db, id),
    check: (certificate, parent) => problemOf(deps, certificate, parent),
    save: (certificate) => saveCertificate(deps.db, certificate),
  })
}

/** The first problem that keeps a certificate from being saved, if any (protocol §3). */
export async function problemOf(
  deps: CertificateDeps,
  certificate: Certificate,
  parent: Certificate | undefined,
): Promise<CertificateProblem | undefined> {
  return checkCertificate(certificate, parent, {
    scopeDefinition: (id) => deps.scopeDefinition(id),
    verify: (publicKey, message, signature) => deps.signer.verify(publicKey, message, signature),
  })
}

/**
 * What a certificate allows.
 *
 * @throws MorangoError `unknown-scope-definition`, `certificate-malformed`
 */
export function certificateScope(deps: CertificateDeps, certificate: Certificate): Scope {
  const definition = deps.scopeDefinition(certificate.scopeDefinitionId)
  if (definition === undefined) {
    throw new MorangoError(
      'unknown-scope-definition',
      `The scope definition ${certificate.scopeDefinitionId} is not known here`,
      { hint: 'Both peers must define the same scopes; they do not travel.' },
    )
  }
  return scopeOf(definition, certificate.scopeParams)
}
