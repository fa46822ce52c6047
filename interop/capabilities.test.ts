import { describe, expect } from 'vitest'
import { expectSame, moved } from './compare.ts'
import { introduce, noPython, test } from './network.ts'

const PYTHON = [
  { noAsync: false, noV2: false },
  { noAsync: true, noV2: false },
  { noAsync: false, noV2: true },
  { noAsync: true, noV2: true },
]

const OURS: readonly (readonly string[])[] = [
  [],
  ['ASYNC_OPERATIONS'],
  ['FSIC_V2_FORMAT'],
  ['GZIP_BUFFER_POST'],
  ['ASYNC_OPERATIONS', 'FSIC_V2_FORMAT'],
  ['ASYNC_OPERATIONS', 'FSIC_V2_FORMAT', 'GZIP_BUFFER_POST'],
]

const COMBINATIONS = PYTHON.flatMap((python) => OURS.map((without) => ({ ...python, without })))

describe.skipIf(noPython).each(COMBINATIONS)(
  'python with noAsync $noAsync and noV2 $noV2, ours without $without',
  ({ without, ...settings }) => {
    test('ours as client', async ({ network }) => {
      const ours = await network.ours({ withoutCapabilities: without })
      const { client, server, dataset } = await introduce(ours, await network.python(settings))
      await server.fill({ dataset, from: 0, count: 11 })
      await client.fill({ dataset, from: 100, count: 12 })
      const transfers = [
        { push: false, filter: dataset },
        { push: true, filter: dataset },
      ]
      expect(moved(await client.sync({ url: server.url, dataset, transfers, chunk: 5 }))).toEqual([11, 12])
      await expectSame(client, server)
      expect(moved(await client.sync({ url: server.url, dataset, transfers, chunk: 5 }))).toEqual([0, 0])
      await server.fill({ dataset, from: 200, count: 3 })
      await client.fill({ dataset, from: 300, count: 4 })
      expect(moved(await client.sync({ url: server.url, dataset, transfers, chunk: 5 }))).toEqual([3, 4])
      await expectSame(client, server)
    })

    test('ours as server', async ({ network }) => {
      const ours = await network.ours({ withoutCapabilities: without })
      const { client, server, dataset } = await introduce(await network.python(settings), ours)
      await server.fill({ dataset, from: 0, count: 11 })
      await client.fill({ dataset, from: 100, count: 12 })
      const transfers = [
        { push: false, filter: dataset },
        { push: true, filter: dataset },
      ]
      const legacy = settings.noAsync || without.includes('ASYNC_OPERATIONS')
      expect(moved(await client.sync({ url: server.url, dataset, transfers, chunk: 5 }))).toEqual([11, 12])
      await expectSame(client, server)
      const again = moved(await client.sync({ url: server.url, dataset, transfers, chunk: 5 }))
      // Without ASYNC_OPERATIONS a client of the original never tells what it has (protocol §5).
      expect(again).toEqual(legacy ? [23, 0] : [0, 0])
      await server.fill({ dataset, from: 200, count: 3 })
      await client.fill({ dataset, from: 300, count: 4 })
      expect(moved(await client.sync({ url: server.url, dataset, transfers, chunk: 5 }))).toEqual(
        legacy ? [26, 4] : [3, 4],
      )
      await expectSame(client, server)
    })
  },
)
