import { isMorangoError } from '../../core/errors.ts'
import type { Conflict } from '../../storage/conflicts.ts'
import { type Behaviour, failure, holds, type MakeNetwork, same } from '../behaviour.ts'
import type { TestNetwork } from '../network.ts'
import { add, recordOf, suiteNetwork } from './fixtures.ts'

/** A book that a and b have edited, and a has pulled from b. */
async function settled(
  make: MakeNetwork,
  edit: { readonly a?: string | undefined; readonly b?: string | undefined } = { a: 'of a', b: 'of b' },
): Promise<{ network: TestNetwork; id: string; conflict: Conflict }> {
  const network = await suiteNetwork(make)
  const id = await add(network, 'a', 'book', { title: 'first', pages: 7 })
  await network.sync('a', 'b')
  for (const [name, title] of Object.entries(edit)) {
    if (title === undefined) await network.peer(name).delete('book', id)
    else await network.peer(name).update('book', id, { title })
  }
  await network.sync('a', 'b', { direction: 'pull' })
  const [conflict] = await network.peer('a').morango.conflicts.list()
  holds(conflict !== undefined, 'the conflict is listed')
  return { network, id, conflict }
}

/** Conflicts kept as data. */
export const conflicts: readonly Behaviour<MakeNetwork>[] = [
  {
    name: 'lists a conflict with both contents, field by field, and what came of it',
    async run(make) {
      const { network, id, conflict } = await settled(make)
      const { morango } = network.peer('a')
      same(
        [conflict.model, conflict.recordId, conflict.resolution, conflict.lost, conflict.state],
        ['book', id, 'ours-kept', 'theirs', 'open'],
        'the conflict',
      )
      const { fields } = await morango.conflicts.show(conflict.id)
      same(
        fields.filter(({ differs }) => differs),
        [{ field: 'title', ours: '"of a"', theirs: '"of b"', result: '"of a"', differs: true }],
        'what differs',
      )
      holds(
        fields.some(({ field, ours }) => field === 'pages' && ours === '7'),
        'what is the same is there too',
      )
      same(await morango.conflicts.list({ model: 'note' }), [], 'of another model')
      same(await morango.conflicts.list({ before: conflict.id }), [], 'the page before')
      same(await network.peer('b').morango.conflicts.list(), [], 'at b, which has settled none')
    },
  },
  {
    name: 'restores what lost as a new edit, which travels and is no conflict',
    async run(make) {
      const { network, id, conflict } = await settled(make)
      await network.sync('a', 'b')
      const { morango } = network.peer('a')
      await morango.conflicts.restore(conflict.id)
      same((await network.peer('a').row('book', id))?.['title'], 'of b', 'the row')
      same((await morango.conflicts.list({ state: 'all' }))[0]?.state, 'restored', 'its state')
      same(await morango.conflicts.count(), 0, 'open ones')
      await network.converge()
      for (const name of network.names) {
        same((await network.peer(name).row('book', id))?.['title'], 'of b', `the row at ${name}`)
      }
      same(await network.peer('b').morango.conflicts.count({ state: 'all' }), 0, 'conflicts at b')
    },
  },
  {
    name: 'restores an edit that lost to a deletion, whoever deleted',
    async run(make) {
      for (const edit of [
        { a: undefined, b: 'of b' },
        { a: 'of a', b: undefined },
      ]) {
        const { network, id, conflict } = await settled(make, edit)
        same(conflict.resolution, 'deletion-won', 'what became of it')
        same(conflict.lost, edit.a === undefined ? 'theirs' : 'ours', 'who lost')
        await network.peer('a').morango.conflicts.restore(conflict.id)
        await network.converge()
        for (const name of network.names) {
          same((await network.peer(name).row('book', id))?.['title'], edit.a ?? edit.b, `at ${name}`)
        }
      }
    },
  },
  {
    name: 'does not restore what the table does not take, and says why',
    async run(make) {
      const network = await suiteNetwork(make)
      const id = await add(network, 'a', 'account', { email: 'first' })
      await network.sync('a', 'b')
      await network.peer('a').update('account', id, { email: 'of a' })
      await network.peer('b').update('account', id, { email: 'of b' })
      await network.sync('a', 'b', { direction: 'pull' })
      await add(network, 'a', 'account', { email: 'of b' })
      const { morango } = network.peer('a')
      const [conflict] = await morango.conflicts.list()
      holds(conflict !== undefined, 'the conflict is listed')
      const error = await failure(morango.conflicts.restore(conflict.id), 'restoring')
      holds(isMorangoError(error, 'not-restorable'), `the code of ${error.message}`)
      same((await network.peer('a').row('account', id))?.['email'], 'of a', 'the row')
      same(await morango.conflicts.count(), 1, 'open ones')
      const unknown = await failure(morango.conflicts.show(12_345), 'showing an unknown one')
      holds(isMorangoError(unknown, 'unknown-conflict'), `the code of ${unknown.message}`)
    },
  },
  {
    name: 'forgets those dismissed long ago, and no others',
    async run(make) {
      const { network, conflict } = await settled(make)
      const { morango } = network.peer('a')
      network.advance(40 * 24 * 3_600_000)
      same((await morango.cleanup()).forgottenConflicts, 0, 'open ones that are forgotten')
      await morango.conflicts.dismiss(conflict.id)
      same(await morango.conflicts.count(), 0, 'open ones')
      same((await morango.cleanup()).forgottenConflicts, 0, 'forgotten at once')
      network.advance(31 * 24 * 3_600_000)
      same((await morango.cleanup()).forgottenConflicts, 1, 'forgotten after a month')
      same(await morango.conflicts.list({ state: 'all' }), [], 'what is left')
    },
  },
  {
    name: 'keeps an edit over a received version that was not applied yet as a conflict',
    async run(make) {
      const network = await suiteNetwork(make)
      const id = await add(network, 'a', 'account', { email: 'first' })
      await network.sync('a', 'b')
      await add(network, 'b', 'account', { email: 'taken' })
      await network.peer('a').update('account', id, { email: 'taken', age: 8 })
      await network.sync('a', 'b')
      await network.peer('b').update('account', id, { age: 9 })
      await network.peer('b').morango.serialize()
      const [conflict] = await network.peer('b').morango.conflicts.list()
      same([conflict?.resolution, conflict?.lost], ['edit-kept', 'theirs'], 'what became of it')
      const { fields } = await network.peer('b').morango.conflicts.show(conflict?.id ?? 0)
      const age = fields.find(({ field }) => field === 'age')
      same([age?.ours, age?.theirs, age?.result], ['9', '8', '9'], 'the age')
    },
  },
  {
    name: 'keeps nothing of a record that is deleted hard, here, from afar, or by cascade',
    async run(make) {
      for (const by of ['a', 'b', 'cascade'] as const) {
        const network = await suiteNetwork(make)
        const shelf = await add(network, 'a', 'shelf')
        const id = await add(network, 'a', 'book', { title: 'secret first', shelf_id: shelf })
        await network.sync('a', 'b')
        await network.peer('a').update('book', id, { title: 'secret of a' })
        await network.peer('b').update('book', id, { title: 'secret of b' })
        await network.sync('a', 'b')
        same(await network.peer('a').morango.conflicts.count(), 1, 'conflicts before')
        if (by === 'cascade') await network.peer('b').deleteHard('shelf', shelf)
        else await network.peer(by).deleteHard('book', id)
        await network.converge()
        same(
          await network.peer('a').morango.conflicts.count({ state: 'all' }),
          0,
          `conflicts after, by ${by}`,
        )
        for (const name of network.names) {
          same(await network.peer(name).tablesWith('secret'), [], `tables of ${name} with it, by ${by}`)
          holds((await recordOf(network.peer(name), id)).hardDeleted, `it is deleted hard at ${name}`)
        }
      }
    },
  },
]
