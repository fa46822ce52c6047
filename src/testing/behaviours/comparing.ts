import { sql } from 'kysely'
import { diagnose } from '../../diagnosis/diagnose.ts'
import type { SumsReply, SumsRequest } from '../../protocol/messages.ts'
import type { Peer } from '../../protocol/peer.ts'
import type { SyncReport } from '../../session/progress.ts'
import { readDoubts } from '../../storage/doubts.ts'
import { migrateOwnTables } from '../../storage/migrations.ts'
import { type Behaviour, failure, holds, type MakeNetwork, same } from '../behaviour.ts'
import type { TestNetwork } from '../network.ts'
import type { TestPeer } from '../peer.ts'
import { comparisonsAt, forgetComparisons, loseRecord, requireTrueSums } from '../sums.ts'
import { add, suite, suiteNetwork } from './fixtures.ts'
import { claiming, claimsOf, instanceOf, sub } from './hostile.ts'
import { cardUsers } from './scoping.ts'

const NARROW = { scope: 'owner', params: { owner: 'u1' } } as const
const DAY_MS = 24 * 60 * 60 * 1000
const BOOKS = 5

/** Peers that have the same five books, all written at a, and a note; a day later. */
async function level(make: MakeNetwork): Promise<{ network: TestNetwork; ids: readonly string[] }> {
  const network = await suiteNetwork(make, { peers: { a: {}, b: {}, m: { scope: NARROW } } })
  const ids: string[] = []
  for (let book = 0; book < BOOKS; book++) ids.push(await add(network, 'a', 'book'))
  await network.converge()
  await network.sync('b', 'a')
  network.advance(DAY_MS)
  return { network, ids }
}

async function differences(peer: TestPeer): Promise<readonly string[]> {
  return (await readDoubts(peer.database.kysely)).flatMap(({ kind, detail }) =>
    kind === 'claims-differ' ? [detail] : [],
  )
}

function sent({ transfers }: SyncReport): number {
  return transfers.reduce((sum, { recordsTransferred }) => sum + recordsTransferred, 0)
}

/** Hears, and may alter, what is said of sums. */
function withSums(tap: {
  readonly asked?: (request: SumsRequest) => SumsRequest
  readonly answered?: (reply: SumsReply) => SumsReply
}): (peer: Peer) => Peer {
  const { asked = (request) => request, answered = (reply) => reply } = tap
  return (peer) => ({
    ...peer,
    updateTransferSession: async (id, patch, options) => {
      const said = patch.sums === undefined ? patch : { ...patch, sums: asked(patch.sums) }
      const view = await peer.updateTransferSession(id, said, options)
      return view.sums === undefined ? view : { ...view, sums: answered(view.sums) }
    },
  })
}

/** A server that says it has as many records as it has, but others. */
const lyingServer = withSums({ answered: (reply) => falsified(reply) })

/** A client that says so. */
const lyingClient = withSums({ asked: (request) => falsified(request) })

function falsified<Said extends SumsReply | SumsRequest>(said: Said): Said {
  return {
    ...said,
    ...(said.instances !== undefined && {
      instances: said.instances.map(([instance, records]) => [instance, records, 'f'.repeat(16)] as const),
    }),
    ...(said.partitions !== undefined && {
      partitions: said.partitions.map(
        ([partition, instance, records]) => [partition, instance, records, 'f'.repeat(16)] as const,
      ),
    }),
  }
}

/** What two databases of ours do about the difference between what they claim and what they have (protocol §6). */
export const comparing: readonly Behaviour<MakeNetwork>[] = [
  {
    name: 'compares equal databases once a day with each peer, and transfers nothing for it',
    async run(make) {
      const { network } = await level(make)
      const first = await network.sync('b', 'a')
      const second = await network.sync('b', 'a')
      same([sent(first), sent(second)], [0, 0], 'what was transferred')
      same(first.roundTrips - second.roundTrips, 2, 'the calls for it, one in each direction')
      for (const name of ['a', 'b']) {
        same(await comparisonsAt(network.peer(name)), 2, `comparisons at ${name}`)
        same(await differences(network.peer(name)), [], `differences at ${name}`)
      }
      await network.sync('m', 'a')
      same(await comparisonsAt(network.peer('a')), 4, 'comparisons with another peer, too')
    },
  },
  {
    name: 'heals a poisoned claim although the claims of both cover each other',
    async run(make) {
      const network = await suiteNetwork(make, { peers: { a: {}, c: {}, m: { scope: NARROW } } })
      const { root } = network
      const filter = `${root}:u1`
      const victim = network.peer('a')
      const honest = await instanceOf(network.peer('c'))
      await add(network, 'c', 'book')
      await network.sync('a', 'c')
      await add(network, 'm', 'book')
      await add(network, 'c', 'book', { title: 'withheld' })
      await network.peer('c').morango.serialize()
      const { counter } = (await network.peer('c').morango.status()).instance
      const through = claiming(sub({ [filter]: { [honest]: counter } }))
      await network.sync('m', 'a', { filter, direction: 'push', through })
      network.advance(DAY_MS)
      const healing = await network.sync('a', 'c', { direction: 'pull' })
      const titles = (await victim.rows('book')).map((row) => row['title'])
      holds(titles.includes('withheld'), `the book that was withheld is here: ${titles.join()}`)
      same(healing.transfers.length, 2, 'transfers: one that finds out, one that brings it')
      same((await differences(victim)).length, 1, 'doubts')
      const { checks } = await diagnose({ database: victim.database, profiles: [suite] })
      const codes = checks.flatMap(({ findings }) => findings.map(({ code }) => code))
      holds(codes.includes('claims-differ'), 'doctor says so')
      await requireTrueSums(victim, 'the healed one')
    },
  },
  {
    name: 'finds a record that got lost at the client, and one at the server, and brings them back',
    async run(make) {
      for (const loser of ['b', 'a'] as const) {
        const { network, ids } = await level(make)
        const [lost = ''] = ids
        const keeper = loser === 'a' ? 'b' : 'a'
        // Of its own records nobody has to be asked: what a has lost was written by b.
        const id = loser === 'a' ? await add(network, 'b', 'book', { title: 'of b' }) : lost
        // Of an instance that has no record here any more nothing is claimed, and all is asked for.
        await add(network, 'b', 'book', { title: 'of b, too' })
        await network.converge()
        network.advance(DAY_MS)
        await loseRecord(network.peer(loser), id)
        await requireTrueSums(network.peer(loser), 'after the loss')
        await network.sync('b', 'a')
        same(
          await network.digest(loser),
          await network.digest(keeper),
          `records of ${loser} and of ${keeper}`,
        )
        holds((await differences(network.peer(loser))).length > 0, `${loser} has a doubt`)
        await requireTrueSums(network.peer(loser), 'once it is mended')
        await network.sync('b', 'a')
        network.advance(DAY_MS)
        same(sent(await network.sync('b', 'a')), 0, 'what is sent the day after')
      }
    },
  },
  {
    name: 'finds a version that got lost, and says so of its own, which nobody else can bring',
    async run(make) {
      const { network, ids } = await level(make)
      const [edited = '', own = ''] = ids
      const before = await network
        .peer('b')
        .database.kysely.selectFrom('morango_store')
        .select(['last_saved_counter as counter', 'serialized'])
        .where('id', '=', edited)
        .executeTakeFirstOrThrow()
      await network.peer('a').update('book', edited, { title: 'later' })
      await network.sync('b', 'a')
      // As if the later version had been claimed and never written.
      const kysely = network.peer('b').database.kysely
      const lost = await kysely.selectFrom('morango_store').selectAll().where('id', '=', edited).execute()
      await loseRecord(network.peer('b'), edited)
      await network.peer('b').database.kysely.deleteFrom('morango_dirty').execute()
      same(lost.length, 1, 'records that were there')
      holds(Number(lost[0]?.last_saved_counter) > before.counter, 'it was a later version')
      network.advance(DAY_MS)
      await network.sync('b', 'a')
      same(await network.digest('b'), await network.digest('a'), 'records')
      await loseRecord(network.peer('a'), own)
      network.advance(DAY_MS)
      const claims = [...(await claimsOf(network.peer('a')))]
      await network.sync('a', 'b', { direction: 'pull' })
      same([...(await claimsOf(network.peer('a')))], claims, 'what it claims of itself')
      same((await differences(network.peer('a'))).length, 1, 'doubts about its own records')
    },
  },
  {
    name: 'believes a lie about sums once a day, and less often when that is in vain',
    async run(make) {
      for (const [direction, through] of [
        ['pull', lyingServer],
        ['push', lyingClient],
      ] as const) {
        const { network } = await level(make)
        // The receiver has all of it by a's own claims.
        const [client, server] = direction === 'pull' ? ['b', 'a'] : ['a', 'b']
        const lie = async (): Promise<number> =>
          sent(await network.sync(client, server, { direction, through }))
        const days: (readonly number[])[] = []
        for (let day = 0; day < 4; day++) {
          days.push([await lie(), await lie()])
          network.advance(DAY_MS)
        }
        const all = [BOOKS, 0]
        same(days, [all, all, [0, 0], all], `records sent on four days, by ${direction}`)
        same(await network.digest('a'), await network.digest('b'), 'records')
      }
    },
  },
  {
    name: 'lets nobody have claims forgotten that reach beyond its certificate, whatever the filter',
    async run(make) {
      const { network } = await level(make)
      const victim = network.peer('b')
      const { root } = network
      const honest = await instanceOf(network.peer('a'))
      const before = [...(await claimsOf(victim))]
      for (const filter of [`${root}:u1`, `${root}:u1:note`, `${root}:u1:x`]) {
        const through = withSums({
          asked: () => ({
            partitions: [root, `${root}:u1`, `${root}:u1:note`, `${root}:u2`, ''].map(
              (partition) => [partition, honest, 1000, '0'.repeat(16)] as const,
            ),
          }),
        })
        await network.sync('m', 'b', { filter, direction: 'push', through })
      }
      const after = await claimsOf(victim)
      const gone = before.filter(([key]) => !after.has(key)).map(([key]) => key.split(' ')[0] ?? '')
      same(
        gone.filter((partition) => !partition.startsWith(`${root}:u1`)),
        [],
        'claims that were forgotten outside its scope',
      )
      same((await network.sync('b', 'a', { direction: 'pull' })).pulled, 0, 'what is asked of others for it')
    },
  },
  {
    name: 'tells a peer no sums of partitions outside the filter, and none at all of what it may only write',
    async run(make) {
      const { network } = await level(make)
      const { root } = network
      await add(network, 'a', 'book', { owner: 'u2' })
      await network.peer('a').morango.serialize()
      const heard: SumsReply[] = []
      const instances = [await instanceOf(network.peer('a')), await instanceOf(network.peer('b'))]
      const through = withSums({
        asked: (request) => (request.instances === undefined ? { of: instances } : request),
        answered: (reply) => {
          heard.push(reply)
          return {}
        },
      })
      await network.sync('m', 'a', { filter: `${root}:u1`, through })
      holds(
        heard.some(({ partitions = [] }) => partitions.length > 0),
        'partitions were told',
      )
      for (const { partitions = [], instances: told } of heard) {
        same(
          partitions.filter(([partition]) => !partition.startsWith(`${root}:u1`)),
          [],
          'partitions outside the filter',
        )
        same(told, undefined, 'sums by instance that were not asked for')
      }
    },
  },
  {
    name: 'refuses sums that are malformed or too many, and takes none from who has not the capability',
    async run(make) {
      const { network } = await level(make)
      const claims = [...(await claimsOf(network.peer('a'))).keys()]
      const instance = await instanceOf(network.peer('a'))
      const bad: readonly unknown[] = [
        [],
        'all',
        { of: ['x'] },
        { of: Array.from({ length: 1501 }, () => instance) },
        { instances: [[instance, -1, '0'.repeat(16)]] },
        { instances: [[instance, 1, '0'.repeat(17)]] },
        { instances: [[instance, 1]] },
        { partitions: [['x'.repeat(129), instance, 1, '0'.repeat(16)]] },
        { partitions: [['\0', instance, 1, '0'.repeat(16)]] },
        { partitions: [[1, instance, 1, '0'.repeat(16)]] },
      ]
      for (const sums of bad) {
        // What the types do not let a client of ours say.
        const malformed: { readonly sums: never } = JSON.parse(JSON.stringify({ sums }))
        const through = (peer: Peer): Peer => ({
          ...peer,
          closeTransferSession: async (id, options) => {
            await failure(
              peer.updateTransferSession(id, malformed, options),
              JSON.stringify(sums).slice(0, 80),
            )
            await peer.closeTransferSession(id, options)
          },
        })
        await network.sync('b', 'a', { through })
      }
      same([...(await claimsOf(network.peer('a'))).keys()], claims, 'claims')
      const plain = await suiteNetwork(make, { peers: ['a', 'b'], withoutCapabilities: ['SET_SUMS'] })
      await add(plain, 'a', 'book')
      const through = withSums({
        asked: () => {
          throw new Error('sums were told to who does not know them')
        },
      })
      await plain.sync('b', 'a', { through })
      same(await comparisonsAt(plain.peer('a')), 0, 'comparisons')
    },
  },
  {
    name: 'is not alarmed by records that wait, are on their way, or are too large to be sent',
    async run(make) {
      const network = await suiteNetwork(make, { peers: ['a', 'b'], maxRecordBytes: 2000 })
      const edited = await add(network, 'a', 'book')
      await add(network, 'a', 'book')
      await network.sync('b', 'a')
      network.advance(DAY_MS)
      // The first is refused at b by the model, the second not sent for its size.
      await add(network, 'a', 'account', { email: 'nobody' })
      await add(network, 'a', 'book', { title: 'x'.repeat(3000) })
      await network.peer('b').update('book', edited, { title: 'not pushed yet' })
      await add(network, 'b', 'book', { title: 'nor this' })
      await network.peer('b').morango.serialize()
      for (const direction of ['pull', 'pull', 'push', 'both'] as const) {
        await network.sync('b', 'a', { direction })
        holds((await comparisonsAt(network.peer('b'))) > 0, `they have compared by ${direction}`)
        await forgetComparisons(network.peer('a'))
        await forgetComparisons(network.peer('b'))
      }
      for (const name of ['a', 'b']) {
        same(await differences(network.peer(name)), [], `differences at ${name}`)
        await requireTrueSums(network.peer(name), name)
      }
    },
  },
  {
    name: 'is not alarmed by a record that was set aside',
    async run(make) {
      const network = await cardUsers(make)
      const { root } = network
      const id = 'ab'.repeat(16)
      await network.peer('squatter').insert('card', { id, root, owner: 'u1', text: 'first' })
      await network.sync('squatter', 'server', { filter: `${root}:u1` })
      await network.peer('owner').insert('card', { id, root, owner: 'u2', text: 'mine' })
      const other = await network.peer('owner').insert('card', { root, owner: 'u2', text: 'another' })
      const filter = `${root}:u2`
      await network.sync('owner', 'server', { filter })
      network.advance(DAY_MS)
      await network.sync('owner', 'server', { filter })
      same(await comparisonsAt(network.peer('server')), 2, 'comparisons')
      same(await differences(network.peer('server')), [], 'differences at the server')
      holds((await network.peer('server').row('card', other.id)) !== undefined, 'the other card')
    },
  },
  {
    name: 'finds what got lost also under edits that the other side has not seen',
    async run(make) {
      const { network, ids } = await level(make)
      const [lost = '', edited = '', another = ''] = ids
      await loseRecord(network.peer('b'), lost)
      for (const id of [edited, another]) await network.peer('b').update('book', id, { title: 'at b' })
      await network.peer('b').morango.serialize()
      const healing = await network.sync('b', 'a', { direction: 'pull' })
      same(healing.transfers.length, 2, 'transfers')
      holds(
        (await network.peer('b').records()).some(({ id }) => id === lost),
        'it is back',
      )
      same((await network.peer('b').row('book', edited))?.['title'], 'at b', 'an edit')
      await network.sync('b', 'a')
      same(await network.digest('a'), await network.digest('b'), 'records')
    },
  },
  {
    name: 'sums what an older release has left when it is migrated',
    async run(make) {
      const { network } = await level(make)
      const { database } = network.peer('b')
      const { kysely, dialect } = database
      const trigger =
        dialect.name === 'sqlite'
          ? 'drop trigger morango_store_removed'
          : 'drop trigger morango_store_removed on morango_store'
      const undo = [
        trigger,
        'alter table morango_instance_partition drop column sum_high',
        'alter table morango_instance_partition drop column sum_low',
        'drop table morango_comparison',
        'drop table morango_forgotten_claim',
        `update morango_meta set value = '8' where key = 'schema_version'`,
      ]
      for (const statement of undo) await sql.raw(statement).execute(kysely)
      await migrateOwnTables(database)
      await requireTrueSums(network.peer('b'), 'after the migration')
      same(sent(await network.sync('b', 'a')), 0, 'what is sent')
      same(await differences(network.peer('b')), [], 'differences')
    },
  },
]
