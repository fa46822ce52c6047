import { describe, expect } from 'vitest'
import { expectSame, moved } from './compare.ts'
import { certify, introduce } from './introduce.ts'
import { noPython, test, type Network } from './network.ts'
import { type Peer, PASSWORD, USERNAME } from './peer.ts'

const PAIRINGS = ['ours to python', 'python to ours'] as const

async function pair(
  network: Network,
  pairing: (typeof PAIRINGS)[number],
  pushing = false,
): Promise<{ client: Peer; server: Peer }> {
  const ours = await network.ours({ allowCertificatePushing: pushing })
  const python = await network.python({ pushing })
  return pairing === 'ours to python' ? { client: ours, server: python } : { client: python, server: ours }
}

describe.skipIf(noPython).each(PAIRINGS)('certificates, client and server: %s', (pairing) => {
  test('signs a request with a plain user name', async ({ network }) => {
    const { client, server } = await pair(network, pairing)
    const { dataset } = await introduce(client, server)
    const held = (await client.certificates({})).filter((item) => item.held)
    expect(held).toMatchObject([{ parent: dataset, scope: 'full' }])
  })

  test('signs a request with fields in the user name', async ({ network }) => {
    const { client, server } = await pair(network, pairing)
    const dataset = await server.root({ scope: 'full' })
    const made = await client.request({
      url: server.url,
      dataset,
      scope: 'full',
      params: { dataset_id: dataset },
      username: `username=${USERNAME}&dataset=${dataset}`,
      password: PASSWORD,
    })
    expect(made).toMatchObject({ parent: dataset, held: true })
  })

  test('refuses a wrong password and a user who may not', async ({ network }) => {
    const { client, server } = await pair(network, pairing)
    const dataset = await server.root({ scope: 'full' })
    const wish = { url: server.url, dataset, scope: 'full', params: { dataset_id: dataset } }
    const wrong = client.request({ ...wish, username: USERNAME, password: 'wrong' })
    await expect(wrong).rejects.toThrow(/401|credentials/i)
    const denied = client.request({ ...wish, username: 'nobody', password: PASSWORD })
    await expect(denied).rejects.toThrow(/403|may not|forbidden|denied|permission/i)
    expect((await client.certificates({})).filter((item) => item.held)).toEqual([])
  })

  test('refuses a scope that is not within the parent', async ({ network }) => {
    const { client, server } = await pair(network, pairing)
    const dataset = await server.root({ scope: 'full' })
    const elsewhere = client.request({
      url: server.url,
      dataset,
      scope: 'full',
      params: { dataset_id: 'f'.repeat(32) },
      username: USERNAME,
      password: PASSWORD,
    })
    await expect(elsewhere).rejects.toThrow(/400|scope/i)
  })

  test('keeps to the scope of a narrow certificate', async ({ network }) => {
    const { client, server } = await pair(network, pairing)
    const dataset = await server.root({ scope: 'full' })
    const people = await server.create({
      model: 'person',
      rows: ['Ann', 'Bob'].map((name) => ({ dataset_id: dataset, name })),
    })
    const [ann = '', bob = ''] = people
    await server.create({ model: 'region', rows: [{ dataset_id: dataset, code: 'r' }] })
    await client.request({
      url: server.url,
      dataset,
      scope: 'one-person',
      params: {
        dataset_id: dataset,
        person_id: ann,
      },
      username: USERNAME,
      password: PASSWORD,
    })
    const sync = (push: boolean, filter: string) =>
      client.sync({ url: server.url, dataset, transfers: [{ push, filter }] })
    expect(moved(await sync(false, `${dataset}:shared ${dataset}:user:${ann}`))).toEqual([2])
    expect(await client.count({ model: 'person' })).toBe(1)
    await client.update({ model: 'person', id: ann, fields: { name: 'Anne' } })
    expect(moved(await sync(true, `${dataset}:user:${ann}`))).toEqual([1])
    await expect(sync(false, `${dataset}:user:${bob}`)).rejects.toThrow(/403|No certificate/)
    await expect(sync(false, dataset)).rejects.toThrow(/403|No certificate/)
    await expect(sync(true, `${dataset}:shared`)).rejects.toThrow(/403|No certificate/)
    expect(await client.count({ model: 'person' })).toBe(1)
  })

  test('pushes a certificate, and syncs with it', async ({ network }) => {
    const { client, server } = await pair(network, pairing, true)
    const dataset = await client.root({ scope: 'full' })
    const made = await client.push({
      url: server.url,
      parent: dataset,
      scope: 'full',
      params: { dataset_id: dataset },
    })
    expect(made.parent).toBe(dataset)
    const there = await server.certificates({})
    expect(there.find(({ id }) => id === made.id)).toMatchObject({ held: true, parent: dataset })
    await client.fill({ dataset, from: 0, count: 7 })
    await server.fill({ dataset, from: 100, count: 3 })
    const transfers = [
      { push: false, filter: dataset },
      { push: true, filter: dataset },
    ]
    const done = await client.sync({ url: server.url, dataset, transfers, client: dataset, server: made.id })
    expect(moved(done)).toEqual([3, 7])
    await expectSame(client, server)
  })

  test('does not push a certificate to one who does not allow it', async ({ network }) => {
    const { client, server } = await pair(network, pairing, false)
    const dataset = await client.root({ scope: 'full' })
    const pushing = client.push({
      url: server.url,
      parent: dataset,
      scope: 'full',
      params: { dataset_id: dataset },
    })
    await expect(pushing).rejects.toThrow(/does ?not ?allow|403|push/i)
    expect(await server.certificates({})).toEqual([])
  })

  test('serves with a certificate below the root', async ({ network }) => {
    const { client, server } = await pair(network, pairing)
    // The root is with a third one, whom they never meet again.
    const root = await network.python()
    const dataset = await root.root({ scope: 'full' })
    await certify(server, root, dataset)
    await certify(client, server, dataset)
    const held = (await client.certificates({})).filter((item) => item.held)
    expect(held).toHaveLength(1)
    expect(held[0]?.parent).not.toBe(dataset)
    await server.fill({ dataset, from: 0, count: 3 })
    expect(
      moved(await client.sync({ url: server.url, dataset, transfers: [{ push: false, filter: dataset }] })),
    ).toEqual([3])
    await expectSame(client, server)
  })
})
