import { type Behaviour, holds, type MakeNetwork, same } from '../behaviour.ts'
import { add, problemCodes, recordOf, suiteNetwork } from './fixtures.ts'

/** Application rows to Store (protocol §7). */
export const serializing: readonly Behaviour<MakeNetwork>[] = [
  {
    name: 'makes a record of a new row, in the original’s form of JSON',
    async run(make) {
      const network = await suiteNetwork(make, { peers: 1 })
      const peer = network.peer('a')
      const id = await add(network, 'a', 'setting', { name: 'greeting', value: 'Grüße / "x"\n' })
      same(await peer.morango.serialize(), { created: 1, updated: 0, deleted: 0, failed: 0 }, 'the result')
      const record = await recordOf(peer, id)
      same(record.partition, `${network.root}:u1`, 'the partition')
      same(record.sourceId, 'greeting', 'the source id')
      holds(
        record.serialized.includes('"value": "Gr\\u00fc\\u00dfe / \\"x\\"\\n"'),
        'the text is escaped as Python does',
      )
      const fields: object = JSON.parse(record.serialized)
      for (const key of ['id', '_morango_source_id', '_morango_partition'])
        holds(key in fields, `${key} is there`)
      same(
        await peer.morango.serialize(),
        { created: 0, updated: 0, deleted: 0, failed: 0 },
        'the second time',
      )
    },
  },
  {
    name: 'keeps the content of what is deleted, and none of what is deleted hard',
    async run(make) {
      const network = await suiteNetwork(make, { peers: 1 })
      const peer = network.peer('a')
      const soft = await add(network, 'a', 'book', { title: 'Soft' })
      const hard = await add(network, 'a', 'book', { title: 'Hard' })
      await peer.morango.serialize()
      await peer.delete('book', soft)
      await peer.deleteHard('book', hard)
      await peer.morango.serialize()
      const kept = await recordOf(peer, soft)
      holds(
        kept.deleted && !kept.hardDeleted && kept.serialized.includes('Soft'),
        'the soft one keeps its JSON',
      )
      const wiped = await recordOf(peer, hard)
      same([wiped.deleted, wiped.hardDeleted, wiped.serialized], [true, true, '{}'], 'the hard one')
      same(await peer.tablesWith('Hard'), [], 'tables with the content')
    },
  },
  {
    name: 'does not take a row that was deleted and created again for deleted',
    async run(make) {
      const network = await suiteNetwork(make, { peers: 1 })
      const peer = network.peer('a')
      const id = await add(network, 'a', 'setting', { name: 'x', value: '1' })
      await peer.morango.serialize()
      await peer.delete('setting', id)
      await add(network, 'a', 'setting', { name: 'x', value: '2' })
      await peer.morango.serialize()
      holds(!(await recordOf(peer, id)).deleted, 'it lives, both between two serializations')
      await peer.delete('setting', id)
      await peer.morango.serialize()
      await add(network, 'a', 'setting', { name: 'x', value: '3' })
      await peer.morango.serialize()
      holds(!(await recordOf(peer, id)).deleted, 'it lives, one serialization apart')
    },
  },
  {
    name: 'leaves nothing of what was deleted hard when it is created again before it was serialized',
    async run(make) {
      const network = await suiteNetwork(make)
      const peer = network.peer('a')
      const id = await add(network, 'a', 'setting', { name: 'x', value: 'first' })
      await network.sync('a', 'b')
      await network.peer('b').update('setting', id, { value: 'loser' })
      await peer.update('setting', id, { value: 'winner' })
      await network.sync('a', 'b')
      await peer.deleteHard('setting', id)
      await add(network, 'a', 'setting', { name: 'x', value: 'anew' })
      await network.sync('a', 'b')
      for (const name of ['a', 'b']) {
        same((await network.peer(name).row('setting', id))?.['value'], 'anew', `the row at ${name}`)
        for (const text of ['winner', 'loser']) {
          same(await network.peer(name).tablesWith(text), [], `tables of ${name} with the ${text}`)
        }
      }
    },
  },
  {
    name: 'keeps what cannot be serialized with the reason, alone, and tries again',
    async run(make) {
      const network = await suiteNetwork(make)
      const peer = network.peer('a')
      const moved = await add(network, 'a', 'book', { title: 'Moved' })
      await peer.morango.serialize()
      await peer.update('book', moved, { owner: 'u2' })
      const other = await add(network, 'a', 'book', { title: 'Other' })
      const report = await network.sync('a', 'b')
      same(report.problems, { unserialized: 1, undeserialized: 0 }, 'what the report says')
      same(await problemCodes(peer), ['id-mismatch'], 'the reason')
      holds((await network.peer('b').row('book', other)) !== undefined, 'the other one went')
      await peer.update('book', moved, { owner: 'u1', title: 'Back' })
      await network.sync('a', 'b')
      same(await problemCodes(peer), [], 'problems after the mend')
      same((await network.peer('b').row('book', moved))?.['title'], 'Back', 'the row that was mended')
    },
  },
  {
    name: 'serializes what is under the filter, and the rest later',
    async run(make) {
      const network = await suiteNetwork(make)
      const one = await add(network, 'a', 'book', { owner: 'u1' })
      const two = await add(network, 'a', 'book', { owner: 'u2' })
      await network.sync('a', 'b', { filter: `${network.root}:u1` })
      same(
        (await network.peer('a').records()).map(({ id }) => id),
        [one],
        'records',
      )
      same((await network.peer('a').morango.status()).pendingChanges, 1, 'changes that wait')
      await network.sync('a', 'b', { filter: `${network.root}:u2` })
      same(
        (await network.peer('b').rows('book')).map(({ id }) => id),
        [one, two].toSorted(),
        'rows at the peer',
      )
    },
  },
  {
    name: 'does not take rows that the engine wrote for changes',
    async run(make) {
      const network = await suiteNetwork(make)
      const shelf = await add(network, 'a', 'shelf')
      const book = await add(network, 'a', 'book', { shelf_id: shelf })
      await network.sync('a', 'b')
      await network.peer('a').delete('book', book)
      await network.peer('a').update('shelf', shelf, { label: 'x' })
      await network.sync('a', 'b')
      const status = await network.peer('b').morango.status()
      same(status.pendingChanges, 0, 'changes of the receiver')
      same(await network.digest('a'), await network.digest('b'), 'digests')
    },
  },
]
