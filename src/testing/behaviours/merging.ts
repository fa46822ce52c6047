import { type Behaviour, holds, type MakeNetwork, same } from '../behaviour.ts'
import type { TestNetwork } from '../network.ts'
import { add, recordOf, suiteNetwork } from './fixtures.ts'

/** A book that a and b have both, then edited by both. */
async function conflicting(make: MakeNetwork): Promise<{ network: TestNetwork; id: string }> {
  const network = await suiteNetwork(make)
  const id = await add(network, 'a', 'book', { title: 'first' })
  await network.sync('a', 'b')
  await network.peer('a').update('book', id, { title: 'of a' })
  await network.peer('b').update('book', id, { title: 'of b' })
  return { network, id }
}

/** Incoming Buffer to Store (protocol §8). */
export const merging: readonly Behaviour<MakeNetwork>[] = [
  {
    name: 'takes over what is new and what follows on ours, and drops what is known',
    async run(make) {
      const network = await suiteNetwork(make)
      const id = await add(network, 'a', 'book', { title: 'first' })
      const created = await network.sync('b', 'a', { direction: 'pull' })
      same(
        created.transfers[0]?.dequeue,
        { created: 1, fastForwarded: 0, known: 0, conflicts: 0 },
        'the new one',
      )
      await network.peer('a').update('book', id, { title: 'second' })
      const followed = await network.sync('b', 'a', { direction: 'pull' })
      same(
        followed.transfers[0]?.dequeue,
        { created: 0, fastForwarded: 1, known: 0, conflicts: 0 },
        'the next one',
      )
      same((await network.peer('b').row('book', id))?.['title'], 'second', 'the row')
      same((await recordOf(network.peer('b'), id)).conflicting, '', 'conflicting data')
    },
  },
  {
    name: 'keeps ours in a conflict, and theirs as conflicting data',
    async run(make) {
      const { network, id } = await conflicting(make)
      const report = await network.sync('a', 'b')
      same(report.conflicts, 1, 'conflicts')
      for (const name of ['a', 'b']) {
        same((await network.peer(name).row('book', id))?.['title'], 'of a', `the row at ${name}`)
        holds(
          (await recordOf(network.peer(name), id)).conflicting.includes('of b'),
          `${name} keeps the loser`,
        )
      }
      same(await network.digest('a'), await network.digest('b'), 'digests')
    },
  },
  {
    name: 'keeps the losers of every conflict',
    async run(make) {
      const { network, id } = await conflicting(make)
      await network.sync('a', 'b', { direction: 'pull' })
      await network.peer('c').morango.serialize()
      await network.sync('c', 'b', { direction: 'pull' })
      await network.peer('c').update('book', id, { title: 'of c' })
      await network.sync('c', 'a')
      await network.converge()
      const text = await recordOf(network.peer('b'), id)
      for (const title of ['of a', 'of b', 'of c']) {
        holds(`${text.serialized}${text.conflicting}`.includes(title), `"${title}" can be recovered`)
      }
    },
  },
  {
    name: 'lets a deletion win over an edit, whoever merges, and keeps the edit recoverable',
    async run(make) {
      for (const client of ['a', 'b']) {
        const network = await suiteNetwork(make)
        const id = await add(network, 'a', 'book', { title: 'first' })
        await network.sync('a', 'b')
        await network.peer('a').delete('book', id)
        await network.peer('b').update('book', id, { title: 'edited' })
        await network.sync(client, client === 'a' ? 'b' : 'a')
        for (const name of ['a', 'b']) {
          const record = await recordOf(network.peer(name), id)
          same([record.deleted, await network.peer(name).row('book', id)], [true, undefined], `at ${name}`)
          holds(`${record.serialized}${record.conflicting}`.includes('edited'), `${name} keeps the edit`)
        }
      }
    },
  },
  {
    name: 'lets a hard deletion win over an edit, and keeps nothing',
    async run(make) {
      for (const client of ['a', 'b']) {
        const network = await suiteNetwork(make)
        const id = await add(network, 'a', 'book', { title: 'secret one' })
        await network.sync('a', 'b')
        await network.peer('a').deleteHard('book', id)
        await network.peer('b').update('book', id, { title: 'secret two' })
        await network.sync(client, client === 'a' ? 'b' : 'a')
        await network.converge()
        for (const name of network.names) {
          same(await network.peer(name).tablesWith('secret'), [], `tables of ${name} with the content`)
          holds((await recordOf(network.peer(name), id)).hardDeleted, `it is hard-deleted at ${name}`)
        }
      }
    },
  },
  {
    name: 'merges records of one natural key that two peers made',
    async run(make) {
      const network = await suiteNetwork(make)
      const id = await add(network, 'a', 'setting', { name: 'x', value: 'of a' })
      same(await add(network, 'b', 'setting', { name: 'x', value: 'of b' }), id, 'the id')
      await network.sync('a', 'b')
      same(await network.peer('a').rows('setting'), await network.peer('b').rows('setting'), 'the rows')
      holds((await recordOf(network.peer('b'), id)).conflicting.includes('of b'), 'the loser is kept')
    },
  },
  {
    name: 'leaves a deletion that waits to be applied a deletion when its row is edited',
    async run(make) {
      for (const hard of [false, true]) {
        const network = await suiteNetwork(make)
        const id = await add(network, 'a', 'book', { title: 'first' })
        await network.sync('a', 'b')
        if (hard) await network.peer('a').deleteHard('book', id)
        else await network.peer('a').delete('book', id)
        // Both die when the deletion is in the Store of b and not yet in its table.
        const faults = [
          { kind: 'kill', side: 'server', stage: 'deserializing' },
          { kind: 'kill', side: 'client', stage: 'deserializing' },
        ] as const
        await network.sync('a', 'b', { direction: 'push', faults }).catch(() => undefined)
        holds((await network.peer('b').row('book', id)) !== undefined, 'the row is still there')
        await network.peer('b').update('book', id, { title: 'too late' })
        await network.converge()
        for (const name of network.names) {
          const record = await recordOf(network.peer(name), id)
          same([record.deleted, record.hardDeleted], [true, hard], `the record at ${name}`)
          same(await network.peer(name).row('book', id), undefined, `the row at ${name}`)
          const kept = `${record.serialized}${record.conflicting}`.includes('too late')
          same(kept, !hard, `whether the edit is kept at ${name}`)
        }
      }
    },
  },
]
