import { certificateText, certificateToItem } from '../../src/core/certificate.ts'
import type { Certificate, CertificateFields, CertificateItem } from '../../src/core/certificate.ts'
import { createRootCertificate, type OwnCertificate } from '../../src/core/certificate-create.ts'
import { certificateId } from '../../src/core/ids.ts'
import { pythonStringify } from '../../src/core/python-json.ts'
import type { Peer } from '../../src/protocol/peer.ts'
import type { Scene } from './scene.ts'
import { keys, PASSWORD, profile, root, signer } from './world.ts'

/** The root's id: the dataset. */
export const ROOT: string = root.certificate.id
const PARAMS = pythonStringify({ root: ROOT, owner: 'u1' })

const allScope = profile.scopes['all']
if (allScope === undefined) throw new Error('There is no such scope')
/** A root that nobody trusts. */
export const foreign: OwnCertificate = await createRootCertificate({
  signer,
  definition: allScope,
  keyPair: keys.foreign,
})

/** What is wrong with a certificate. */
export const CERTIFICATE_CODES = [
  'certificate-id-invalid',
  'certificate-signature-invalid',
  'certificate-root-scope-invalid',
  'certificate-scope-not-subset',
  'certificate-profile-invalid',
  'certificate-malformed',
  'certificate-chain-invalid',
] as const

let serial = 0

/** A certificate as somebody signs it who checks nothing. */
export async function sign(
  change: Partial<CertificateFields> = {},
  privateKey: string = root.privateKeyPem,
): Promise<Certificate> {
  const {
    publicKey = keys.server.publicKey,
    profile: of = 'library',
    salt = `${++serial}`.padStart(32, '7'),
  } = change
  const fields = {
    id: certificateId(publicKey, of, salt),
    parentId: ROOT,
    scopeDefinitionId: 'owner',
    scopeVersion: 1,
    scopeParams: PARAMS,
    ...change,
    publicKey,
    profile: of,
    salt,
  }
  const serialized = certificateText(fields)
  return { ...fields, serialized, signature: await signer.sign(privateKey, serialized) }
}

/** Certificates as they travel. */
export function items(...chain: readonly Certificate[]): CertificateItem[] {
  return chain.map(certificateToItem)
}

/** Asks for a certificate with a password, as a new device does. */
export async function request(peer: Peer, { world: { client } }: Scene): Promise<unknown> {
  return await client.morango.certificates.request(peer, {
    scopeDefinition: 'owner',
    scopeParams: { root: ROOT, owner: 'u1' },
    primaryPartition: ROOT,
    credentials: { username: 'ana', password: PASSWORD },
  })
}
