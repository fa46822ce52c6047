import type { Certificate } from '../core/certificate.ts'
import { checkLinks } from '../core/certificate-chain.ts'
import { MorangoError, isMorangoError } from '../core/errors.ts'
import { MAX_CHAIN } from '../core/limits.ts'
import { certificateChain } from '../storage/certificates.ts'
import { problemOf } from './certificates.ts'
import type { CertificateDeps } from './certificates.ts'

/**
 * The ids of certificates to have nothing to do with.
 *
 * @throws MorangoError `invalid-argument` for what is no id, and so would refuse nobody
 */
export function refusedSet(ids: readonly string[] = []): ReadonlySet<string> {
  const wrong = ids.find((id) => !/^[0-9a-f]{32}$/u.test(id))
  if (wrong === undefined) return new Set(ids)
  throw new MorangoError('invalid-argument', `"${wrong}" in refusedCertificates is no certificate's id`, {
    hint: 'Ids are 32 hex digits: `morango cert list --all` shows them.',
  })
}

/**
 * Why this side has nothing to do with a certificate: it, or one above it, is in its list, for the protocol has no
 * revocation; or they do not pass the checks, having been saved by a release that took more.
 *
 * @param chain - root first, the certificate last; shorter when one above it is not known
 * @returns undefined when it can be used; else a `certificate-refused`, or `unknown-scope-definition`
 */
export async function refusalOf(
  deps: CertificateDeps,
  id: string,
  chain: readonly Certificate[],
): Promise<MorangoError | undefined> {
  const refused = deps.refusedCertificates
  if (refused?.has(id) === true || chain.some((link) => refused?.has(link.id) === true)) {
    return new MorangoError('certificate-refused', `The certificate ${id} is refused here`, {
      hint: 'It, or one above it, is in refusedCertificates. Use another certificate.',
    })
  }
  const sound = soundFor(deps)
  const leaf = chain.at(-1)
  if (leaf === undefined || leaf.id !== id) return unusable(id, 'a certificate above it is not known here')
  if (sound.get(id) === leaf.serialized) return undefined
  if (chain.length > MAX_CHAIN) return unusable(id, `more than ${MAX_CHAIN - 1} are above it`)
  try {
    await checkLinks(chain, (certificate, parent) => problemOf(deps, certificate, parent))
  } catch (error) {
    if (!isMorangoError(error)) throw error
    return error.code === 'unknown-scope-definition' ? error : unusable(id, error.message, error)
  }
  if (sound.size >= REMEMBERED) sound.clear()
  sound.set(id, leaf.serialized)
  return undefined
}

/** Whether this side would use a certificate that it has; see {@link refusalOf}. */
export async function isUsable(deps: CertificateDeps, certificate: Certificate): Promise<boolean> {
  return (await refusalHere(deps, certificate)) === undefined
}

/** @throws MorangoError what {@link refusalOf} gives, if anything, for one of certificates that are saved here */
export async function requireUsable(
  deps: CertificateDeps,
  ...certificates: readonly Certificate[]
): Promise<void> {
  for (const certificate of certificates) {
    // oxlint-disable-next-line no-await-in-loop
    const refusal = await refusalHere(deps, certificate)
    if (refusal !== undefined) throw refusal
  }
}

async function refusalHere(
  deps: CertificateDeps,
  certificate: Certificate,
): Promise<MorangoError | undefined> {
  const { id, serialized } = certificate
  const refusesNone = (deps.refusedCertificates?.size ?? 0) === 0
  if (refusesNone && soundFor(deps).get(id) === serialized) return undefined
  return refusalOf(deps, id, await certificateChain(deps.db, id))
}

/** @throws MorangoError as {@link requireUsable}, for chains that need not be saved yet */
export async function requireUsableChains(
  deps: CertificateDeps,
  ...chains: readonly (readonly Certificate[])[]
): Promise<void> {
  for (const chain of chains) {
    // oxlint-disable-next-line no-await-in-loop
    const refusal = await refusalOf(deps, chain.at(-1)?.id ?? '', chain)
    if (refusal !== undefined) throw refusal
  }
}

const REMEMBERED = 1000

// Chains that passed, by the leaf's id, with its text: each call of a transfer asks.
const SOUND = new WeakMap<CertificateDeps, Map<string, string>>()

function unusable(id: string, reason: string, cause?: unknown): MorangoError {
  const sentence = `The certificate ${id} cannot be used: ${reason.replace(/\.$/u, '')}.`
  return new MorangoError('certificate-refused', sentence, {
    hint: 'Get another one; `morango doctor` looks at those of this device.',
    ...(cause !== undefined && { cause }),
  })
}

function soundFor(deps: CertificateDeps): Map<string, string> {
  const known = SOUND.get(deps)
  if (known !== undefined) return known
  const sound = new Map<string, string>()
  SOUND.set(deps, sound)
  return sound
}
