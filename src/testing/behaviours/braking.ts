import { sql } from 'kysely'
import { isMorangoError } from '../../core/errors.ts'
import { model } from '../../models/model.ts'
import { defineProfile } from '../../models/profile.ts'
import { type Behaviour, failure, holds, type MakeNetwork, same } from '../behaviour.ts'
import type { TestNetwork } from '../network.ts'
import { add, problemCodes, suite, suiteNetwork } from './fixtures.ts'

const BRAKE = { share: 0.5, count: 3 }

async function books(network: TestNetwork, count: number, owner = 'u1'): Promise<string[]> {
  const ids: string[] = []
  for (let book = 0; book < count; book++) ids.push(await add(network, 'a', 'book', { owner }))
  return ids
}

async function deletedRecords(network: TestNetwork, peer: string): Promise<number> {
  return (await network.peer(peer).records()).filter(({ deleted }) => deleted).length
}

async function refused(work: Promise<unknown>, what: string): Promise<void> {
  const error = await failure(work, what)
  holds(isMorangoError(error, 'too-many-deletions'), `${what}: ${error.message}`)
}

/** Masses of deletions that nobody has confirmed. */
export const braking: readonly Behaviour<MakeNetwork>[] = [
  {
    name: 'stops a serialization before it stamps anything, says what it is about, and goes on when told to',
    async run(make) {
      const network = await suiteNetwork(make, { peers: 2, deletionBrake: BRAKE, turnSize: 2 })
      const peer = network.peer('a')
      const ids = await books(network, 7)
      await network.sync('a', 'b')
      await peer.delete('book', ...ids.slice(0, 5))
      const other = await add(network, 'a', 'shelf')
      const error = await failure(peer.morango.serialize(), 'the serialization')
      holds(isMorangoError(error, 'too-many-deletions'), error.message)
      holds(error.message.includes('5 of 7 of "book"'), error.message)
      holds(error.hint?.includes('--confirm-deletions') === true, 'the hint says how to go on')
      holds(!(await peer.records()).some(({ id }) => id === other), 'nothing at all was serialized')
      same(await deletedRecords(network, 'a'), 0, 'deleted records')
      same(
        await peer.morango.serialize({ confirmDeletions: true }),
        { created: 1, updated: 0, deleted: 5, failed: 0 },
        'what is serialized once confirmed',
      )
      await network.sync('a', 'b')
      same((await network.peer('b').rows('book')).length, 2, 'rows of the peer')
    },
  },
  {
    name: 'takes few deletions, a small share, and what was deleted hard as meant',
    async run(make) {
      const network = await suiteNetwork(make, { peers: 1, deletionBrake: BRAKE })
      const peer = network.peer('a')
      const ids = await books(network, 12)
      await peer.morango.serialize()
      await peer.delete('book', ...ids.slice(0, 6))
      same((await peer.morango.serialize()).deleted, 6, 'half of them')
      await peer.deleteHard('book', ...ids.slice(6, 12))
      same((await peer.morango.serialize()).deleted, 6, 'those deleted hard')
      const few = await books(network, 3)
      await peer.morango.serialize()
      await peer.delete('book', ...few)
      same((await peer.morango.serialize()).deleted, 3, 'few, though all')
    },
  },
  {
    name: 'holds by default for over 100 records and over 30 %',
    async run(make) {
      const network = await suiteNetwork(make, { peers: 1 })
      const peer = network.peer('a')
      const ids = await books(network, 130)
      await peer.morango.serialize()
      await peer.delete('book', ...ids.slice(0, 100))
      same((await peer.morango.serialize()).deleted, 100, 'a hundred')
      const more = await books(network, 110)
      await peer.morango.serialize()
      await peer.delete('book', ...more.slice(0, 101))
      await refused(peer.morango.serialize(), 'a hundred and one')
    },
  },
  {
    name: 'looks at all of a model, so that nothing slips through partition by partition',
    async run(make) {
      const network = await suiteNetwork(make, { peers: 2, deletionBrake: BRAKE })
      const one = await books(network, 3, 'u1')
      const two = await books(network, 3, 'u2')
      await books(network, 1, 'u3')
      await network.sync('a', 'b')
      await network.peer('a').delete('book', ...one, ...two)
      await refused(network.sync('a', 'b', { filter: `${network.root}:u1` }), 'a part of the accident')
      await network.sync('a', 'b', { filter: `${network.root}:u3` })
      same((await network.peer('b').rows('book')).length, 7, 'rows of the peer')
    },
  },
  {
    name: 'holds in a sync both ways, and the same sync confirmed goes on with what was left',
    async run(make) {
      const network = await suiteNetwork(make, { peers: 2, deletionBrake: BRAKE })
      const ids = await books(network, 5)
      await network.sync('a', 'b')
      await add(network, 'b', 'setting', { name: 'news' })
      await network.peer('a').delete('book', ...ids)
      for (const direction of ['pull', 'push', 'both'] as const) {
        await refused(network.sync('a', 'b', { direction }), direction)
      }
      same(await deletedRecords(network, 'a'), 0, 'deleted records of the client')
      await network.sync('a', 'b', { confirmDeletions: true })
      same((await network.peer('b').rows('book')).length, 0, 'rows of the peer')
      same((await network.peer('a').rows('setting')).length, 1, 'what the peer had')
    },
  },
  {
    name: 'holds at a server that is called, says so in its status, and lets it go once confirmed there',
    async run(make) {
      const network = await suiteNetwork(make, { peers: 2, deletionBrake: BRAKE })
      const ids = await books(network, 5)
      await network.sync('a', 'b')
      const server = network.peer('a')
      await server.delete('book', ...ids)
      for (const direction of ['pull', 'push'] as const) {
        await add(network, 'b', 'setting', { name: direction })
        const error = await failure(network.sync('b', 'a', { direction }), direction)
        holds(isMorangoError(error, 'transfer-errored'), error.message)
      }
      same(await deletedRecords(network, 'a'), 0, 'deleted records of the server')
      const errors = (await server.morango.status()).sessions
        .flatMap(({ transfers }) => transfers)
        .flatMap((transfer) => transfer.error ?? [])
      holds(
        errors.some((text) => text.includes('5 of 5 of "book"')),
        `its status says why: ${errors.join()}`,
      )
      await server.morango.serialize({ confirmDeletions: true })
      await network.sync('b', 'a')
      same((await network.peer('b').rows('book')).length, 0, 'rows of the client')
    },
  },
  {
    name: 'is a model’s own where it says so, and can be off',
    async run(make) {
      const profile = defineProfile({
        ...suite,
        name: 'suite',
        models: {
          ...suite.models,
          book: model({ table: 'book', partition: '${root}:${owner}', deletionBrake: false }),
          setting: model({
            table: 'setting',
            sourceId: '${name}',
            partition: '${root}:${owner}',
            deletionBrake: { share: 0, count: 0 },
          }),
        },
        scopes: {},
      })
      const network = await suiteNetwork(make, {
        peers: 1,
        profile: { ...suite, models: profile.models },
        deletionBrake: BRAKE,
      })
      const peer = network.peer('a')
      const ids = await books(network, 6)
      const setting = await add(network, 'a', 'setting', { name: 'x' })
      await peer.morango.serialize()
      await peer.delete('book', ...ids)
      same((await peer.morango.serialize()).deleted, 6, 'books')
      await peer.delete('setting', setting)
      await refused(peer.morango.serialize(), 'one setting')
    },
  },
  {
    name: 'gives rows back that were deleted by accident, with what fell with them, and no peer hears of it',
    async run(make) {
      const network = await suiteNetwork(make, { peers: 2, deletionBrake: BRAKE })
      const peer = network.peer('a')
      const shelves: string[] = []
      for (let i = 0; i < 5; i++) shelves.push(await add(network, 'a', 'shelf'))
      const book = await add(network, 'a', 'book', { shelf_id: shelves[0], title: 'kept' })
      const hard = await add(network, 'a', 'book', { title: 'gone' })
      await network.sync('a', 'b')
      const others = async (): Promise<object[]> => (await peer.records()).filter(({ id }) => id !== hard)
      const before = await others()
      await peer.delete('shelf', ...shelves)
      await refused(network.sync('a', 'b'), 'the sync')
      same(await peer.morango.restoreDeleted({ dryRun: true }), { found: 6, written: 0 }, 'what there is')
      same(await peer.rows('shelf'), [], 'shelves after the dry run')
      await peer.deleteHard('book', hard)
      same(await peer.morango.restoreDeleted(), { found: 6, written: 6 }, 'what came back')
      same((await peer.row('book', book))?.['title'], 'kept', 'the book')
      same((await peer.rows('shelf')).length, 5, 'shelves')
      same(await peer.row('book', hard), undefined, 'what was deleted hard')
      same(await others(), before, 'the Store')
      await network.sync('a', 'b')
      same((await network.peer('b').rows('shelf')).length, 5, 'shelves of the peer')
      same(await network.peer('b').row('book', hard), undefined, 'what was deleted hard, at the peer')
    },
  },
  {
    name: 'on request has deletions that arrive wait until they are confirmed, as problems',
    async run(make) {
      const network = await suiteNetwork(make, {
        peers: 2,
        deletionBrake: BRAKE,
        brakeArriving: true,
        turnSize: 2,
      })
      const ids = await books(network, 5)
      await network.sync('a', 'b')
      await network.peer('a').delete('book', ...ids)
      const note = await add(network, 'a', 'setting', { name: 'news' })
      const report = await network.sync('a', 'b', { confirmDeletions: true })
      same(report.problems, { unserialized: 0, undeserialized: 0 }, 'problems of the client')
      const b = network.peer('b')
      same((await b.rows('book')).length, 5, 'rows of the peer')
      holds((await b.row('setting', note)) !== undefined, 'the rest was applied')
      same(
        await problemCodes(b),
        ids.map(() => 'too-many-deletions'),
        'problems of the peer',
      )
      await network.sync('b', 'a')
      same((await b.rows('book')).length, 5, 'rows after another sync')
      const applied = await b.morango.deserialize({ confirmDeletions: true })
      same(applied, { written: 0, deleted: 5, failed: 0 }, 'what is applied once confirmed')
      same([await b.rows('book'), await problemCodes(b)], [[], []], 'rows and problems then')
    },
  },
  {
    name: 'counts by what is pending: a sync with nothing deleted does not look at the whole Store',
    async run(make) {
      const network = await suiteNetwork(make, { peers: 1, deletionBrake: BRAKE })
      const peer = network.peer('a')
      await books(network, 5)
      await peer.morango.serialize()
      // A count of the Store would fail now.
      await sql`alter table morango_store rename column deleted to erased`.execute(peer.database.kysely)
      same(await peer.morango.serialize(), { created: 0, updated: 0, deleted: 0, failed: 0 }, 'the result')
    },
  },
]
