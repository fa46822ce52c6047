import { certificateFromItem } from '../core/certificate.ts'
import type { Certificate, CertificateItem } from '../core/certificate.ts'
import { MorangoError, isMorangoError } from '../core/errors.ts'
import type { CallOptions, Peer } from '../protocol/peer.ts'
import { knownChain, readCertificateChain } from './certificates.ts'
import type { CheckedChain } from './certificates.ts'
import type { ClientContext } from './client-context.ts'

/** By which certificate of a peer one is to be signed; whatever is missing is found out. */
export interface SignerWish {
  readonly parentId?: string | undefined
  /** The id of the root certificate. */
  readonly primaryPartition?: string | undefined
}

/** How many certificates of a peer are looked at for their chains: it may offer a thousand, and each is a call. */
export const MOST_LOOKS = 50

/**
 * The chain of a certificate that the peer holds, checked in memory; it is asked for if it is not known here yet.
 * Nothing is saved.
 *
 * @throws MorangoError `unknown-certificate`, `certificate-…`
 */
export async function learnChain(
  context: ClientContext,
  peer: Peer,
  id: string,
  options?: CallOptions,
): Promise<CheckedChain> {
  const known = await knownChain(context, id)
  if (known !== undefined) return known
  const items = await peer.certificates({ ancestorsOf: id }, options)
  if (items.length === 0) {
    throw new MorangoError('unknown-certificate', `The peer does not hold the certificate ${id}`, {
      hint: 'Ask the peer for its certificates and choose one of them.',
    })
  }
  return readCertificateChain(context, items, id)
}

/**
 * The chain of the certificate that shall sign one of ours. Only one under the root that was asked for; where none was,
 * the peer must hold certificates of one root alone, for it is this side that says whom it means.
 *
 * @throws MorangoError `unknown-certificate`, `invalid-argument` with the roots that the peer has, `certificate-…`
 */
export async function findSigner(
  context: ClientContext,
  peer: Peer,
  { parentId, primaryPartition }: SignerWish,
  options?: CallOptions,
): Promise<CheckedChain> {
  if (parentId !== undefined) {
    const chain = await learnChain(context, peer, parentId, options)
    if (primaryPartition === undefined || chain.root.id === primaryPartition) return chain
    throw notUnder(primaryPartition, `The certificate ${parentId} is`)
  }
  const items = await peer.certificates({ primaryPartition, profile: context.profile }, options)
  const offered = readOffered(items).filter(({ profile }) => profile === context.profile)
  // The root itself first: it can sign anything.
  const sorted = offered.toSorted((a, b) => Number(b.parentId === null) - Number(a.parentId === null))
  const chains: CheckedChain[] = []
  let failure: MorangoError | undefined
  for (const { id } of sorted.slice(0, MOST_LOOKS)) {
    // oxlint-disable-next-line no-await-in-loop
    const chain = await learnOffered(context, peer, id, options)
    if (isMorangoError(chain)) {
      failure ??= chain
      continue
    }
    if (primaryPartition !== undefined && chain.root.id === primaryPartition) return chain
    chains.push(chain)
  }
  const [first] = chains
  if (first === undefined && failure !== undefined) throw failure
  if (first === undefined) {
    throw new MorangoError('unknown-certificate', 'The peer holds no certificate to sign with', {
      hint: 'Check the primary partition, and that this peer may give out certificates for it.',
    })
  }
  const roots = [...new Set(chains.map(({ root }) => root.id))]
  if (primaryPartition !== undefined) {
    throw notUnder(primaryPartition, 'What the peer offers is', roots)
  }
  if (roots.length === 1) return first
  throw new MorangoError('invalid-argument', 'The peer holds certificates of several root certificates', {
    hint: `Say which one is meant, as the primary partition: ${roots.join(', ')}.`,
    details: { roots },
  })
}

/** The chain of one of the certificates that a peer offers, or what is wrong with it: others may be fine. */
export async function learnOffered(
  context: ClientContext,
  peer: Peer,
  id: string,
  options?: CallOptions,
): Promise<CheckedChain | MorangoError> {
  try {
    return await learnChain(context, peer, id, options)
  } catch (error) {
    if (isMorangoError(error) && OF_A_CERTIFICATE.test(error.code)) return error
    throw error
  }
}

const OF_A_CERTIFICATE = /^(?:certificate-.*|invalid-key|unknown-certificate|unknown-scope-definition)$/

function notUnder(root: string, what: string, roots?: readonly string[]): MorangoError {
  const instead = roots === undefined ? '' : `; it has: ${roots.join(', ')}`
  return new MorangoError('unknown-certificate', `${what} not under the root certificate ${root}`, {
    hint: `Check the primary partition, and that the URL is that of the peer you mean${instead}.`,
    details: { primaryPartition: root, ...(roots !== undefined && { roots }) },
  })
}

/** What can be read of the certificates that a peer offers, each once. */
export function readOffered(items: readonly CertificateItem[]): Certificate[] {
  const seen = new Set<string>()
  return items.flatMap((item) => {
    if (seen.has(item.id)) return []
    seen.add(item.id)
    try {
      return [certificateFromItem(item)]
    } catch (error) {
      // Another one may be fine.
      if (isMorangoError(error)) return []
      throw error
    }
  })
}
