import { certificateFromItem, certificateToItem } from '../core/certificate.ts'
import type { Certificate, CertificateItem } from '../core/certificate.ts'
import type { CertificateProblem } from '../core/certificate-checks.ts'
import { createChildCertificate } from '../core/certificate-create.ts'
import { MorangoError, isMorangoError } from '../core/errors.ts'
import type { CertificateQuery } from '../protocol/messages.ts'
import { MAX_CHAIN } from '../core/limits.ts'
import {
  certificateChain,
  getCertificate,
  getHeldCertificate,
  heldCertificates,
  heldDescendants,
  saveCertificate,
  saveCertificates,
} from '../storage/certificates.ts'
import { consumeNonce } from '../storage/nonces.ts'
import { sharedKeyPair } from '../storage/shared-key.ts'
import { answerError, detailError, fieldError } from './answers.ts'
import { requireRoomBelow, requireRoomForChain } from './certificate-room.ts'
import { problemOf, readCertificateChain } from './certificates.ts'
import type { CheckedChain } from './certificates.ts'
import { requireUsableChains } from './refused-certificates.ts'
import { databaseTime } from './service-context.ts'
import type { ServiceOptions } from './service-context.ts'

/** Answers `GET certificates/` (protocol §4). */
export async function listCertificates(
  { db }: ServiceOptions,
  query: CertificateQuery,
): Promise<CertificateItem[]> {
  const { primaryPartition, ancestorsOf, profile } = query
  const chosen = await choose()
  return chosen
    .filter((certificate) => profile === undefined || certificate.profile === profile)
    .map(certificateToItem)

  async function choose(): Promise<Certificate[]> {
    if (ancestorsOf !== undefined) {
      const held = await getHeldCertificate(db, ancestorsOf)
      return held === undefined ? [] : certificateChain(db, ancestorsOf)
    }
    const held =
      primaryPartition === undefined
        ? await heldCertificates(db)
        : await heldDescendants(db, primaryPartition)
    return held.map(({ certificate }) => certificate)
  }
}

/** A certificate to be signed, its applicant admitted already. */
export interface AdmittedRequest {
  readonly parent: string
  readonly profile: string
  readonly scope_definition: string
  readonly scope_version: number
  readonly scope_params: string
  readonly public_key: string
}

/**
 * Signs a certificate with the key of its parent, checks it and keeps it (protocol §4).
 *
 * @throws MorangoError `malformed-message` for fields that name nothing known here; `invalid-key`;
 * `certificate-…` when a check fails
 */
export async function signCertificate(
  options: ServiceOptions,
  request: AdmittedRequest,
): Promise<CertificateItem> {
  const { db, signer, random } = options
  const parent = await getCertificate(db, request.parent)
  if (parent === undefined) {
    throw fieldError('parent', `Invalid pk "${request.parent}" - object does not exist.`)
  }
  const definition = options.scopeDefinition(request.scope_definition, request.profile)
  if (definition === undefined) {
    throw fieldError('scope_definition', `Invalid pk "${request.scope_definition}" - object does not exist.`)
  }
  const held = await getHeldCertificate(db, request.parent)
  if (held === undefined) {
    throw fieldError('parent', 'Server does not have private key for requested parent certificate!')
  }
  if (request.scope_version !== definition.version) {
    const sentence = `Only version ${definition.version} of the scope definition is known here.`
    throw fieldError('scope_version', sentence)
  }
  const chain = await certificateChain(db, parent.id)
  await requireUsableChains(options, chain)
  if (chain.length >= MAX_CHAIN) {
    throw fieldError('parent', `There are ${MAX_CHAIN} certificates down to it: no more can be below.`)
  }
  await requireRoomBelow(options, parent.id)
  const certificate = await createChildCertificate({
    signer,
    parent,
    parentPrivateKeyPem: held.privateKeyPem,
    profile: request.profile,
    scopeDefinitionId: request.scope_definition,
    scopeVersion: request.scope_version,
    scopeParams: request.scope_params,
    publicKey: request.public_key,
    salt: random.uuid(),
  })
  const problem = await problemOf(options, certificate, parent)
  if (problem !== undefined) throw failedCheck(problem)
  await saveCertificate(db, certificate)
  return certificateToItem(certificate)
}

/**
 * Refuses unless this server takes pushed certificates. The original does not ask (protocol §4, quirk).
 *
 * @throws MorangoError `push-disabled`
 */
export function requirePushing({ capabilities }: ServiceOptions): void {
  if (capabilities.includes('ALLOW_CERTIFICATE_PUSHING')) return
  throw detailError('push-disabled', 'You do not have permission to perform this action.')
}

/**
 * Takes over a pushed chain, whose last certificate belongs to the shared key (protocol §4): the whole of it, once all
 * that goes with it is right, or nothing.
 *
 * @throws MorangoError in this order: the others as a chain (`certificate-chain-invalid`), key
 * (`invalid-key`), nonce (`nonce-invalid`), the checks of §3 (`certificate-…`)
 */
export async function acceptPushedChain(
  options: ServiceOptions,
  chain: readonly CertificateItem[],
): Promise<void> {
  const { db, signer } = options
  const last = chain.at(-1)
  if (last === undefined) throw chainRefusal('The certificate chain is empty')
  if (chain.length > MAX_CHAIN) throw chainRefusal(`It has more than ${MAX_CHAIN} certificates`)
  const certificate = readPushed(last)
  await requireRoomForChain(options, chain)
  const above = await readAncestors(options, chain.slice(0, -1), certificate.parentId)
  const shared = await sharedKeyPair(db, signer)
  if (certificate.publicKey !== shared.publicKey) {
    throw answerError('invalid-key', 'Shared public key was not used')
  }
  if (!(await consumeNonce(db, certificate.salt, await databaseTime(options)))) {
    throw answerError('nonce-invalid', "Nonce (certificate's salt) is not valid")
  }
  if (above !== undefined) await requireUsableChains(options, above.certificates)
  const problem = await problemOf(options, certificate, above?.leaf)
  if (problem !== undefined) throw failedCheck(problem)
  await saveCertificates(db, [...(above?.unsaved ?? []), certificate], shared.privateKeyPem)
}

/**
 * Checks the chain of a client certificate in memory, and saves nothing of it.
 *
 * @throws MorangoError `certificate-chain-invalid` (403) for whatever is wrong with it, but
 * `unknown-scope-definition` when it cannot be checked here
 */
export async function readClientChain(
  options: ServiceOptions,
  chain: readonly CertificateItem[],
  expectedLastId: string | undefined,
): Promise<CheckedChain> {
  try {
    return await readCertificateChain(options, chain, expectedLastId)
  } catch (error) {
    if (isMorangoError(error) && REFUSED.has(error.code)) throw chainRefusal(originalWords(error), error)
    throw error
  }
}

const REFUSED: ReadonlySet<string> = new Set([
  'certificate-chain-invalid',
  'certificate-malformed',
  'certificate-id-invalid',
  'certificate-signature-invalid',
  'certificate-root-scope-invalid',
  'certificate-scope-not-subset',
  'certificate-profile-invalid',
  'invalid-key',
])

async function readAncestors(
  options: ServiceOptions,
  ancestors: readonly CertificateItem[],
  parentId: string | null,
): Promise<CheckedChain | undefined> {
  if (ancestors.length === 0 && parentId === null) return undefined
  return readClientChain(options, ancestors, parentId ?? undefined)
}

function readPushed(item: CertificateItem): Certificate {
  try {
    return certificateFromItem(item)
  } catch (error) {
    if (isMorangoError(error) && REFUSED.has(error.code)) throw chainRefusal(originalWords(error), error)
    throw error
  }
}

/** The answer to a chain that is not taken (403). */
export function chainRefusal(reason: string, cause?: unknown): MorangoError {
  return answerError('certificate-chain-invalid', `Saving certificate chain has failed: ${reason}`, cause)
}

function failedCheck(problem: CertificateProblem): MorangoError {
  const { code, message, errorClass } = problem
  const error_message = SILENT.has(code) ? '' : message
  return new MorangoError(code, message, {
    details: { errorClass, body: { error_class: errorClass, error_message } },
  })
}

// Of these the original tells the class alone.
const SILENT: ReadonlySet<string> = new Set(['certificate-signature-invalid', 'certificate-scope-not-subset'])

function originalWords(error: MorangoError): string {
  return SILENT.has(error.code) ? '' : error.message
}
