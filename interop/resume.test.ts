import { describe, expect } from 'vitest'
import { expectSame, moved } from './compare.ts'
import { introduce } from './introduce.ts'
import { type Mortal, type Network, noPython, test } from './network.ts'
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

/** Where a client of the original cannot go on, with its own server neither: it has to begin anew. */
function isHopeless(moment: Moment, side: Side, push: boolean): boolean {
  if (side === 'server') return false
  return moment.name === 'before the end' || (push && moment.name.endsWith(' the queuing'))
}

/** Lets a peer die at a moment, once. */
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
        // Of a pull the original's client tells the server these stages too; ours does not.
        if (pairing === 'ours to python' && !push && /dequeuing|deserializing/.test(moment.name)) continue
        test(`${push ? 'push' : 'pull'}, the ${side} ${moment.name}`, async ({ network }) => {
          const one = await start(network, pairing)
          const { proxy, dataset } = one
          await (push ? one.client() : one.server()).fill({ dataset, from: 0, count: COUNT })
          let before = 0
          proxy.interference = strike(moment, push, async () => {
            await one.kill(side)
            before = proxy.log.length
            // A server is back before its client has lost patience: ours then goes on by itself.
            if (side === 'server') await one.restart(side)
          })
          const transfers = [{ push, filter: dataset }]
          const wish = { url: proxy.url, dataset, transfers, chunk: CHUNK }
          const first = await one
            .client()
            .sync(wish)
            .catch(() => undefined)
          if (side === 'client') await one.restart(side)
          if (side === 'server') expect(first, 'goes on by itself').toBeDefined()
          proxy.interference = {}
          if (pairing === 'python to ours' && isHopeless(moment, side, push)) {
            const resumed = one.client().sync({ ...wish, resume: true })
            await expect(resumed).rejects.toThrow(/Not Found|UNIQUE constraint/)
            await one.client().sync(wish)
            await expectSame(one.client(), one.server(), { abandoned: true })
            return
          }
          const done = first ?? (await one.client().sync({ ...wish, resume: true }))
          await expectSame(one.client(), one.server())
          expect(
            push
              ? await one.server().count({ model: 'sample' })
              : await one.client().count({ model: 'sample' }),
          ).toBe(COUNT)
          // It went on with what was there, and began nothing anew.
          const begun = proxy.log
            .slice(before)
            .filter(({ method, path }) => method === 'POST' && path === 'transfersessions/')
          expect(begun).toEqual([])
          expect(done.length).toBeGreaterThan(0)
          expect(moved(await one.client().sync(wish))).toEqual([0])
          await expectSame(one.client(), one.server())
        })
      }
    }
  }
})
