import { type Behaviour, holds, type MakeNetwork, same } from '../behaviour.ts'
import { add, suiteNetwork } from './fixtures.ts'

/** What `peers` tells of who was synced with. */
export const listing: readonly Behaviour<MakeNetwork>[] = [
  {
    name: 'tells how far a peer is, in either role and format, and what has changed since',
    async run(make) {
      for (const withoutCapabilities of [[], ['FSIC_V2_FORMAT']]) {
        const network = await suiteNetwork(make, { peers: ['a', 'b'], withoutCapabilities })
        const [a, b] = [network.peer('a'), network.peer('b')]
        const id = await add(network, 'a', 'book')
        await add(network, 'b', 'book')
        same(await a.morango.peers(), [], 'before the first sync')
        await network.sync('a', 'b')
        const what = `without ${withoutCapabilities.join()}`
        for (const [peer, other, role] of [
          [a, b, 'server'],
          [b, a, 'client'],
        ] as const) {
          const [only, ...others] = await peer.morango.peers()
          same(others, [], 'others')
          const { instance } = await other.morango.status()
          const own = await peer.morango.status()
          same([only?.role, only?.instance?.id], [role, instance.id], `who, ${what}`)
          same([only?.sent?.complete, only?.received?.complete], [true, true], `both ways, ${what}`)
          same([only?.progress?.records, only?.progress?.filter], [0, network.root], `how far, ${what}`)
          holds((only?.progress?.counter ?? 0) > 0, `it has ours up to ${only?.progress?.counter}, ${what}`)
          same(only?.progress?.ownCounter, own.instance.counter, `our counter, ${what}`)
          same([only?.lastError, only?.openSessions], [undefined, 0], `nothing went wrong, ${what}`)
          holds(only?.lastSuccessAt !== undefined, 'when')
        }
        await a.update('book', id, { title: 'second' })
        await add(network, 'a', 'book')
        await a.morango.serialize()
        await add(network, 'a', 'book')
        same((await a.morango.peers())[0]?.progress?.records, 3, `changed since, ${what}`)
        same((await b.morango.peers())[0]?.progress?.records, 0, `there, ${what}`)
      }
    },
  },
  {
    name: 'tells what a sync has failed of, and that it has succeeded since',
    async run(make) {
      const network = await suiteNetwork(make, { peers: ['a', 'b', 'c'] })
      await add(network, 'a', 'book')
      await network.sync('a', 'b')
      await network.sync('a', 'c')
      const faults = [{ kind: 'kill', side: 'client', stage: 'serializing' }] as const
      await network.sync('a', 'b', { faults }).catch(() => undefined)
      const morango = network.peer('a').morango
      const stopped = AbortSignal.abort()
      await network.sync('a', 'b', { signal: stopped }).catch(() => undefined)
      const [first, second] = await morango.peers()
      same([first?.address, second?.address], ['memory:b/', 'memory:c/'], 'the last first')
      same([first?.lastError?.code, second?.lastError], ['aborted', undefined], 'what it failed of')
      holds(first?.lastSuccessAt !== undefined, 'the sync before is not forgotten')
      await network.sync('a', 'b')
      same((await morango.peers())[0]?.lastError, undefined, 'after a sync that went well')
    },
  },
]
