import { MorangoError } from '../core/errors.ts'
import { certificateChain } from '../storage/certificates.ts'
import type { CertificateDeps } from './certificates.ts'

/** What is refused here, and where to look up what is above a certificate. */
export type RefusalDeps = Pick<CertificateDeps, 'db' | 'refusedCertificates'>

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
 * Whether a certificate, or one above it, is refused here. The protocol has no revocation: this is this side's own
 * decision, and others hear of it only by being refused.
 */
export async function isRefused({ db, refusedCertificates }: RefusalDeps, id: string): Promise<boolean> {
  if (refusedCertificates === undefined || refusedCertificates.size === 0) return false
  if (refusedCertificates.has(id)) return true
  const chain = await certificateChain(db, id)
  return chain.some((certificate) => refusedCertificates.has(certificate.id))
}

/** @throws MorangoError `certificate-refused` if one of them {@link isRefused} */
export async function requireNotRefused(deps: RefusalDeps, ...ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    // oxlint-disable-next-line no-await-in-loop
    if (!(await isRefused(deps, id))) continue
    throw new MorangoError('certificate-refused', `The certificate ${id} is refused here`, {
      hint: 'It, or one above it, is in refusedCertificates. Use another certificate.',
    })
  }
}
