import { describe, expect } from 'vitest'
import { expectSame, moved } from './compare.ts'
import { introduce, type Mortal, type Network, noPython, test } from './network.ts'
import type { Peer } from './peer.ts'
import type { Interference, Passage, Proxy } from './proxy.ts'

const PAIRINGS = ['ours to python', 'python to ours'] as const
const COUNT = 57
const CHUNK = 10

type Side = 'client' | 'server'

/** Where in a transfer the power goes. `lost` is after the server has done its work, before its answer is out. */
interface Moment {
  readonly name: string
  readonly is: (passage: Passage, push: boolean) => boolean
  readonly lost: boolean
}

const isChunk = ({ method, path }: Passage, push: boolean): boolean =>
  path.startsWith('buffers') && method === (push ? 'POST' : 'GET')
const isStage =
  (stage: string) =>
  ({ method, path, body }: Passage): boolean =>
    method === 'PATCH' && path.startsWith('transfersessions') && body.includes(`"${stage}"`)

const MOMENTS: readonly Moment[] = [
  { name: 'before the queuing', is: isStage('queuing'), lost: false },
  { name: 'after the queuing', is: isStage('queuing'), lost: true },
  { name: 'before the first chunk', is: (p, push) => isChunk(p, push) && p.nth === 0, lost: false },
  { name: 'before the third chunk', is: (p, push) => isChunk(p, push) && p.nth === 2, lost: false },
  { name: 'after the third chunk', is: (p, push) => isChunk(p, push) && p.nth === 2, lost: true },
  { name: 'after the last chunk', is: (p, push) => isChunk(p, push) && p.nth === 5, lost: true },
  { name: 'before the dequeuing', is: isStage('dequeuing'), lost: false },
  { name: 'after the dequeuing', is: isStage('dequeuing'), lost: true },
  { name: 'after the deserializing', is: isStage('deserializing'), lost: true },
  {
    name: 'before the end',
    is: ({ method, path }) => method === 'DELETE' && path.startsWith('transfer'),
    lost: false,
  },
]

/** Lets `victim` die at a moment, once. */
function strike(moment: Moment, push: boolean, die: () => Promise<void>): Interference {
  let struck = false
  const hit = async (passage: Passage): Promise<'drop' | undefined> => {
    if (struck || !moment.is(passage, push)) return undefined
    struck = true
    await die()
    return 'drop'
  }
  return moment.lost ? { after: hit } : { before: hit }
}

interface Fixture {
  readonly client: () => Peer
  readonly server: () => Peer
  readonly proxy: Proxy
  readonly dataset: string
  kill(side: Side): Promise<void>
  restart(side: Side): Promise<void>
}

async function start(network: Network, pairing: (typeof PAIRINGS)[number]): Promise<Fixture> {
  const kinds = pairing === 'ours to python' ? (['ours', 'python'] as const) : (['python', 'ours'] as const)
  const peers: { client: Mortal; server: Mortal } = {
    client: await network.mortal(kinds[0]),
    server: await network.mortal(kinds[1]),
  }
  const { dataset } = await introduce(peers.client.peer, peers.server.peer)
  const proxy = await network.proxy(peers.server.peer.url)
  return {
    client: () => peers.client.peer,
    server: () => peers.server.peer,
    proxy,
    dataset,
    kill: (side) => peers[side].peer.kill(),
    async restart(side) {
      peers[side] = await network.mortal(
        peers[side].peer.kind === 'ours' ? 'ours' : 'python',
        peers[side].path,
      )
      if (side === 'server') proxy.target = peers.server.peer.url
    },
  }
}

describe.skipIf(noPython).each(PAIRINGS)('killed and started again, client and server: %s', (pairing) => {
  for (const side of ['client', 'server'] as const) {
    for (const push of [false, true]) {
      for (const moment of MOMENTS) {
        test(`${push ? 'push' : 'pull'}, the ${side} ${moment.name}`, async ({ network }) => {
          const one = await start(network, pairing)
          const { proxy, dataset } = one
          await (push ? one.client() : one.server()).fill({ dataset, from: 0, count: COUNT })
          proxy.interference = strike(moment, push, () => one.kill(side))
          const transfers = [{ push, filter: dataset }]
          const wish = { url: proxy.url, dataset, transfers, chunk: CHUNK }
          await expect(one.client().sync(wish)).rejects.toThrow()
          proxy.interference = {}
          await one.restart(side)
          const before = proxy.log.length
          const done = await one.client().sync({ ...wish, resume: true })
          await expectSame(one.client(), one.server())
          expect(
            push
              ? await one.server().count({ model: 'sample' })
              : await one.client().count({ model: 'sample' }),
          ).toBe(COUNT)
          // What had arrived is not sent again.
          const chunks = proxy.log
            .slice(before)
            .filter(({ path, status }) => path.startsWith('buffers') && status < 400)
          if (moment.name.includes('third chunk') && one.client().kind === 'ours') {
            expect(chunks.length).toBeLessThanOrEqual(4)
          }
          expect(done.length).toBeGreaterThan(0)
          expect(moved(await one.client().sync(wish))).toEqual([0])
          await expectSame(one.client(), one.server())
        })
      }
    }
  }
})
