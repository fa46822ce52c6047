import { describe, expect } from 'vitest'
import { expectSame, moved } from './compare.ts'
import { introduce, type Pair } from './introduce.ts'
import { noPython, test } from './network.ts'

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

/** Two rounds of new records on both sides, with a look between that nothing is left to do. */
async function rounds({ client, server, dataset }: Pair): Promise<number[][]> {
  const transfers = [
    { push: false, filter: dataset },
    { push: true, filter: dataset },
  ]
  const sync = async () => moved(await client.sync({ url: server.url, dataset, transfers, chunk: 5 }))
  await server.fill({ dataset, from: 0, count: 11 })
  await client.fill({ dataset, from: 100, count: 12 })
  const first = await sync()
  await expectSame(client, server)
  const second = await sync()
  await server.fill({ dataset, from: 200, count: 3 })
  await client.fill({ dataset, from: 300, count: 4 })
  const third = await sync()
  await expectSame(client, server)
  return [first, second, third]
}

// Also where a client of the original cannot: it fails against its own server with async off and v2 on.
describe.skipIf(noPython).each(COMBINATIONS)(
  'ours without $without to python with noAsync $noAsync, noV2 $noV2',
  ({ without, ...settings }) => {
    test('syncs', async ({ network }) => {
      const ours = await network.ours({ withoutCapabilities: without })
      const pair = await introduce(ours, await network.python(settings))
      expect(await rounds(pair)).toEqual([
        [11, 12],
        [0, 0],
        [3, 4],
      ])
    })
  },
)

// A client of the original goes by what the server lists, whatever its own settings: with one of them switched
// off that the server has, it fails against its own server too.
const POSSIBLE = COMBINATIONS.filter(
  ({ noAsync, noV2, without }) =>
    (!noAsync || without.includes('ASYNC_OPERATIONS')) && (!noV2 || without.includes('FSIC_V2_FORMAT')),
)

describe.skipIf(noPython).each(POSSIBLE)(
  'python with noAsync $noAsync, noV2 $noV2 to ours without $without',
  ({ without, ...settings }) => {
    test('syncs', async ({ network }) => {
      const ours = await network.ours({ withoutCapabilities: without })
      const pair = await introduce(await network.python(settings), ours)
      // Without ASYNC_OPERATIONS such a client says that it has nothing: it gets all again that the server knows
      // the counters of, and the server never learns the client's (protocol §5).
      const forgetful = without.includes('ASYNC_OPERATIONS')
      expect(await rounds(pair)).toEqual(
        forgetful
          ? [
              [11, 12],
              [11, 12],
              [14, 16],
            ]
          : [
              [11, 12],
              [0, 0],
              [3, 4],
            ],
      )
    })
  },
)
