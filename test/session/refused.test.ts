import { afterEach, beforeEach, expect, test } from 'vitest'
import { createMorango, type Morango } from '../../src/morango.ts'
import type { Profile } from '../../src/models/profile.ts'
import type { Peer } from '../../src/protocol/peer.ts'
import { createTestNetwork, type TestNetwork } from '../../src/testing/index.ts'
import { library } from '../../src/testing/library.ts'
import { createMemoryPeer } from '../../src/transport/memory.ts'

const profiles: readonly [Profile] = [library]
let network: TestNetwork
let stolen = ''
let filter = ''

beforeEach(async () => {
  network = await createTestNetwork({
    peers: { server: {}, tablet: { scope: { scope: 'owner', params: { owner: 'u1' } } } },
  })
  filter = `${network.root}:u1`
  stolen = (await network.peer('tablet').morango.certificates.list())[0]?.id ?? ''
})
afterEach(() => network.close())

/** The same database, as it is opened after somebody changed the list. */
function again(name: string, refusedCertificates: readonly string[]): Promise<Morango> {
  return createMorango({ database: network.peer(name).database, profiles, refusedCertificates })
}

function to(server: Morango): Peer {
  const service = server.service({ authorize: () => true })
  return createMemoryPeer(service, { capabilities: server.capabilities, onError: () => {} })
}

test('a server refuses a certificate of its list, and others not', async () => {
  const tablet = network.peer('tablet').morango
  const server = await again('server', [stolen])
  await expect(tablet.sync(to(server), { filter })).rejects.toMatchObject({
    code: 'peer-error',
    details: { status: 403, body: `The certificate ${stolen} is refused here` },
  })
  const lenient = await again('server', ['f'.repeat(32)])
  expect(await tablet.sync(to(lenient), { filter })).toMatchObject({ pulled: 0 })
})

test('a session that is open already ends, too', async () => {
  const tablet = network.peer('tablet').morango
  await network.peer('tablet').insert('book', { root: network.root, owner: 'u1' })
  const before = to(await again('server', []))
  const after = to(await again('server', [stolen]))
  // The server is started anew with another list between opening the session and the transfer.
  const half: Peer = { ...before, createTransferSession: (...call) => after.createTransferSession(...call) }
  await expect(tablet.sync(half, { filter })).rejects.toMatchObject({ details: { status: 403 } })
  expect(await network.peer('server').records()).toEqual([])
})

test('what a refused certificate signed is refused with it, and it signs nothing more', async () => {
  const tablet = network.peer('tablet').morango
  const wish = { scopeDefinition: 'owner', scopeParams: { root: network.root, owner: 'u1' } }
  const credentials = { username: 'x', password: 'y' }
  // The tablet is a server to another one.
  const third = await createTestNetwork({
    seed: 'another',
    peers: { other: { scope: { scope: 'reader', params: { owner: 'u1' } } } },
  })
  try {
    const other = third.peer('other').morango
    const own = (await other.certificates.list())[0]?.id ?? ''
    const { id } = await other.certificates.request(to(tablet), { ...wish, credentials, parentId: stolen })
    const server = await again('server', [stolen])
    await expect(other.sync(to(server), { filter, certificate: id })).rejects.toMatchObject({
      details: { status: 403 },
    })
    expect(await other.sync(to(server), { filter, certificate: own, direction: 'pull' })).toMatchObject({
      pulled: 0,
    })
    const refusing = await again('tablet', [stolen])
    await expect(
      other.certificates.request(to(refusing), { ...wish, credentials, parentId: stolen }),
    ).rejects.toMatchObject({ details: { status: 403 } })
  } finally {
    await third.close()
  }
})

test('a client refuses a server, and does not go on with what it left', async () => {
  const client = await again('tablet', [network.root])
  await expect(client.sync(to(network.peer('server').morango), { filter })).rejects.toMatchObject({
    code: 'certificate-refused',
    hint: expect.stringContaining('refusedCertificates'),
  })
})

test('who came with which certificate is known', async () => {
  const server = await again('server', [])
  await network.peer('tablet').morango.sync(to(server), { filter })
  const known = await server.certificates.listAll()
  expect(known.map(({ id, held }) => [id, held])).toEqual(
    [
      [network.root, true],
      [stolen, false],
    ].toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1)),
  )
  expect(known.find(({ id }) => id === stolen)?.lastUsed).toMatchObject({
    at: expect.stringMatching(/^\d{4}-/u),
  })
  expect(known.find(({ id }) => id === network.root)?.lastUsed).toBeUndefined()
})

test('what is no id refuses to start', async () => {
  await expect(again('server', ['5b1f…'])).rejects.toMatchObject({ code: 'invalid-argument' })
})
