import { certificateFromItem } from './certificate.ts'
import type { Certificate, SignedItem } from './certificate.ts'
import type { CertificateProblem } from './certificate-checks.ts'
import { MorangoError } from './errors.ts'
import { MAX_CHAIN } from './limits.ts'

/** What is left to check and save of a chain. */
export interface ChainPlan {
  /** Parents before children; the first is a root, or its parent is the known certificate. */
  readonly pending: readonly Certificate[]
  /** The nearest certificate to the leaf that is already known, if any: the parent of the first pending. */
  readonly knownId: string | undefined
}

/** A chain whose every certificate was checked, from its root on. */
export interface CheckedChain {
  /** Root first, the leaf last; never empty. */
  readonly certificates: readonly Certificate[]
  readonly leaf: Certificate
  readonly root: Certificate
  /** Those that are not known here yet, parents first. */
  readonly unsaved: readonly Certificate[]
}

/** What checking a chain needs from outside. */
export interface ChainRequest {
  /** Root first, as they travel. */
  readonly items: readonly SignedItem[]
  /** The id that the last one must have. */
  readonly expectedLastId?: string | undefined
  /** The nearest to the leaf of these that is known here, with all above it, root first; empty when none is. */
  known(idsFromLeaf: readonly string[]): Promise<readonly Certificate[]>
  check(certificate: Certificate, parent: Certificate | undefined): Promise<CertificateProblem | undefined>
}

/**
 * Walks a chain from its leaf up to the first known certificate or to the root, and looks only at how its
 * links fit: each one's parent must be the next one up, and the first must be a root (protocol §3).
 *
 * @param items - root first
 * @throws MorangoError `certificate-chain-invalid` when they do not fit or are too many; `certificate-malformed`
 */
export function planChain(
  items: readonly SignedItem[],
  expectedLastId?: string,
  isKnown: (id: string) => boolean = () => false,
): ChainPlan {
  if (items.length > MAX_CHAIN) throw tooLong()
  const pending: Certificate[] = []
  let expectedId = expectedLastId
  for (const item of items.toReversed()) {
    const certificate = certificateFromItem(item)
    if (expectedId !== undefined && item.id !== expectedId) throw invalid('ID does not match expected value')
    if (isKnown(item.id)) return { pending, knownId: item.id }
    pending.unshift(certificate)
    if (certificate.parentId === null) {
      if (pending.length < items.length) throw invalid('A root certificate must be the first of its chain')
      return { pending, knownId: undefined }
    }
    expectedId = certificate.parentId
  }
  if (items.length === 0) throw invalid('The certificate chain is empty')
  throw invalid('First cert in chain must be a root cert (no parent)')
}

/**
 * Checks a chain in memory, parents first, those that are known here among them. Saves nothing: whoever asked for it
 * does, once all that goes with it is right.
 *
 * @throws MorangoError as {@link planChain}, or with the code of the problem that `check` found
 */
export async function checkChain(request: ChainRequest): Promise<CheckedChain> {
  const { items, expectedLastId } = request
  if (items.length > MAX_CHAIN) throw tooLong()
  const known = await request.known(items.map(({ id }) => id).toReversed())
  const { pending } = planChain(items, expectedLastId, (id) => id === known.at(-1)?.id)
  const certificates = [...known, ...pending]
  if (certificates.length > MAX_CHAIN) throw tooLong()
  await checkLinks(certificates, (certificate, parent) => request.check(certificate, parent))
  return checkedChain(certificates, pending)
}

/**
 * Checks the links of a chain one after the other.
 *
 * @param certificates - root first
 * @throws MorangoError with the code of the first problem that `check` finds, `details.errorClass` and
 * `details.certificateId`
 */
export async function checkLinks(
  certificates: readonly Certificate[],
  check: ChainRequest['check'],
): Promise<void> {
  let parent: Certificate | undefined
  for (const certificate of certificates) {
    // One after the other: nothing below a bad one is worth a look.
    const problem = await check(certificate, parent)
    if (problem !== undefined) {
      const { code, message, errorClass } = problem
      throw new MorangoError(code, message, { details: { errorClass, certificateId: certificate.id } })
    }
    parent = certificate
  }
}

/** @throws MorangoError `certificate-chain-invalid` for an empty chain */
export function checkedChain(
  certificates: readonly Certificate[],
  unsaved: readonly Certificate[],
): CheckedChain {
  const [root] = certificates
  const leaf = certificates.at(-1)
  if (root === undefined || leaf === undefined) throw invalid('The certificate chain is empty')
  return { certificates, root, leaf, unsaved }
}

function tooLong(): MorangoError {
  return invalid(`The certificate chain has more than ${MAX_CHAIN} certificates`)
}

function invalid(message: string): MorangoError {
  return new MorangoError('certificate-chain-invalid', message)
}
