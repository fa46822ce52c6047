import type { CertificateItem } from '../core/certificate.ts'
import { MAX_CHAIN } from '../core/limits.ts'
import { countFamily, countSigned, keysOfCertificates } from '../storage/quota-usage.ts'
import { limitsOf, tooMany } from './quotas.ts'
import type { ServiceOptions } from './service-context.ts'

const RETRY_AFTER_S = 3600

/** What is kept below a certificate whose key is elsewhere, in relation to one whose key is here. */
const ELSEWHERE_SHARE = 10

/**
 * Requires that one more certificate may be signed with a key that is here.
 *
 * @throws MorangoError `too-many-requests`
 */
export async function requireRoomBelow(
  { db, limits }: Pick<ServiceOptions, 'db' | 'limits'>,
  parentId: string,
): Promise<void> {
  const most = limitsOf(limits).certificatesPerParent
  if ((await countSigned(db, parentId, most)) >= most) {
    throw tooMany(`The certificate ${parentId} has signed as many certificates as are kept.`, RETRY_AFTER_S)
  }
}

/**
 * Requires that what is new in a client's chain may be kept. A client can sign any number of certificates with its own key:
 * all those below one that was signed here count together.
 *
 * @throws MorangoError `too-many-requests`
 */
export async function requireRoomForChain(
  { db, limits }: Pick<ServiceOptions, 'db' | 'limits'>,
  chain: readonly Pick<CertificateItem, 'id'>[],
): Promise<void> {
  // The check of the chain says what is wrong with it.
  if (chain.length === 0 || chain.length > MAX_CHAIN) return
  const ids = chain.map(({ id }) => id)
  const keys = await keysOfCertificates(db, ids)
  if (ids.every((id) => keys.has(id))) return
  const elsewhere = ids.find((id) => keys.get(id) === false)
  if (elsewhere === undefined) {
    const parent = ids.findLast((id) => keys.has(id))
    if (parent !== undefined) await requireRoomBelow({ db, limits }, parent)
    return
  }
  const most = Math.max(1, Math.floor(limitsOf(limits).certificatesPerParent / ELSEWHERE_SHARE))
  if ((await countFamily(db, elsewhere, most)) >= most) {
    throw tooMany(`As many certificates as are kept are below ${elsewhere}.`, RETRY_AFTER_S)
  }
}
