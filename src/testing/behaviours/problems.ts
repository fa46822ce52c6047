import { sql } from 'kysely'
import { isMorangoError } from '../../core/errors.ts'
import { type Behaviour, failure, holds, type MakeNetwork, same } from '../behaviour.ts'
import type { TestPeer } from '../peer.ts'
import { add, problemCodes, suiteNetwork } from './fixtures.ts'

/** As if a peer had sent no JSON. */
async function spoil(peer: TestPeer, id: string): Promise<void> {
  const { kysely } = peer.database
  await sql`update morango_store set serialized = '{"id": oops' where id = ${id}`.execute(kysely)
  await sql`insert into morango_dirty (model_name, store_no, deleted, tries)
    select model_name, no, 0, 0 from morango_store where id = ${id}`.execute(kysely)
}

/** Problems as a set: listed, shown, tried again. */
export const problems: readonly Behaviour<MakeNetwork>[] = [
  {
    name: 'finds every bad record among good ones, each with its reason',
    async run(make) {
      const network = await suiteNetwork(make)
      const book = await add(network, 'a', 'book')
      for (let i = 0; i < 150; i++) {
        await add(network, 'a', 'account', { email: i === 3 ? 'nobody' : `e${i}` })
        if (i % 15 === 0) await add(network, 'b', 'account', { email: `e${i}` })
      }
      await add(network, 'a', 'note', { book_id: book, body: 'no parent' })
      await network.peer('b').morango.serialize()
      const a = network.root
      await network.sync('b', 'a', { direction: 'pull', filter: `${a}:u1:note` })
      const b = network.peer('b')
      same(await problemCodes(b), ['foreign-key-missing'], 'before its parent')
      await network.sync('b', 'a', { direction: 'pull' })
      const count = async (code: string): Promise<number> => await b.morango.problems.count({ code })
      same([await count('validation'), await count('unique')], [1, 10], 'how many of each')
      same(await b.morango.problems.count(), 11, 'problems')
      same((await b.rows('account')).length, 150 - 11 + 10, 'rows of b')
    },
  },
  {
    name: 'writes rows that take over a unique value from each other, in whatever order',
    async run(make) {
      const network = await suiteNetwork(make)
      const ids: string[] = []
      for (const email of ['one', 'two', 'three', 'four']) {
        ids.push(await add(network, 'a', 'account', { email }))
      }
      await network.sync('a', 'b')
      await network.peer('a').update('account', ids[0] ?? '', { email: 'free' })
      for (let i = 1; i < ids.length; i++) {
        await network.peer('a').update('account', ids[i] ?? '', { email: ['one', 'two', 'three'][i - 1] })
      }
      await network.sync('a', 'b')
      same(await problemCodes(network.peer('b')), [], 'problems')
      same(await network.peer('b').rows('account'), await network.peer('a').rows('account'), 'rows')
    },
  },
  {
    name: 'lists by model, reason, kind and partition, in pages',
    async run(make) {
      const network = await suiteNetwork(make)
      await add(network, 'a', 'account', { email: 'nobody' })
      await add(network, 'a', 'account', { email: 'nobody2', owner: 'u2' })
      await network.peer('b').insert('account', { root: network.root, owner: 'u2', email: 'nobody2' })
      await network
        .peer('b')
        .insert('book', { root: '', owner: '', title: 'nowhere' })
        .catch(() => undefined)
      const { kysely } = network.peer('b').database
      await sql`insert into book (id, root, owner, title) values ('x', ${network.root}, 'u1', 'no id')`.execute(
        kysely,
      )
      await network.sync('a', 'b', { direction: 'push' })
      const { problems: list } = network.peer('b').morango
      const codes = async (query: Parameters<typeof list>[0]): Promise<string[]> =>
        (await list(query)).map(({ code }) => code).toSorted()
      same(await codes({ model: 'account' }), ['unique', 'validation'], 'of a model')
      same(await codes({ code: 'unique' }), ['unique'], 'with a reason')
      same(await codes({ partition: `${network.root}:u2` }), ['unique'], 'under a partition')
      same(
        (await list({ kind: 'not-serialized' })).map(({ model }) => model),
        ['book'],
        'of a kind',
      )
      const pages = [await list({ limit: 2 }), await list({ limit: 2, offset: 2 })]
      same(
        pages.map(({ length }) => length),
        [2, 1],
        'pages',
      )
      same(new Set(pages.flat().map(({ id }) => id)).size, 3, 'different ones on both')
    },
  },
  {
    name: 'shows what clashes, what is missing, and both sides',
    async run(make) {
      const network = await suiteNetwork(make)
      const theirs = await add(network, 'a', 'account', { email: 'same' })
      const ours = await add(network, 'b', 'account', { email: 'same' })
      const book = await add(network, 'a', 'book')
      const note = await add(network, 'a', 'note', { book_id: book, body: 'x' })
      const b = network.peer('b')
      await network.sync('b', 'a', { direction: 'pull', filter: `${network.root}:u1:note` })
      const child = await b.morango.problems.show('note', note)
      same(
        child.missingParents,
        [{ column: 'book_id', model: 'book', id: book, state: 'not-here' }],
        'the missing parent',
      )
      await network.sync('b', 'a', { direction: 'pull' })
      const clash = await b.morango.problems.show('account', theirs)
      same(clash.row, undefined, 'its own row')
      holds(clash.stored?.includes('"same"') === true, 'what arrived')
      same(
        clash.clashes.map(({ columns, id, row }) => [columns, id, row['email']]),
        [[['email'], ours, 'same']],
        'what is in its way',
      )
      const error = await failure(b.morango.problems.show('account', ours), 'showing what has none')
      holds(isMorangoError(error, 'unknown-problem'), `the code of ${error.message}`)
    },
  },
  {
    name: 'tries again without a sync, and counts how often',
    async run(make) {
      const network = await suiteNetwork(make)
      await add(network, 'a', 'account', { email: 'same' })
      const ours = await add(network, 'b', 'account', { email: 'same' })
      await network.sync('b', 'a', { direction: 'pull' })
      const b = network.peer('b')
      const [first] = await b.morango.problems()
      same((await b.morango.problems.retry()).left, 1, 'left while the reason is there')
      const [again] = await b.morango.problems()
      same((again?.tries ?? 0) > (first?.tries ?? 0), true, 'it was tried again')
      same(again?.firstSeen, first?.firstSeen, 'when it was first seen')
      await b.update('account', ours, { email: 'other' })
      const report = await b.morango.problems.retry()
      same([report.left, report.applied.written], [0, 1], 'after the mend')
    },
  },
  {
    name: 'leaves a record that is no JSON waiting, alone',
    async run(make) {
      const network = await suiteNetwork(make)
      const ids = [
        await add(network, 'a', 'account', { email: 'x' }),
        await add(network, 'a', 'account', { email: 'y' }),
      ]
      await network.sync('a', 'b')
      const b = network.peer('b')
      await spoil(b, ids[0] ?? '')
      same((await b.morango.deserialize()).failed, 1, 'failed')
      same(await problemCodes(b), ['malformed-json'], 'the reason')
      const shown = await b.morango.problems.show('account', ids[0] ?? '')
      holds(shown.stored?.includes('oops') === true, 'what arrived is shown as it is')
    },
  },
]
