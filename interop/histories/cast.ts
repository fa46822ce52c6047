import type { OwnCertificate } from '../../src/core/certificate-create.ts'
import { createChildCertificate, createRootCertificate } from '../../src/core/certificate-create.ts'
import { instanceId, saltedHash } from '../../src/core/ids.ts'
import { createSigner } from '../../src/crypto/webcrypto-signer.ts'
import { golden } from '../../test/core/golden.ts'
import { newDatabase, startTestPython } from '../network.ts'
import { NODE_ID, SYSTEM_ID } from '../processes.ts'
import { createOurPeer, type HeldCertificate } from '../our-peer.ts'
import type { Peer } from '../peer.ts'
import { survey } from '../profile.ts'
import type { RemotePeer } from '../remote-peer.ts'
import type { Holder, Owner } from './history.ts'

/** The persons are fixed: certificates and partitions name them. */
export const PERSONS: Readonly<Record<Owner, string>> = { u1: '1'.repeat(32), u2: '2'.repeat(32) }
const NAMES = ['a', 'b', 'c', 'd']

interface Certificates {
  readonly root: OwnCertificate
  readonly person: OwnCertificate
}

/** Makes the peers of one history after the other; the processes of the original stay. */
export interface Cast {
  readonly dataset: string
  /** The root certificate's, as PEM. */
  readonly rootKey: string
  readonly rootPublicKey: string
  /**
   * New peers with empty tables and the certificates of their holders; who they are depends on their number alone.
   *
   * @param ours by peer, whether it is one of ours
   * @param company peers of one company never meet those of another
   */
  peers(company: number, holders: readonly Holder[], ours: readonly boolean[]): Promise<Peer[]>
  /** Puts away the peers of ours. */
  dismiss(): Promise<void>
  close(): Promise<void>
}

export async function createCast(): Promise<Cast> {
  const { root, person } = await makeCertificates()
  const processes = new Map<string, Promise<RemotePeer>>()
  const hired: Peer[] = []

  function certificatesOf(holder: Holder): HeldCertificate[] {
    if (holder === 'all') return [root]
    return [{ certificate: root.certificate, privateKeyPem: undefined }, person]
  }

  async function createPeer(company: number, peer: number, holder: Holder, ours: boolean): Promise<Peer> {
    const databaseId = (NAMES[peer] ?? 'e').repeat(32)
    const certificates = certificatesOf(holder)
    if (ours) {
      const id = instanceId(databaseId, saltedHash(SYSTEM_ID), saltedHash(NODE_ID))
      const made = await createOurPeer({ identity: { databaseId, instanceId: id }, certificates })
      hired.push(made)
      return made
    }
    const place = `${company} ${peer}`
    const process = processes.get(place) ?? startTestPython(newDatabase(), {})
    processes.set(place, process)
    const made = await process
    await made.reset({
      database: databaseId,
      certificates: certificates.map(({ certificate, privateKeyPem }) => ({
        serialized: certificate.serialized,
        signature: certificate.signature,
        key: privateKeyPem ?? null,
      })),
    })
    return made
  }

  async function dismiss(): Promise<void> {
    await Promise.all(hired.splice(0).map((peer) => peer.close()))
  }

  return {
    dataset: root.certificate.id,
    rootKey: root.privateKeyPem,
    rootPublicKey: root.certificate.publicKey,
    peers: (company, holders, ours) =>
      Promise.all(holders.map((holder, peer) => createPeer(company, peer, holder, ours[peer] === true))),
    dismiss,
    async close() {
      await dismiss()
      await Promise.all([...processes.values()].map(async (process) => (await process).kill()))
    },
  }
}

/** Keys and salt are fixed, and with them all ids. */
async function makeCertificates(): Promise<Certificates> {
  const { keys } = golden<{
    readonly keys: readonly { readonly private_key_pem: string; readonly public_key_string: string }[]
  }>('keys')
  const [rootKey, personKey] = keys
  const definition = survey.scopes['full']
  if (definition === undefined || rootKey === undefined || personKey === undefined) throw new Error('no keys')
  const signer = createSigner()
  const root = await createRootCertificate({
    signer,
    definition,
    keyPair: { privateKeyPem: rootKey.private_key_pem, publicKey: rootKey.public_key_string },
  })
  const certificate = await createChildCertificate({
    signer,
    parent: root.certificate,
    parentPrivateKeyPem: root.privateKeyPem,
    scopeDefinitionId: 'one-person',
    scopeVersion: definition.version,
    scopeParams: JSON.stringify({ dataset_id: root.certificate.id, person_id: PERSONS.u1 }),
    publicKey: personKey.public_key_string,
    salt: '5'.repeat(32),
  })
  return { root, person: { certificate, privateKeyPem: personKey.private_key_pem } }
}
