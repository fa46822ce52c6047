import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import { createMorango } from '../../src/index.ts'
import { createChildCertificate, type OwnCertificate } from '../../src/core/certificate-create.ts'
import { pythonStringify } from '../../src/core/python-json.ts'
import { createSigner } from '../../src/crypto/webcrypto-signer.ts'
import { saveCertificate } from '../../src/storage/certificates.ts'
import { createTestAuthority } from '../../src/testing/certificates.ts'
import { TEST_KEY_PAIR } from '../../src/testing/keys.ts'
import { createSeededRandom, library, librarySchema } from '../../src/testing/index.ts'
import { openDatabase, type Place } from '../databases/kinds.ts'

/** Whoever knows it gets a certificate. */
export const PASSWORD = 'right'

/** What an attacker may write and read, below the root. */
export const OWNER = 'mallory'

/** The server that is attacked, and what its attacker holds. */
export interface Target {
  readonly url: string
  readonly attacker: Attacker
}

/** An attacker with a narrow certificate, which he got as anybody gets one. */
export interface Attacker {
  /** The id of the root certificate, with which all partitions begin. */
  readonly root: string
  /** The one prefix of his scope. */
  readonly prefix: string
  /** Root first, his own last. */
  readonly chain: readonly [OwnCertificate, OwnCertificate]
}

/** Makes a database with a root certificate, and a narrow one for the attacker. */
export async function prepareTarget(place: Place): Promise<Attacker> {
  const database = openDatabase(place)
  try {
    for (const statement of librarySchema) await sql.raw(statement).execute(database.kysely)
    await createMorango({ database, profiles: [library], migrate: true, onWarning: () => undefined })
    const authority = await createTestAuthority(library, createSeededRandom(1))
    const { certificate, privateKeyPem } = authority.root
    await saveCertificate(database.kysely, certificate, privateKeyPem)
    const own = await authority.issue({ scope: 'owner', params: { owner: OWNER } })
    return {
      root: certificate.id,
      prefix: `${certificate.id}:${OWNER}`,
      chain: [authority.root, own],
    }
  } finally {
    await database.close()
  }
}

/** A certificate below another one, as its holder signs it. */
export async function below(parent: OwnCertificate, owner: string): Promise<OwnCertificate> {
  const { certificate, privateKeyPem } = parent
  const scopeParams: unknown = JSON.parse(certificate.scopeParams)
  const root = typeof scopeParams === 'object' && scopeParams !== null ? Reflect.get(scopeParams, 'root') : ''
  const child = await createChildCertificate({
    signer: createSigner(),
    parent: certificate,
    parentPrivateKeyPem: privateKeyPem,
    scopeDefinitionId: certificate.scopeDefinitionId,
    scopeVersion: certificate.scopeVersion,
    scopeParams: pythonStringify({ root: String(root), owner }),
    publicKey: TEST_KEY_PAIR.publicKey,
    salt: randomUUID().replaceAll('-', ''),
  })
  return { certificate: child, privateKeyPem: TEST_KEY_PAIR.privateKeyPem }
}
