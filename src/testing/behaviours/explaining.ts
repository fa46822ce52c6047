import { sql } from 'kysely'
import type { Explanation, LinkName, LinkState } from '../../session/explanation.ts'
import { type Behaviour, holds, type MakeNetwork, same } from '../behaviour.ts'
import type { TestNetwork } from '../network.ts'
import { createMemoryPeer } from '../../transport/memory.ts'
import type { Peer } from '../../protocol/peer.ts'
import { add, halfway, suiteNetwork } from './fixtures.ts'

/** The way from one peer of a network to another, to ask it. */
function wayTo(network: TestNetwork, from: string, to: string): Peer {
  const { capabilities } = network.peer(from).morango
  return createMemoryPeer(network.peer(to).service, { capabilities, name: `memory:${to}/` })
}

function stateOf({ links }: Explanation, name: LinkName): LinkState | undefined {
  return links.find(({ link }) => link === name)?.state
}

/** Fails unless the verdict names just this link, and all before it hold. */
function breaks(explanation: Explanation, link: LinkName, said: RegExp): void {
  const { verdict, links } = explanation
  const failed = links.filter(({ state }) => state === 'failed')
  same([verdict.link, failed.map((one) => one.link)], [link, [link]], `the link: ${verdict.sentence}`)
  holds(said.test(verdict.sentence), `"${verdict.sentence}" says ${said.source}`)
  holds(verdict.hint !== undefined, 'it says what to do')
}

async function synced(
  make: MakeNetwork,
  options?: Parameters<typeof suiteNetwork>[1],
): Promise<{ network: TestNetwork; id: string }> {
  const network = await suiteNetwork(make, { peers: ['a', 'b'], ...options })
  const id = await add(network, 'a', 'book', { title: 'first' })
  await network.sync('a', 'b')
  return { network, id }
}

/** What `explain` says when one link of the chain is broken, and when none is. */
export const explaining: readonly Behaviour<MakeNetwork>[] = [
  {
    name: 'says that a record has synced, asked or not, in every manner of working together',
    async run(make) {
      for (const withoutCapabilities of [
        [],
        ['FSIC_V2_FORMAT'],
        ['ASYNC_OPERATIONS'],
        ['ASYNC_OPERATIONS', 'FSIC_V2_FORMAT'],
      ]) {
        const { network, id } = await synced(make, { withoutCapabilities })
        const { morango, database } = network.peer('a')
        const sessions = async (peer: string): Promise<unknown> =>
          await network
            .peer(peer)
            .database.kysely.selectFrom('morango_sync_session')
            .select(({ fn }) => fn.countAll().as('n'))
            .where('active', '=', 1)
            .execute()
        const before = await network.digest('b')
        for (const explanation of [
          await morango.explain('book', id),
          await morango.explain('book', id, { peer: wayTo(network, 'a', 'b') }),
          await network.peer('b').morango.explain('book', id),
          await network
            .peer('b')
            .morango.explain('book', id, { peer: wayTo(network, 'b', 'a'), filter: network.root }),
        ]) {
          same(explanation.verdict.link, undefined, explanation.verdict.sentence)
          same(stateOf(explanation, 'claim'), 'ok', `the claim, without ${withoutCapabilities.join()}`)
        }
        for (const name of ['a', 'b']) {
          same(
            (await network.peer(name).morango.status()).sessions.filter(({ active }) => active),
            [],
            'open sessions',
          )
        }
        same(await sessions('b'), await sessions('a'), 'sessions left open')
        same(await network.digest('b'), before, 'what the peer has')
        const transfers = await database.kysely
          .selectFrom('morango_transfer_session')
          .select('id')
          .where('active', '=', 1)
          .execute()
        same(transfers, [], 'transfers left open')
        const again = await network.sync('a', 'b')
        same([again.pulled, again.pushed], [0, 0], 'a sync after the questions')
      }
    },
  },
  {
    name: 'names a row that is not there',
    async run(make) {
      const { network } = await synced(make)
      const id = 'f'.repeat(32)
      breaks(await network.peer('a').morango.explain('book', id), 'row', /Nothing is known here/)
      const later = await add(network, 'b', 'book')
      await network.peer('b').morango.serialize()
      const here = await network.peer('a').morango.explain('book', later, { peer: wayTo(network, 'a', 'b') })
      breaks(here, 'row', /Nothing is known here/)
      holds(here.verdict.hint?.includes('has it: pull from it') === true, here.verdict.hint ?? '')
      await network.sync('a', 'b')
      const now = await network.peer('a').morango.explain('book', id, { peer: wayTo(network, 'a', 'b') })
      holds(now.verdict.hint?.includes('has nothing for us') === true, now.verdict.hint ?? '')
    },
  },
  {
    name: 'names a deletion, and who deleted',
    async run(make) {
      const { network, id } = await synced(make)
      const hard = await add(network, 'a', 'book')
      await network.sync('a', 'b')
      await network.peer('b').delete('book', id)
      await network.peer('b').deleteHard('book', hard)
      await network.sync('a', 'b')
      const { instance } = await network.peer('b').morango.status()
      for (const [one, how] of [
        [id, /was deleted by/],
        [hard, /deleted with all its content/],
      ] as const) {
        const explanation = await network.peer('a').morango.explain('book', one)
        breaks(explanation, 'deletion', how)
        const link = explanation.links.find((found) => found.link === 'deletion')
        same(link?.link === 'deletion' && link.evidence.by?.id, instance.id, 'who')
        const there = await network.peer('b').morango.explain('book', one)
        same(there.verdict.link, undefined, `where it was deleted: ${there.verdict.sentence}`)
      }
    },
  },
  {
    name: 'names triggers that are missing',
    async run(make) {
      const { network, id } = await synced(make)
      const { database, morango } = network.peer('a')
      const on = database.dialect.name === 'postgres' ? ' on book' : ''
      await sql.raw(`drop trigger morango_log_book_update${on}`).execute(database.kysely)
      breaks(await morango.explain('book', id), 'tracking', /morango_log_book_update is missing/)
    },
  },
  {
    name: 'names changes that no trigger has seen',
    async run(make) {
      const { network, id } = await synced(make)
      const { database, morango } = network.peer('a')
      const gone = await add(network, 'a', 'book')
      await network.sync('a', 'b')
      const forget = async (): Promise<void> => {
        await database.kysely.deleteFrom('morango_change_log').execute()
      }
      await network.peer('a').update('book', id, { title: 'second' })
      await forget()
      breaks(await morango.explain('book', id), 'change', /changed since it was serialized/)
      const unseen = await add(network, 'a', 'book')
      await forget()
      breaks(await morango.explain('book', unseen), 'change', /was written, and no trigger/)
      await network.peer('a').delete('book', gone)
      await forget()
      breaks(await morango.explain('book', gone), 'change', /was deleted, and no trigger/)
    },
  },
  {
    name: 'names a row that is not serialized, and why',
    async run(make) {
      const { network, id } = await synced(make)
      const { morango } = network.peer('a')
      await network.peer('a').update('book', id, { title: 'second' })
      breaks(await morango.explain('book', id), 'serialization', /made after the last sync/)
      await network.peer('a').update('book', id, { owner: 'u2' })
      await morango.serialize()
      const explanation = await morango.explain('book', id)
      breaks(explanation, 'serialization', /could not be serialized: .*partition/)
    },
  },
  {
    name: 'names a filter that leaves the record out',
    async run(make) {
      const { network } = await synced(make)
      const { morango } = network.peer('a')
      const id = await add(network, 'a', 'book', { owner: 'u2' })
      await network.sync('a', 'b', { filter: `${network.root}:u1` })
      await morango.serialize()
      breaks(await morango.explain('book', id), 'filter', /:u2 is not in the filter .*:u1\./)
      const filter = `${network.root}:u1`
      breaks(
        await morango.explain('book', id, { filter, peer: wayTo(network, 'a', 'b') }),
        'filter',
        /:u2 is not in the filter/,
      )
    },
  },
  {
    name: 'names the certificate that does not permit it',
    async run(make) {
      const reader = { scope: 'reader', params: { owner: 'u1' } }
      const network = await suiteNetwork(make, { peers: { a: {}, b: { scope: reader } } })
      const id = await add(network, 'a', 'book')
      const filter = `${network.root}:u1`
      await network.sync('b', 'a', { filter, direction: 'pull' })
      await network.peer('b').update('book', id, { title: 'mine' })
      await network.peer('b').morango.serialize()
      const own = await network.peer('b').morango.explain('book', id)
      breaks(own, 'certificates', /^This device's certificate .*scope reader/)
      const asked = await network.peer('b').morango.explain('book', id, { peer: wayTo(network, 'b', 'a') })
      breaks(asked, 'certificates', /scope reader/)

      const wide = await add(network, 'a', 'book', { owner: 'u2' })
      await network.peer('a').morango.serialize()
      const theirs = await network.peer('a').morango.explain('book', wide, { filter: network.root })
      breaks(theirs, 'certificates', /^The peer's certificate .*scope reader/)
    },
  },
  {
    name: 'names a version that the peer does not claim',
    async run(make) {
      const { network, id } = await synced(make)
      const { morango } = network.peer('a')
      await network.peer('a').update('book', id, { title: 'second' })
      await morango.serialize()
      for (const options of [{}, { peer: wayTo(network, 'a', 'b') }]) {
        const explanation = await morango.explain('book', id, options)
        breaks(
          explanation,
          'claim',
          /does not have version \d+: it (has|had) what this device saved up to version \d+/,
        )
        same(explanation.peer?.asked, 'peer' in options, 'whether it was asked')
      }
    },
  },
  {
    name: 'names a transfer that has stopped, at both sides',
    async run(make) {
      const { network, ids } = await halfway(make)
      const rows = await network
        .peer('b')
        .database.kysely.selectFrom('morango_incoming')
        .select('id')
        .execute()
      const received = rows[0]?.id ?? ''
      const sent = await network.peer('a').morango.explain('book', ids.at(-1) ?? '')
      breaks(sent, 'transfer', /It is number 10 of 10 to be sent in a push with memory:b\/.* not finished/)
      const here = await network.peer('b').morango.explain('book', received)
      breaks(here, 'transfer', /has been received in a push by .* not finished/)
    },
  },
  {
    name: 'names the reason why a record is not applied',
    async run(make) {
      const network = await suiteNetwork(make, { peers: ['a', 'b'] })
      await add(network, 'b', 'account', { email: 'ana@x' })
      const id = await add(network, 'a', 'account', { email: 'ana@x' })
      await network.sync('a', 'b', { direction: 'push' })
      breaks(
        await network.peer('b').morango.explain('account', id),
        'application',
        /could not be applied: .+/,
      )
    },
  },
  {
    name: 'names a conflict that was lost',
    async run(make) {
      const { network, id } = await synced(make)
      await network.peer('a').update('book', id, { title: 'of a' })
      await network.peer('b').update('book', id, { title: 'of b' })
      await network.sync('a', 'b')
      const { morango } = network.peer('a')
      breaks(await morango.explain('book', id), 'conflict', /edited on two sides without a sync in between/)
      const elsewhere = await network.peer('b').morango.explain('book', id)
      breaks(elsewhere, 'conflict', /One version of it has lost a conflict/)
      const [conflict] = await morango.conflicts.list()
      await morango.conflicts.dismiss(conflict?.id ?? 0)
      const { links } = await morango.explain('book', id)
      same(links.find(({ link }) => link === 'conflict')?.state, 'ok', 'the link once it was dealt with')
    },
  },
]
