import { describe, expect } from 'vitest'
import { expectSame, moved } from './compare.ts'
import { introduce, type Pair } from './introduce.ts'
import { noPython, test, type Network } from './network.ts'

const PAIRINGS = ['ours to python', 'python to ours'] as const
const LARGE = Number(process.env['INTEROP_RECORDS'] ?? '0')

async function pair(network: Network, pairing: (typeof PAIRINGS)[number]): Promise<Pair> {
  const [ours, python] = [await network.ours(), await network.python()]
  return pairing === 'ours to python' ? introduce(ours, python) : introduce(python, ours)
}

describe.skipIf(noPython).each(PAIRINGS)('client and server: %s', (pairing) => {
  for (const count of [0, 1, 500, 501, 5000, ...(LARGE > 0 ? [LARGE] : [])]) {
    test(`pulls ${count} records`, async ({ network }) => {
      const { client, server, dataset } = await pair(network, pairing)
      await server.fill({ dataset, from: 0, count })
      const pull = [{ push: false, filter: dataset }]
      expect(moved(await client.sync({ url: server.url, dataset, transfers: pull }))).toEqual([count])
      await expectSame(client, server)
      expect(await client.count({ model: 'sample' })).toBe(count)
      expect(moved(await client.sync({ url: server.url, dataset, transfers: pull }))).toEqual([0])
    })

    test(`pushes ${count} records`, async ({ network }) => {
      const { client, server, dataset } = await pair(network, pairing)
      await client.fill({ dataset, from: 0, count })
      const push = [{ push: true, filter: dataset }]
      expect(moved(await client.sync({ url: server.url, dataset, transfers: push }))).toEqual([count])
      await expectSame(client, server)
      expect(await server.count({ model: 'sample' })).toBe(count)
      expect(moved(await client.sync({ url: server.url, dataset, transfers: push }))).toEqual([0])
    })
  }

  test('pulls and pushes, and then has nothing to do', async ({ network }) => {
    const { client, server, dataset } = await pair(network, pairing)
    await server.fill({ dataset, from: 0, count: 23 })
    await client.fill({ dataset, from: 100, count: 11 })
    const transfers = [
      { push: false, filter: dataset },
      { push: true, filter: dataset },
    ]
    const first = await client.sync({ url: server.url, dataset, transfers, chunk: 5 })
    expect(moved(first)).toEqual([23, 11])
    await expectSame(client, server)
    expect(moved(await client.sync({ url: server.url, dataset, transfers }))).toEqual([0, 0])
    await expectSame(client, server)
  })

  test('does it the other way round: pushes, then pulls', async ({ network }) => {
    const { client, server, dataset } = await pair(network, pairing)
    await server.fill({ dataset, from: 0, count: 7 })
    await client.fill({ dataset, from: 100, count: 12 })
    const transfers = [
      { push: true, filter: dataset },
      { push: false, filter: dataset },
    ]
    expect(moved(await client.sync({ url: server.url, dataset, transfers, chunk: 5 }))).toEqual([12, 7])
    await expectSame(client, server)
  })

  test('syncs a subset by its filter, then all', async ({ network }) => {
    const { client, server, dataset } = await pair(network, pairing)
    const [region = ''] = await server.create({ model: 'region', rows: [{ dataset_id: dataset, code: 'r' }] })
    const people = await server.create({
      model: 'person',
      rows: ['Ann', 'Bob'].map((name) => ({ dataset_id: dataset, name, home: region })),
    })
    for (const person of people) {
      const rows = [1, 2, 3].map((number) => ({ dataset_id: dataset, person, region, note: `${number}` }))
      // oxlint-disable-next-line no-await-in-loop
      await server.create({ model: 'visit', rows })
    }
    await server.fill({ dataset, from: 0, count: 4 })
    const [ann = ''] = people
    const filter = `${dataset}:shared\n${dataset}:user:${ann}`
    const pull = (prefixes: string) =>
      client.sync({ url: server.url, dataset, transfers: [{ push: false, filter: prefixes }] })
    expect(moved(await pull(filter))).toEqual([9])
    const dump = await client.dump({})
    expect(dump.store.filter(({ partition }) => !partition.startsWith(`${dataset}:shared`)).length).toBe(4)
    expect(dump.app.visit.map(({ person_id: id }) => id)).toEqual([ann, ann, ann])
    expect(moved(await pull(filter))).toEqual([0])
    const [visit] = dump.app.visit
    await client.update({ model: 'visit', id: String(visit?.['id']), fields: { note: 'changed' } })
    const user = `${dataset}:user:${ann}`
    const push = [{ push: true, filter: user }]
    expect(moved(await client.sync({ url: server.url, dataset, transfers: push }))).toEqual([1])
    // The original sends again what a subset pull has brought; ours does not.
    const [rest = 0] = moved(await pull(dataset))
    expect(rest).toBe(server.kind === 'ours' ? 4 : 12)
    await expectSame(client, server)
    expect(moved(await pull(dataset))).toEqual([0])
  })
})
