import { sql } from 'kysely'
import type { Peer } from '../../protocol/peer.ts'
import { createMemoryPeer } from '../../transport/memory.ts'
import { type Behaviour, holds, type MakeNetwork, same } from '../behaviour.ts'
import type { TestNetwork } from '../network.ts'
import { add, suiteNetwork } from './fixtures.ts'

function wayTo(network: TestNetwork, from: string, to: string): Peer {
  const { capabilities } = network.peer(from).morango
  return createMemoryPeer(network.peer(to).service, { capabilities, name: `memory:${to}/` })
}

/** All that a database has but its sessions, as one text. */
async function contents(network: TestNetwork, name: string, tables: readonly string[]): Promise<string> {
  const { kysely } = network.peer(name).database
  const found: unknown[] = []
  for (const table of tables) {
    const { rows } = await sql<object>`select * from ${sql.table(table)}`.execute(kysely)
    found.push(rows.map((row) => JSON.stringify(row)).toSorted())
  }
  return JSON.stringify(found)
}

const OURS = [
  'morango_store',
  'morango_pending',
  'morango_change_log',
  'morango_dirty',
  'morango_database_max_counter',
  'morango_record_max_counter',
  'morango_instance',
  'morango_outgoing',
  'morango_incoming',
]
const BUFFERS = ['morango_outgoing', 'morango_outgoing_snapshot', 'morango_incoming']

/** What `plan` foresees, and that it changes nothing. */
export const planning: readonly Behaviour<MakeNetwork>[] = [
  {
    name: 'foresees just what the next sync does, in every manner of working together',
    async run(make) {
      for (const withoutCapabilities of [
        [],
        ['FSIC_V2_FORMAT'],
        ['ASYNC_OPERATIONS'],
        ['TRANSFER_PREVIEW'],
        ['TRANSFER_PREVIEW', 'ASYNC_OPERATIONS', 'FSIC_V2_FORMAT'],
      ]) {
        const network = await suiteNetwork(make, { peers: ['a', 'b'], withoutCapabilities })
        const [a, b] = [network.peer('a'), network.peer('b')]
        const both: string[] = []
        for (let book = 0; book < 4; book++) both.push(await add(network, 'a', 'book', { title: `${book}` }))
        await network.sync('a', 'b')
        const [one = '', two = '', three = '', four = ''] = both
        await a.update('book', one, { title: 'of a' })
        await b.update('book', one, { title: 'of b' })
        await b.morango.serialize()
        await b.update('book', two, { title: 'of b' })
        await a.update('book', three, { title: 'of a' })
        await a.morango.serialize()
        await a.update('book', three, { title: 'of a again' })
        await a.delete('book', four)
        await add(network, 'a', 'shelf', { label: 'new' })
        await add(network, 'b', 'setting', { name: 'new' })

        const before = await contents(network, 'a', OURS)
        const plan = await a.morango.plan(wayTo(network, 'a', 'b'), { filter: network.root })
        const what = `without ${withoutCapabilities.join()}`
        same(await contents(network, 'a', OURS), before, `nothing is written, ${what}`)
        holds(
          (await contents(network, 'b', BUFFERS)) === '[[],[],[]]',
          `no buffer is left at the peer, ${what}`,
        )
        same((await a.morango.status()).sessions.length, 1, `no session is left here, ${what}`)
        const open = (await b.morango.status()).sessions.filter(({ active }) => active)
        same(open, [], `none is open at the peer, ${what}`)

        const [pull, push] = plan.transfers
        same([pull?.records, push?.records], [3, 4], `records, ${what}`)
        const counts = (models: typeof pull): unknown =>
          models?.models?.map(({ model, records, deletions }) => [model, records, deletions]).toSorted()
        same(
          counts(push),
          [
            ['book', 3, 1],
            ['shelf', 1, 0],
          ],
          `what goes, ${what}`,
        )
        for (const { bytes } of push?.models ?? []) holds(bytes > 100, `bytes: ${bytes}`)
        if (withoutCapabilities.includes('TRANSFER_PREVIEW')) {
          same([pull?.models, plan.conflicts], [undefined, undefined], `what a peer cannot tell, ${what}`)
        } else {
          same(
            counts(pull),
            [
              ['book', 2, 0],
              ['setting', 1, 0],
            ],
            `what comes, ${what}`,
          )
          same(plan.conflicts, 1, `conflicts, ${what}`)
        }
        const report = await network.sync('a', 'b')
        same([report.pulled, report.pushed, report.conflicts], [3, 4, 1], `the sync, ${what}`)
        const after = await a.morango.plan(wayTo(network, 'a', 'b'), { filter: network.root })
        same(
          [after.transfers.map(({ records }) => records), after.conflicts],
          [[0, 0], 0],
          `what is left, ${what}`,
        )
      }
    },
  },
  {
    name: 'counts rows that cannot be sent apart, with the version that goes instead',
    async run(make) {
      const network = await suiteNetwork(make, { peers: ['a', 'b'] })
      const id = await add(network, 'a', 'book')
      await network.peer('a').morango.serialize()
      await network.peer('a').update('book', id, { owner: 'u2' })
      const plan = await network
        .peer('a')
        .morango.plan(wayTo(network, 'a', 'b'), { filter: network.root, direction: 'push' })
      same([plan.transfers[0]?.records, plan.unserializable], [1, 1], 'the plan')
      const report = await network.sync('a', 'b', { direction: 'push' })
      same([report.pushed, report.problems.unserialized], [1, 1], 'the sync')
    },
  },
  {
    name: 'foresees a pull where nothing may be pushed',
    async run(make) {
      const reader = { scope: 'reader', params: { owner: 'u1' } }
      const network = await suiteNetwork(make, { peers: { a: {}, b: { scope: reader } } })
      await add(network, 'a', 'book')
      const filter = `${network.root}:u1`
      const plan = await network
        .peer('b')
        .morango.plan(wayTo(network, 'b', 'a'), { filter, direction: 'pull' })
      same(
        plan.transfers.map(({ records }) => records),
        [1],
        'what comes',
      )
      same(plan.conflicts, undefined, 'conflicts')
    },
  },
]
