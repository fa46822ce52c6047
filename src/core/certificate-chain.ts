import { certificateFromItem } from './certificate.ts'
import type { Certificate, SignedItem } from './certificate.ts'
import type { CertificateProblem } from './certificate-checks.ts'
import { MorangoError } from './errors.ts'

/** What is left to check and save of a chain. */
export interface ChainPlan {
  /** Parents before children; the first is a root, or its parent is the known certificate. */
  readonly pending: readonly Certificate[]
  /** The nearest certificate to the leaf that is already known, if any: the parent of the first pending. */
  readonly knownId: string | undefined
}

/** What saving a chain needs from outside. */
export interface ChainRequest {
  /** Root first, as they travel. */
  readonly items: readonly SignedItem[]
  /** The id that the last one must have. */
  readonly expectedLastId?: string | undefined
  known(id: string): Promise<Certificate | undefined>
  check(certificate: Certificate, parent: Certificate | undefined): Promise<CertificateProblem | undefined>
  save(certificate: Certificate): Promise<void>
}

/**
 * Walks a chain from its leaf up to the first known certificate or to the root, and looks only at how its
 * links fit: each one's parent must be the next one up, and the first must be a root (protocol §3).
 *
 * @param items - root first
 * @throws MorangoError `certificate-chain-invalid` when they do not fit; `certificate-malformed`
 */
export function planChain(
  items: readonly SignedItem[],
  expectedLastId?: string,
  isKnown: (id: string) => boolean = () => false,
): ChainPlan {
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
 * Checks and saves what is new in a chain, parents first, and gives its leaf. Valid ancestors stay saved
 * when a later one fails (protocol §3).
 *
 * @throws MorangoError as {@link planChain}, or with the code of the problem that `check` found
 */
export async function saveChain(request: ChainRequest): Promise<Certificate> {
  const { items, expectedLastId } = request
  const base = await findKnown(request)
  const { pending, knownId } = planChain(items, expectedLastId, (id) => id === base?.id)
  let parent = knownId === undefined ? undefined : base
  for (const certificate of pending) {
    // One after the other: each check needs the one before it to be saved.
    const problem = await request.check(certificate, parent)
    if (problem !== undefined) {
      const { code, message, errorClass } = problem
      throw new MorangoError(code, message, { details: { errorClass, certificateId: certificate.id } })
    }
    await request.save(certificate)
    parent = certificate
  }
  return parent ?? invalidEmpty()
}

async function findKnown(request: ChainRequest): Promise<Certificate | undefined> {
  for (const { id } of request.items.toReversed()) {
    const certificate = await request.known(id)
    if (certificate !== undefined) return certificate
  }
  return undefined
}

function invalidEmpty(): never {
  throw invalid('The certificate chain is empty')
}

function invalid(message: string): MorangoError {
  return new MorangoError('certificate-chain-invalid', message)
}
