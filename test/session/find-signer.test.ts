import { beforeEach, describe, expect, it, test } from 'vitest'
import { createChildCertificate, createRootCertificate } from '../../src/core/certificate-create.ts'
import type { OwnCertificate } from '../../src/core/certificate-create.ts'
import type { Peer } from '../../src/protocol/peer.ts'
import { plainPasswordWarning } from '../../src/session/plain-password.ts'
import type { EngineWarning } from '../../src/storage/context.ts'
import { saveCertificate } from '../../src/storage/certificates.ts'
import { ROOT, SCOPES, createInstance, createLine, keyPair, random, root, signer } from './support.ts'
import type { Instance, Line } from './support.ts'

const credentials = { username: 'ann', password: 'x' }
let server: Instance
let device: Instance
let line: Line
let foreign: OwnCertificate

beforeEach(async () => {
  const [definition] = SCOPES
  if (definition === undefined) throw new Error('no scopes')
  foreign = await createRootCertificate({ signer, definition, keyPair: keyPair(1) })
  server = await createInstance('b', { root: false })
  device = await createInstance('a', { root: false })
  line = createLine(server.service({ authorize: () => true }))
})

async function hold({ certificate, privateKeyPem }: OwnCertificate): Promise<void> {
  await saveCertificate(server.db, certificate, privateKeyPem)
}

async function known({ db }: Instance): Promise<string[]> {
  return (await db.selectFrom('morango_certificate').select('id').execute()).map(({ id }) => id)
}

function ask(primaryPartition?: string, main = ROOT, peer: Peer = line.peer): Promise<unknown> {
  return device.client().requestCertificate(peer, {
    primaryPartition,
    scopeDefinition: 'fullsub',
    scopeParams: { main },
    credentials,
  })
}

describe('a device that asks for a certificate', () => {
  it('sends no password to a peer that has none under the root it means, and keeps nothing', async () => {
    await hold(foreign)
    // A server that answers whatever is asked with what it has.
    const { peer } = line
    const liar: Peer = {
      ...peer,
      certificates: ({ ancestorsOf }) => peer.certificates({ ancestorsOf }),
    }
    await expect(ask(ROOT, ROOT, liar)).rejects.toMatchObject({ code: 'unknown-certificate' })
    expect(line.log).not.toContain('requestCertificate')
    expect(await known(device)).toEqual([])
  })

  it('says which root it means where the peer has several', async () => {
    await hold(foreign)
    await hold(root)
    await expect(ask()).rejects.toMatchObject({
      code: 'invalid-argument',
      hint: expect.stringContaining(ROOT),
    })
    expect(line.log).not.toContain('requestCertificate')
    expect(await known(device)).toEqual([])
    await ask(ROOT)
    expect(await known(device)).toHaveLength(2)
  })

  it('takes the only root that there is, also by a certificate below it', async () => {
    const below = await createChildCertificate({
      signer,
      parent: root.certificate,
      parentPrivateKeyPem: root.privateKeyPem,
      scopeDefinitionId: 'fullsub',
      scopeVersion: 1,
      scopeParams: JSON.stringify({ main: ROOT }),
      publicKey: keyPair(2).publicKey,
      salt: random.uuid(),
    })
    await saveCertificate(server.db, root.certificate)
    await saveCertificate(server.db, below, keyPair(2).privateKeyPem)
    await expect(ask()).resolves.toMatchObject({ parentId: below.id })
    await expect(ask(ROOT)).resolves.toMatchObject({ parentId: below.id })
  })

  it('keeps nothing of the peer when it gets no certificate', async () => {
    await hold(root)
    line.restart(server.service())
    await expect(ask(ROOT)).rejects.toMatchObject({ code: 'peer-error', details: { status: 403 } })
    expect(await known(device)).toEqual([])
  })

  it('asks nobody for what makes no scope', async () => {
    await hold(root)
    await expect(ask(ROOT, `${ROOT}\n${ROOT}`)).rejects.toMatchObject({ code: 'certificate-malformed' })
    expect(line.log).toEqual([])
  })

  it('is warned before a password goes over plain HTTP to far away', async () => {
    await hold(root)
    const warnings: EngineWarning[] = []
    const client = device.client({ onWarning: (warning) => warnings.push(warning) })
    const wish = { scopeDefinition: 'fullsub', scopeParams: { main: ROOT }, credentials }
    await client.requestCertificate({ ...line.peer, url: 'http://192.168.1.5:8080/' }, wish)
    expect(warnings).toEqual([])
    await client.requestCertificate({ ...line.peer, url: 'http://sync.example/' }, wish)
    expect(warnings).toMatchObject([
      { code: 'plain-password', message: expect.stringContaining('sync.example') },
    ])
  })
})

it('a client keeps the chain of a server once a session with it is open', async () => {
  await hold(root)
  await saveCertificate(device.db, root.certificate, root.privateKeyPem)
  const below = await createChildCertificate({
    signer,
    parent: root.certificate,
    parentPrivateKeyPem: root.privateKeyPem,
    scopeDefinitionId: 'fullsub',
    scopeVersion: 1,
    scopeParams: JSON.stringify({ main: ROOT }),
    publicKey: keyPair(2).publicKey,
    salt: random.uuid(),
  })
  await saveCertificate(server.db, below, keyPair(2).privateKeyPem)
  const client = device.client()
  const named = { serverCertificateId: below.id }
  const { peer } = line
  const impostor: Peer = {
    ...peer,
    createSyncSession: async (...call) => ({ ...(await peer.createSyncSession(...call)), signature: 'AAAA' }),
  }
  await expect(client.connect(impostor, named)).rejects.toMatchObject({ code: 'session-signature-invalid' })
  expect(await known(device)).toEqual([ROOT])
  await client.connect(peer, named)
  expect((await known(device)).toSorted()).toEqual([ROOT, below.id].toSorted())
})

it('a client opens no session between two roots', async () => {
  await hold(foreign)
  await hold(root)
  await saveCertificate(device.db, root.certificate, root.privateKeyPem)
  const wish = { serverCertificateId: foreign.certificate.id }
  await expect(device.client().connect(line.peer, wish)).rejects.toMatchObject({
    code: 'unknown-certificate',
  })
  expect(line.log).not.toContain('createSyncSession')
})

describe('where a password may go in the clear', () => {
  test.each([
    'https://sync.example/',
    'http://localhost:8080/',
    'http://a.localhost/',
    'http://127.9.9.9/',
    'http://2130706433/',
    'http://[::1]/',
    'http://[::ffff:10.1.2.3]/',
    'http://10.255.0.1/',
    'http://172.16.0.1/',
    'http://172.31.255.255/',
    'http://192.168.0.1/',
    'http://169.254.1.1/',
    'http://[fe80::1]/',
    'http://[fd12:3456::1]/',
    'http://school.local/',
    'http://school.local./',
    'memory:server/',
  ])('%s', (url) => {
    expect(plainPasswordWarning(url)).toBeUndefined()
  })

  test.each([
    'http://sync.example/',
    'HTTP://SYNC.EXAMPLE/',
    'http://localhost@sync.example/',
    'http://localhost.sync.example/',
    'http://10.0.0.1.sync.example/',
    'http://172.32.0.1/',
    'http://192.169.0.1/',
    'http://100.64.0.1/',
    'http://8.8.8.8/',
    'http://[2001:db8::1]/',
    'http://[::ffff:8.8.8.8]/',
    'http://notlocal/',
  ])('not %s', (url) => {
    expect(plainPasswordWarning(url)).toContain('plain HTTP')
  })
})
