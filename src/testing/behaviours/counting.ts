import { type Behaviour, holds, type MakeNetwork, same } from '../behaviour.ts'
import type { TestPeer } from '../peer.ts'
import { add, suiteNetwork } from './fixtures.ts'

async function claims(peer: TestPeer): Promise<Map<string, number>> {
  const rows = await peer.database.kysely.selectFrom('morango_database_max_counter').selectAll().execute()
  return new Map(rows.map((row) => [`${row.partition} ${row.instance_id}`, row.counter]))
}

/** Counters and what they choose to send (protocol §6), and filters (§2). */
export const counting: readonly Behaviour<MakeNetwork>[] = [
  {
    name: 'sends nothing the second time, in either format',
    async run(make) {
      for (const withoutCapabilities of [
        [],
        ['FSIC_V2_FORMAT'],
        ['ASYNC_OPERATIONS'],
        ['ASYNC_OPERATIONS', 'FSIC_V2_FORMAT'],
      ]) {
        const network = await suiteNetwork(make, { withoutCapabilities })
        for (const owner of ['u1', 'u2']) await add(network, 'a', 'book', { owner })
        await add(network, 'b', 'book')
        const first = await network.sync('a', 'b')
        same([first.pulled, first.pushed], [1, 2], 'the first time')
        for (const [client, server] of [
          ['a', 'b'],
          ['b', 'a'],
        ] as const) {
          const again = await network.sync(client, server)
          same(
            [again.pulled, again.pushed],
            [0, 0],
            `again, ${client} with ${server}, without ${withoutCapabilities.join()}`,
          )
        }
      }
    },
  },
  {
    name: 'does not send a subset again when everything is pulled',
    async run(make) {
      const network = await suiteNetwork(make)
      for (const owner of ['u1', 'u1', 'u2']) await add(network, 'a', 'book', { owner })
      const pull = { direction: 'pull' } as const
      same((await network.sync('b', 'a', { ...pull, filter: `${network.root}:u1` })).pulled, 2, 'the subset')
      same((await network.sync('b', 'a', pull)).pulled, 1, 'the rest')
      same((await network.sync('b', 'a', pull)).pulled, 0, 'and then')
    },
  },
  {
    name: 'does not send what a peer with wider counters sent before',
    async run(make) {
      const network = await suiteNetwork(make)
      await add(network, 'a', 'book')
      await network.sync('a', 'b')
      const options = { direction: 'pull', filter: `${network.root}:u1` } as const
      same((await network.sync('c', 'b', options)).pulled, 1, 'the first time')
      same((await network.sync('c', 'b', options)).pulled, 0, 'the second time')
    },
  },
  {
    name: 'does not send an older version again and again to whom has a later one',
    async run(make) {
      const network = await suiteNetwork(make)
      const id = await add(network, 'a', 'book', { title: 'first' })
      await network.sync('a', 'b')
      await network.sync('a', 'c')
      await network.peer('b').update('book', id, { title: 'second' })
      await network.peer('b').morango.serialize()
      const pull = { direction: 'pull' } as const
      same((await network.sync('b', 'c', pull)).pulled, 0, 'what comes of the first version')
      same((await network.peer('b').row('book', id))?.['title'], 'second', 'the row')
    },
  },
  {
    name: 'sends what others change between serializing and queuing, and claims no record that it does not hold',
    async run(make) {
      for (const direction of ['push', 'pull'] as const) {
        const network = await suiteNetwork(make)
        const id = await add(network, 'a', 'book', { title: 'first' })
        await network.sync('c', 'a')
        const [client, server] = direction === 'push' ? (['a', 'b'] as const) : (['b', 'a'] as const)
        const faults = [{ kind: 'kill', side: 'client', stage: 'queuing' }] as const
        await network.sync(client, server, { direction, faults }).catch(() => undefined)
        await network.peer('c').update('book', id, { title: 'second' })
        await network.sync('c', 'a')
        await network.sync(client, server, { direction })
        same((await network.peer('b').row('book', id))?.['title'], 'second', `the row after the ${direction}`)
        same((await network.sync('b', 'c', { direction: 'pull' })).pulled, 0, 'what c has that b lacks')
      }
    },
  },
  {
    name: 'never lowers a counter',
    async run(make) {
      const network = await suiteNetwork(make)
      await add(network, 'a', 'book')
      await network.sync('a', 'b')
      await network.sync('b', 'c')
      await add(network, 'a', 'book')
      await network.sync('a', 'c')
      // Of a b knows less than c. Something has to come for c to learn anything.
      await add(network, 'b', 'book')
      const before = await claims(network.peer('c'))
      await network.sync('c', 'b', { direction: 'pull' })
      await network.sync('c', 'b', { direction: 'pull', filter: `${network.root}:u1` })
      const after = await claims(network.peer('c'))
      for (const [key, counter] of before)
        holds((after.get(key) ?? 0) >= counter, `${key} is at least ${counter}`)
    },
  },
  {
    name: 'takes prefixes as they are: %, _, letter case and quotes mean themselves',
    async run(make) {
      const network = await suiteNetwork(make)
      const owners = ['u_1', 'ux1', 'U_1', 'u%', 'u%1', 'u\'"', 'ü', 'uü', 'u\u{10ffff}']
      for (const owner of owners) await add(network, 'a', 'book', { owner })
      for (const owner of owners) {
        const wanted = owners.filter((other) => other.startsWith(owner))
        const other = await suiteNetwork(make, { seed: owner })
        for (const one of owners) await add(other, 'a', 'book', { owner: one })
        await other.sync('b', 'a', { filter: `${other.root}:${owner}`, direction: 'pull' })
        const got = (await other.peer('b').rows('book')).map((row) => String(row['owner']))
        same(got.toSorted(), wanted.toSorted(), `what "${owner}" brings`)
      }
    },
  },
  {
    name: 'lets nothing out of a scope',
    async run(make) {
      const scope = { scope: 'owner', params: { owner: 'u1' } }
      const network = await suiteNetwork(make, { peers: { a: {}, b: { scope }, c: { scope } } })
      await add(network, 'a', 'book', { title: 'mine', owner: 'u1' })
      await add(network, 'a', 'book', { title: 'secret', owner: 'u2' })
      await network.converge()
      for (const name of ['b', 'c']) {
        same(await network.peer(name).tablesWith('secret'), [], `tables of ${name} with the secret`)
        same((await network.peer(name).rows('book')).length, 1, `rows of ${name}`)
      }
    },
  },
  {
    name: 'gives a copied database an instance of its own',
    async run(make) {
      const network = await suiteNetwork(make, { peers: ['a', 'b'] })
      const instance = async (): Promise<string> => (await network.peer('a').morango.status()).instance.id
      const first = await instance()
      await network.peer('a').restart()
      same(await instance(), first, 'the instance after a restart')
      await network
        .peer('a')
        .database.kysely.updateTable('morango_meta')
        .set({ value: 'of another place' })
        .where('key', '=', 'fingerprint')
        .execute()
      await network.peer('a').restart()
      holds((await instance()) !== first, 'a copy has another instance')
      await add(network, 'a', 'book')
      same((await network.sync('a', 'b')).pushed, 1, 'what it wrote goes')
    },
  },
]
