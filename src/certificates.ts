import { createRootCertificate } from './core/certificate-create.ts'
import type { Certificate } from './core/certificate.ts'
import { MorangoError } from './core/errors.ts'
import type { Signer } from './core/ports.ts'
import type { JsonValue } from './core/python-json.ts'
import type { ScopeDefinition } from './core/scope.ts'
import type { Peer } from './protocol/peer.ts'
import type { CertificatePush, CertificateRequest, SyncClient } from './session/client.ts'
import { heldCertificates, knownCertificates, saveCertificate } from './storage/certificates.ts'
import type { Database } from './storage/dialect.ts'

/** A certificate without its keys and signatures, for people and programs to look at. */
export interface CertificateSummary {
  readonly id: string
  readonly parentId: string | undefined
  readonly profile: string
  readonly scope: string
  /** The JSON of an object. */
  readonly params: string
}

/** A certificate that is known here, whoever has its key. */
export interface KnownCertificate extends CertificateSummary {
  /** Whether its private key is here. */
  readonly held: boolean
  /** When a peer last opened a session with it, from which address, and what that called itself. */
  readonly lastUsed: { readonly at: string; readonly address: string; readonly hostname: string } | undefined
}

/** The certificates that this database holds the private keys of, and the ways to get more. */
export interface Certificates {
  /**
   * Makes a root certificate: its id is the primary partition, with which the partitions of all its records
   * begin.
   * @throws MorangoError `unknown-scope-definition`, `invalid-argument` when the scope has no root parameter
   */
  createRoot(scope: string, params?: Readonly<Record<string, JsonValue>>): Promise<CertificateSummary>
  list(): Promise<CertificateSummary[]>
  /** Every certificate known here, those of peers too, and when a peer last came with it. */
  listAll(): Promise<KnownCertificate[]>
  /** Asks a peer for a certificate, with the credentials that its application checks. */
  request(peer: string | Peer, request: CertificateRequest): Promise<CertificateSummary>
  /** Gives a peer that allows it a certificate below one of ours, so that it can serve for us. */
  push(peer: string | Peer, push: CertificatePush): Promise<CertificateSummary>
}

/** The certificates of one database and profile. */
export function createCertificates(options: {
  readonly database: Database
  readonly signer: Signer
  readonly client: SyncClient
  readonly scopes: Readonly<Record<string, ScopeDefinition>>
  readonly connect: (peer: string | Peer) => Peer
}): Certificates {
  const { database, signer, client, scopes, connect } = options
  return {
    createRoot: async (scope, params = {}) => {
      const definition = Object.hasOwn(scopes, scope) ? scopes[scope] : undefined
      if (definition === undefined) {
        throw new MorangoError('unknown-scope-definition', `There is no scope "${scope}" in this profile.`, {
          hint: `Use one of: ${Object.keys(scopes).join(', ')}.`,
        })
      }
      const { certificate, privateKeyPem } = await createRootCertificate({
        signer,
        definition,
        extraParams: params,
      })
      await saveCertificate(database.kysely, certificate, privateKeyPem)
      return summarize(certificate)
    },
    list: async () =>
      (await heldCertificates(database.kysely)).map(({ certificate }) => summarize(certificate)),
    listAll: async () =>
      (await knownCertificates(database.kysely)).map(({ certificate, held, lastUsed }) => ({
        ...summarize(certificate),
        held,
        lastUsed,
      })),
    request: async (peer, request) => summarize(await client.requestCertificate(connect(peer), request)),
    push: async (peer, push) => summarize(await client.pushCertificate(connect(peer), push)),
  }
}

function summarize(certificate: Certificate): CertificateSummary {
  return {
    id: certificate.id,
    parentId: certificate.parentId ?? undefined,
    profile: certificate.profile,
    scope: certificate.scopeDefinitionId,
    params: certificate.scopeParams,
  }
}
