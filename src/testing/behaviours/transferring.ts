import { STAGES } from '../../core/stages.ts'
import { type Behaviour, holds, type MakeNetwork, same } from '../behaviour.ts'
import type { TestNetwork } from '../network.ts'
import { add, halfway, recordOf, suiteNetwork } from './fixtures.ts'

async function requireEmptyBuffers(network: TestNetwork): Promise<void> {
  for (const name of network.names) {
    for (const table of ['morango_outgoing', 'morango_outgoing_snapshot', 'morango_incoming'] as const) {
      const rows = await network.peer(name).database.kysely.selectFrom(table).selectAll().execute()
      same(rows, [], `${table} at ${name}`)
    }
  }
}

/** Transfers that are cut, repeated, killed and gone on with (protocol §5). */
export const transferring: readonly Behaviour<MakeNetwork>[] = [
  {
    name: 'goes on where a transfer stopped',
    async run(make) {
      const { network } = await halfway(make)
      const report = await network.sync('a', 'b', { direction: 'push' })
      same(
        report.transfers.map(({ resumed, recordsTotal }) => [resumed, recordsTotal]),
        [[true, 10]],
        'the transfer',
      )
      same((await network.peer('b').rows('book')).length, 10, 'rows')
      await requireEmptyBuffers(network)
    },
  },
  {
    name: 'sends a record as it was queued, when it changes meanwhile, and the change the next time',
    async run(make) {
      const { network, ids } = await halfway(make)
      const [first = ''] = ids
      const last = ids.at(-1) ?? ''
      for (const title of ['changed', 'changed again']) {
        for (const id of [first, last]) await network.peer('a').update('book', id, { title })
        await network.peer('a').morango.serialize()
      }
      await network.sync('a', 'b', { direction: 'push' })
      for (const id of [first, last]) {
        const title = String((await network.peer('b').row('book', id))?.['title'])
        holds(title.startsWith('secret'), `${id} is as it was queued`)
      }
      same((await network.sync('a', 'b', { direction: 'push' })).pushed, 2, 'what goes the next time')
      same(await network.digest('a'), await network.digest('b'), 'digests')
    },
  },
  {
    name: 'sends nothing of a record that was deleted hard meanwhile',
    async run(make) {
      const { network, ids } = await halfway(make)
      const last = ids.at(-1) ?? ''
      const { title } = (await network.peer('a').row('book', last)) ?? {}
      await network.peer('a').update('book', last, { title: `${String(title)} changed` })
      await network.peer('a').morango.serialize()
      await network.peer('a').deleteHard('book', last)
      await network.peer('a').morango.serialize()
      same(await network.peer('a').tablesWith(String(title)), [], 'tables of a with the content')
      await network.sync('a', 'b', { direction: 'push' })
      await network.sync('a', 'b')
      same(await network.peer('b').tablesWith(String(title)), [], 'tables of b with the content')
      holds((await recordOf(network.peer('b'), last)).hardDeleted, 'b knows of it')
    },
  },
  {
    name: 'takes a chunk that comes twice as one',
    async run(make) {
      for (const fault of [{ kind: 'repeat' }, { kind: 'lose-answer' }, { kind: 'lose-request' }] as const) {
        for (const call of ['sendBuffers', 'fetchBuffers'] as const) {
          for (const nth of [1, 2, 4]) {
            const network = await suiteNetwork(make, { peers: ['a', 'b'], chunkSize: 3 })
            for (let book = 0; book < 10; book++) await add(network, 'a', 'book')
            await (call === 'sendBuffers'
              ? network.sync('a', 'b', { direction: 'push', faults: [{ ...fault, call, nth }] })
              : network.sync('b', 'a', { direction: 'pull', faults: [{ ...fault, call, nth }] }))
            same(
              (await network.peer('b').rows('book')).length,
              10,
              `rows after ${fault.kind} of ${call} ${nth}`,
            )
            same(await network.digest('a'), await network.digest('b'), 'digests')
            await requireEmptyBuffers(network)
          }
        }
      }
    },
  },
  {
    name: 'is the same killed and gone on with as never killed, on either side in any stage',
    async run(make) {
      for (const side of ['client', 'server'] as const) {
        for (const direction of ['push', 'pull'] as const) {
          for (const stage of STAGES) {
            const network = await suiteNetwork(make, { peers: ['a', 'b'], chunkSize: 2 })
            for (let book = 0; book < 3; book++) await add(network, 'a', 'book')
            const [client, server] = direction === 'push' ? (['a', 'b'] as const) : (['b', 'a'] as const)
            const faults = [{ kind: 'kill', side, stage, statements: stage.length % 4 }] as const
            await network.sync(client, server, { direction, faults }).catch(() => undefined)
            await network.sync(client, server, { direction })
            same(
              (await network.peer('b').rows('book')).length,
              3,
              `rows: ${side} of a ${direction} in ${stage}`,
            )
            same(await network.digest('a'), await network.digest('b'), 'digests')
            await requireEmptyBuffers(network)
          }
        }
      }
    },
  },
  {
    name: 'applies what was received, when nobody comes back to end the transfer',
    async run(make) {
      const network = await suiteNetwork(make)
      const id = await add(network, 'a', 'book')
      const faults = [{ kind: 'kill', side: 'client', stage: 'deserializing' }] as const
      await network.sync('a', 'b', { direction: 'push', faults }).catch(() => undefined)
      await network.sync('c', 'b')
      holds((await network.peer('b').row('book', id)) !== undefined, 'the row is there')
      same((await network.peer('c').rows('book')).length, 1, 'rows of c')
    },
  },
  {
    name: 'closes what nobody goes on with, with its Buffers',
    async run(make) {
      const { network } = await halfway(make)
      network.advance(7 * 60 * 60 * 1000)
      for (const name of network.names) await network.peer(name).morango.cleanup()
      await requireEmptyBuffers(network)
      await network.sync('a', 'b')
      same((await network.peer('b').rows('book')).length, 10, 'rows')
    },
  },
]
