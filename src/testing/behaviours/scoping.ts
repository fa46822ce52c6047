import { sql } from 'kysely'
import { model } from '../../models/model.ts'
import { defineProfile, type Profile } from '../../models/profile.ts'
import { scope } from '../../models/scope.ts'
import { type Behaviour, holds, type MakeNetwork, same } from '../behaviour.ts'
import type { TestNetwork } from '../network.ts'
import type { TestPeer } from '../peer.ts'
import { add, problemCodes, recordOf, suiteNetwork } from './fixtures.ts'

/** A server with the root's key, and two users with a partition each. */
async function users(make: MakeNetwork): Promise<TestNetwork> {
  const user = (owner: string): object => ({ scope: { scope: 'owner', params: { owner } } })
  return await suiteNetwork(make, { peers: { server: {}, one: user('u1'), two: user('u2') } })
}

/** What a hostile peer sends instead of a record's content. */
async function forge(peer: TestPeer, id: string, change: (json: string) => string): Promise<void> {
  const { serialized } = await recordOf(peer, id)
  const forged = change(serialized)
  holds(forged !== serialized, 'the content is another one')
  await sql`update morango_store set serialized = ${forged} where id = ${id}`.execute(peer.database.kysely)
}

const FORGERIES: Readonly<Record<string, (json: string) => string>> = {
  'another owner': (json) => json.replace('"owner": "u1"', '"owner": "u2"'),
  'an owner that begins alike': (json) => json.replace('"owner": "u1"', '"owner": "u11"'),
  'other letters': (json) => json.replace('"owner": "u1"', '"owner": "U1"'),
  'blanks around it': (json) => json.replace('"owner": "u1"', '"owner": "u1 "'),
  'another root': (json) => json.replace(/"root": "[^"]*"/u, '"root": "elsewhere"'),
  'a second owner': (json) => json.replace('"owner": "u1"', '"owner": "u1", "owner": "u2"'),
  'an escaped key': (json) => json.replace('"owner": "u1"', '"owner": "u1", "\\u006fwner": "u2"'),
  'a number': (json) => json.replace('"owner": "u1"', '"owner": 1'),
  'an empty text': (json) => json.replace('"owner": "u1"', '"owner": ""'),
  'a null': (json) => json.replace('"owner": "u1"', '"owner": null'),
  'no owner': (json) => json.replace('"owner": "u1", ', ''),
  'another id': (json) => json.replace(/"id": "[^"]*"/u, `"id": "${'0'.repeat(32)}"`),
  'another source id': (json) => json.replace(/"_morango_source_id": "[^"]*"/u, '"_morango_source_id": "x"'),
  'another partition': (json) => json.replace(/:u1"/u, ':u2"'),
}

const cards: Profile = defineProfile({
  name: 'cards',
  models: { card: model({ table: 'card', id: 'source-id', partition: '${root}:${owner}' }) },
  scopes: {
    all: scope({ root: 'root', readWrite: '${root}' }),
    owner: scope({ readWrite: '${root}:${owner}' }),
  },
})

const cardSchema = [
  `create table card (id text primary key not null, root text not null, owner text not null default 'u9',
    text text)`,
]

/** Users whose cards have their own id as source id, so that anybody may take an id. */
export async function cardUsers(make: MakeNetwork): Promise<TestNetwork> {
  const user = (owner: string): object => ({ scope: { scope: 'owner', params: { owner } } })
  const peers = { server: {}, squatter: user('u1'), owner: user('u2') }
  return await make({ peers, profile: cards, schema: cardSchema })
}

const ID = 'ab'.repeat(16)

/** Content is held to the partition; deletions and ids reach no further than the sender (protocol §11). */
export const scoping: readonly Behaviour<MakeNetwork>[] = [
  {
    name: 'does not write a record whose content belongs elsewhere, whatever way it says so',
    async run(make) {
      const network = await users(make)
      const [server, one] = [network.peer('server'), network.peer('one')]
      const ids = new Map<string, string>()
      for (const what of Object.keys(FORGERIES))
        ids.set(what, await add(network, 'one', 'book', { title: what }))
      const honest = await add(network, 'one', 'book', { title: 'honest' })
      await one.morango.serialize()
      for (const [what, change] of Object.entries(FORGERIES)) await forge(one, ids.get(what) ?? '', change)
      await network.sync('one', 'server', { filter: `${network.root}:u1`, direction: 'push' })
      same(
        (await server.rows('book')).map(({ id }) => id),
        [honest],
        'books at the server',
      )
      const problems = await server.morango.problems()
      same(problems.length, ids.size, 'problems at the server')
      for (const { code, message, id } of problems) {
        const known = ['content-elsewhere', 'null-not-allowed', 'constraint'].includes(code)
        holds(known, `${[...ids].find(([, other]) => other === id)?.[0]}: ${code} ${message}`)
      }
      const [first] = await server.morango.problems({ id: ids.get('another owner') ?? '' })
      const both = [`${network.root}:u1`, `${network.root}:u2`]
      holds(
        both.every((partition) => first?.message.includes(partition) === true),
        'both partitions are named',
      )
    },
  },
  {
    name: 'does not move a row by a version that says another partition, and takes the next one',
    async run(make) {
      const network = await users(make)
      const [server, one] = [network.peer('server'), network.peer('one')]
      const filter = `${network.root}:u1`
      const id = await add(network, 'one', 'book', { title: 'first' })
      await network.sync('one', 'server', { filter })
      await one.update('book', id, { title: 'second' })
      await one.morango.serialize()
      await forge(one, id, (json) => json.replace('"owner": "u1"', '"owner": "u2"'))
      await network.sync('one', 'server', { filter, direction: 'push' })
      const row = await server.row('book', id)
      same([row?.['owner'], row?.['title']], ['u1', 'first'], 'the row at the server')
      same(await problemCodes(server), ['content-elsewhere'], 'problems')
      await one.update('book', id, { title: 'third' })
      await network.sync('one', 'server', { filter, direction: 'push' })
      same((await server.row('book', id))?.['title'], 'third', 'the title then')
      same(await problemCodes(server), [], 'problems then')
    },
  },
  {
    name: 'judges a column that the content lacks by what the row then has',
    async run(make) {
      const network = await cardUsers(make)
      const [server, squatter] = [network.peer('server'), network.peer('squatter')]
      const filter = `${network.root}:u1`
      await squatter.insert('card', { id: ID, root: network.root, owner: 'u1', text: 'first' })
      await network.sync('squatter', 'server', { filter })
      await squatter.update('card', ID, { text: 'second' })
      await squatter.morango.serialize()
      await forge(squatter, ID, (json) => json.replace('"owner": "u1", ', ''))
      await network.sync('squatter', 'server', { filter, direction: 'push' })
      const row = await server.row('card', ID)
      same([row?.['owner'], row?.['text']], ['u1', 'second'], 'the row at the server')
    },
  },
  {
    name: 'judges such a column by its default, where there is no row yet',
    async run(make) {
      const network = await cardUsers(make)
      const [server, squatter] = [network.peer('server'), network.peer('squatter')]
      const filter = `${network.root}:u1`
      await squatter.insert('card', { id: ID, root: network.root, owner: 'u1', text: 'x' })
      await squatter.morango.serialize()
      await forge(squatter, ID, (json) => json.replace('"owner": "u1", ', ''))
      await network.sync('squatter', 'server', { filter, direction: 'push' })
      same(
        [await server.rows('card'), await problemCodes(server)],
        [[], ['content-elsewhere']],
        'at the server',
      )
    },
  },
  {
    name: 'does not delete by cascade what the sender may not write, until somebody may',
    async run(make) {
      for (const hard of [false, true]) {
        const network = await users(make)
        const [server, one] = [network.peer('server'), network.peer('one')]
        const filters = { one: `${network.root}:u1`, two: `${network.root}:u2` }
        const shelf = await add(network, 'server', 'shelf')
        const book = await add(network, 'server', 'book', { owner: 'u2', shelf_id: shelf })
        const note = await add(network, 'server', 'note', { owner: 'u3', book_id: book, body: 'x' })
        await network.sync('one', 'server', { filter: filters.one })
        if (hard) await one.deleteHard('shelf', shelf)
        else await one.delete('shelf', shelf)
        await network.sync('one', 'server', { filter: filters.one, direction: 'push' })
        for (const [name, id] of [
          ['shelf', shelf],
          ['book', book],
          ['note', note],
        ] as const) {
          holds((await server.row(name, id)) !== undefined, `the ${name} stays`)
        }
        same(await problemCodes(server), ['deletion-reaches-further'], 'problems')
        same((await recordOf(server, book)).deleted, false, 'the book is not stamped')
        await server.update('book', book, { shelf_id: null })
        await server.morango.deserialize()
        same(await server.row('shelf', shelf), undefined, 'the shelf, once nothing would fall')
        holds((await server.row('book', book)) !== undefined, 'the book stays then')
        same(await problemCodes(server), [], 'problems then')
      }
    },
  },
  {
    name: 'does not send a deletion on that waits because it reaches further, but its own once it is applied',
    async run(make) {
      for (const hard of [false, true]) {
        const one = { scope: { scope: 'owner', params: { owner: 'u1' } } }
        const network = await suiteNetwork(make, { peers: { third: {}, office: {}, one } })
        const [third, office] = [network.peer('third'), network.peer('office')]
        const filter = `${network.root}:u1`
        const shelf = await add(network, 'office', 'shelf')
        const book = await add(network, 'office', 'book', { owner: 'u2', shelf_id: shelf })
        await network.sync('office', 'third')
        await network.sync('one', 'office', { filter })
        if (hard) await network.peer('one').deleteHard('shelf', shelf)
        else await network.peer('one').delete('shelf', shelf)
        await network.sync('one', 'office', { filter })
        same(await problemCodes(office), ['deletion-reaches-further'], 'problems')
        for (let times = 0; times < 2; times++) {
          await network.sync('office', 'third')
          for (const peer of [office, third]) {
            holds((await peer.row('shelf', shelf)) !== undefined, `the shelf stays at ${peer.name}`)
            holds((await peer.row('book', book)) !== undefined, `the book stays at ${peer.name}`)
          }
        }
        await office.update('book', book, { shelf_id: null })
        await office.morango.deserialize()
        same(await office.row('shelf', shelf), undefined, 'the shelf, once nothing would fall')
        await network.sync('office', 'third')
        same(await third.row('shelf', shelf), undefined, 'the shelf at the third')
        holds((await third.row('book', book)) !== undefined, 'the book stays there')
        await network.sync('one', 'office', { filter })
        await network.sync('office', 'third')
        same(await third.rows('shelf'), await network.peer('one').rows('shelf'), 'shelves everywhere')
      }
    },
  },
  {
    name: 'carries a deletion out as its own when that is accepted',
    async run(make) {
      const network = await users(make)
      const server = network.peer('server')
      const shelf = await add(network, 'server', 'shelf')
      const book = await add(network, 'server', 'book', { owner: 'u2', shelf_id: shelf })
      await network.sync('one', 'server', { filter: `${network.root}:u1` })
      await network.peer('one').delete('shelf', shelf)
      await network.sync('one', 'server', { filter: `${network.root}:u1`, direction: 'push' })
      await server.morango.problems.accept('shelf', shelf)
      same([await server.rows('shelf'), await server.rows('book')], [[], []], 'rows at the server')
      await server.morango.serialize()
      holds((await recordOf(server, book)).deleted, 'the book is deleted')
      same(await problemCodes(server), [], 'problems')
    },
  },
  {
    name: 'does not delete in turn what refers to a deleted record, where its deleter may not write',
    async run(make) {
      const network = await users(make)
      const [server, two] = [network.peer('server'), network.peer('two')]
      const shelf = await add(network, 'server', 'shelf')
      const filter = `${network.root}:u1`
      await network.sync('one', 'server', { filter })
      await network.sync('two', 'server', { filter: `${network.root}:u2` })
      await network.peer('one').delete('shelf', shelf)
      await network.sync('one', 'server', { filter, direction: 'push' })
      same(await server.rows('shelf'), [], 'shelves at the server')
      const book = await add(network, 'two', 'book', { owner: 'u2' })
      await two.morango.serialize()
      await forge(two, book, (json) => json.replace('"shelf_id": null', `"shelf_id": "${shelf}"`))
      await network.sync('two', 'server', { filter: `${network.root}:u2`, direction: 'push' })
      same(await problemCodes(server), ['deletion-reaches-further'], 'problems')
      same((await recordOf(server, book)).deleted, false, 'the book is not deleted')
      await two.update('book', book, { title: 'mended' })
      await network.sync('two', 'server', { filter: `${network.root}:u2`, direction: 'push' })
      holds((await server.row('book', book)) !== undefined, 'the next version is written')
    },
  },
  {
    name: 'serializes what falls with a deletion first, whatever the filter',
    async run(make) {
      const network = await suiteNetwork(make, { peers: 2 })
      const [a, b] = [network.peer('a'), network.peer('b')]
      const shelf = await add(network, 'a', 'shelf')
      const old = await add(network, 'a', 'book', { owner: 'u2', shelf_id: shelf })
      await network.sync('a', 'b')
      const fresh = await add(network, 'b', 'book', { owner: 'u2', shelf_id: shelf, title: 'fresh' })
      await b.update('book', old, { title: 'edited' })
      await a.delete('shelf', shelf)
      await network.sync('b', 'a', { filter: `${network.root}:u1`, direction: 'pull' })
      same(await b.rows('book'), [], 'books at b')
      for (const [id, title] of [
        [old, 'edited'],
        [fresh, 'fresh'],
      ] as const) {
        holds((await recordOf(b, id)).serialized.includes(title), `"${title}" is in the Store`)
      }
      await network.converge()
      holds((await recordOf(a, fresh)).deleted, 'its deletion travels')
    },
  },
  {
    name: 'stamps no deletion where it may not write',
    async run(make) {
      const reader = { scope: { scope: 'reader', params: { owner: 'u1' } } }
      const network = await suiteNetwork(make, { peers: { server: {}, reader } })
      const device = network.peer('reader')
      const filter = `${network.root}:u1`
      const shelf = await add(network, 'server', 'shelf')
      const book = await add(network, 'server', 'book', { shelf_id: shelf })
      const pull = { filter, direction: 'pull' } as const
      await network.sync('reader', 'server', pull)
      await network.peer('server').delete('shelf', shelf)
      await network.peer('server').morango.serialize()
      // The deletion of the book has not been sent yet.
      await sql`update morango_store set deleted = 0 where id = ${book}`.execute(
        network.peer('server').database.kysely,
      )
      await network.sync('reader', 'server', pull)
      same(await problemCodes(device), ['deletion-reaches-further'], 'problems')
      holds((await device.row('book', book)) !== undefined, 'the book stays')
      const versions = (await device.records()).map(({ version }) => version.split(':')[0])
      holds(new Set(versions).size === 1, 'nothing is stamped by the device')
    },
  },
  {
    name: 'sets aside a record whose id is taken, lets the first stay, and frees the id with its deletion',
    async run(make) {
      for (const hard of [false, true]) {
        const network = await cardUsers(make)
        const server = network.peer('server')
        const filters = { squatter: `${network.root}:u1`, owner: `${network.root}:u2` }
        await network
          .peer('squatter')
          .insert('card', { id: ID, root: network.root, owner: 'u1', text: 'squat' })
        await network.sync('squatter', 'server', { filter: filters.squatter, direction: 'push' })
        const own = { root: network.root, owner: 'u2' }
        await network.peer('owner').insert('card', { id: ID, ...own, text: 'secret' })
        const other = await network.peer('owner').insert('card', { ...own, text: 'other' })
        const push = { filter: filters.owner, direction: 'push' } as const
        const report = await network.sync('owner', 'server', push)
        same(report.pushed, 2, 'records pushed')
        same(await problemCodes(server), ['id-taken'], 'problems')
        same((await server.row('card', ID))?.['text'], 'squat', 'the first stays')
        holds((await server.row('card', other.id)) !== undefined, 'the other one has arrived')
        await network.peer('owner').update('card', ID, { text: 'secret again' })
        await network.sync('owner', 'server', push)
        same(await problemCodes(server), ['id-taken'], 'problems after another version')
        if (hard) await server.deleteHard('card', ID)
        else await server.delete('card', ID)
        await server.morango.deserialize()
        const row = await server.row('card', ID)
        same([row?.['owner'], row?.['text']], ['u2', 'secret again'], 'what has the id then')
        same(await problemCodes(server), [], 'problems then')
        await network.peer('owner').deleteHard('card', ID)
        await network.sync('owner', 'server', { filter: filters.owner })
        same(await server.tablesWith('secret'), [], 'tables with its content after a hard deletion')
      }
    },
  },
  {
    name: 'puts a record that was set aside in the place of the other when that is accepted, and back',
    async run(make) {
      const network = await cardUsers(make)
      const server = network.peer('server')
      const filters = { squatter: `${network.root}:u1`, owner: `${network.root}:u2` }
      await network
        .peer('squatter')
        .insert('card', { id: ID, root: network.root, owner: 'u1', text: 'squat' })
      await network.sync('squatter', 'server', { filter: filters.squatter, direction: 'push' })
      await network.peer('owner').insert('card', { id: ID, root: network.root, owner: 'u2', text: 'own' })
      await network.sync('owner', 'server', { filter: filters.owner, direction: 'push' })
      await server.morango.problems.accept('card', ID)
      same((await server.row('card', ID))?.['text'], 'own', 'what has the id')
      same((await recordOf(server, ID)).partition, filters.owner, 'its partition')
      const report = await network.sync('owner', 'server', { filter: filters.owner })
      same([report.pulled, await problemCodes(network.peer('owner'))], [1, []], 'it travels')
      await server.morango.problems.accept('card', ID)
      same((await server.row('card', ID))?.['text'], 'squat', 'what has the id after all')
    },
  },
  {
    name: 'takes a decision to peers that have the other record, from a sender who may write both',
    async run(make) {
      for (const way of ['accept', 'delete'] as const) {
        const user = (owner: string): object => ({ scope: { scope: 'owner', params: { owner } } })
        const peers = { server: {}, copy: {}, squatter: user('u1'), owner: user('u2') }
        const network = await make({ peers, profile: cards, schema: cardSchema })
        const [server, copy] = [network.peer('server'), network.peer('copy')]
        const card = { id: ID, root: network.root }
        await network.peer('squatter').insert('card', { ...card, owner: 'u1', text: 'squat' })
        await network.sync('squatter', 'server', { filter: `${network.root}:u1`, direction: 'push' })
        await network.sync('copy', 'server')
        await network.peer('owner').insert('card', { ...card, owner: 'u2', text: 'own' })
        await network.sync('owner', 'server', { filter: `${network.root}:u2`, direction: 'push' })
        if (way === 'accept') await server.morango.problems.accept('card', ID)
        else await server.delete('card', ID)
        await server.morango.deserialize()
        await network.sync('copy', 'server')
        same((await copy.row('card', ID))?.['text'], 'own', `what has the id at the copy, by ${way}`)
        await network
          .sync('squatter', 'server', { filter: `${network.root}:u2`, direction: 'pull' })
          .catch(() => {})
        same((await network.peer('squatter').row('card', ID))?.['text'], 'squat', 'what the squatter has')
      }
    },
  },
  {
    name: 'lets no record take the place of a row that is not serialized yet',
    async run(make) {
      const network = await cardUsers(make)
      const server = network.peer('server')
      await server.insert('card', { id: ID, root: network.root, owner: 'u2', text: 'first' })
      await network
        .peer('squatter')
        .insert('card', { id: ID, root: network.root, owner: 'u1', text: 'squat' })
      await network.sync('squatter', 'server', { filter: `${network.root}:u1`, direction: 'push' })
      same((await server.row('card', ID))?.['text'], 'first', 'the row')
      same((await recordOf(server, ID)).partition, `${network.root}:u2`, 'the record')
      same(await problemCodes(server), ['id-taken'], 'problems')
      await network.peer('squatter').delete('card', ID)
      await network.sync('squatter', 'server', { filter: `${network.root}:u1`, direction: 'push' })
      same((await server.row('card', ID))?.['text'], 'first', 'the row after a deletion')
      same(await problemCodes(server), [], 'problems after a deletion')
    },
  },
  {
    name: 'brings back no content that was deleted hard, by versions that do not know of that',
    async run(make) {
      const network = await suiteNetwork(make, { peers: 3 })
      const id = await add(network, 'a', 'book', { title: 'secret' })
      await network.converge()
      await network.peer('a').deleteHard('book', id)
      await network.sync('a', 'b')
      await network.peer('c').update('book', id, { title: 'secret edit' })
      await network.sync('c', 'b')
      await network.converge()
      for (const name of network.names) {
        holds((await recordOf(network.peer(name), id)).hardDeleted, `it is deleted hard at ${name}`)
        same(await network.peer(name).tablesWith('secret'), [], `tables of ${name} with the content`)
      }
    },
  },
  {
    name: 'tries what cannot be applied again after growing pauses, and at once when what it waits for comes',
    async run(make) {
      const network = await suiteNetwork(make, { peers: 2 })
      const b = network.peer('b')
      const bad = await add(network, 'a', 'account', { email: 'nobody' })
      const book = await add(network, 'a', 'book', { owner: 'u2' })
      await add(network, 'a', 'note', { book_id: book, body: 'x' })
      const pull = { filter: `${network.root}:u1`, direction: 'pull' } as const
      const tries = async (): Promise<number[]> =>
        (await b.morango.problems()).toSorted((x, y) => (x.code < y.code ? -1 : 1)).map((one) => one.tries)
      await network.sync('b', 'a', pull)
      same(await problemCodes(b), ['foreign-key-missing', 'validation'], 'problems')
      await network.sync('b', 'a', pull)
      same(await tries(), [1, 1], 'tries after a second sync')
      network.advance(61_000)
      await network.sync('b', 'a', pull)
      await network.sync('b', 'a', pull)
      same(await tries(), [2, 2], 'tries after a minute')
      await network.sync('b', 'a', { ...pull, filter: `${network.root}:u2` })
      await network.sync('b', 'a', pull)
      same(await problemCodes(b), ['validation'], 'problems once the parent is there')
      await b.morango.deserialize()
      same(await tries(), [3], 'tries after a retry that was asked for')
      await network.peer('a').update('account', bad, { email: 'somebody' })
      await network.sync('b', 'a', pull)
      same(await problemCodes(b), [], 'problems after the mend')
    },
  },
  {
    name: 'neither serializes nor sends a record that is too large, and says so; all else is sent',
    async run(make) {
      const network = await suiteNetwork(make, { peers: 2, maxRecordBytes: 2000 })
      const [a, b] = [network.peer('a'), network.peer('b')]
      const large = await add(network, 'a', 'book', { title: 'ä'.repeat(1000) })
      const old = await add(network, 'a', 'book', { title: 'old' })
      const small = await add(network, 'a', 'book', { title: 'small' })
      await a.morango.serialize()
      // As it was stored before there was a limit.
      await forge(a, old, (json) => json.replace('"old"', `"${'x'.repeat(2000)}"`))
      const books = async (): Promise<unknown> => (await b.rows('book')).map(({ id }) => id)
      await network.sync('a', 'b')
      same(await books(), [small], 'books at b')
      same(await problemCodes(a), ['record-too-large', 'record-too-large'], 'problems at a')
      await a.update('book', large, { title: 'short' })
      await a.update('book', old, { title: 'shorter' })
      await network.sync('a', 'b')
      same(await books(), [large, old, small].toSorted(), 'books at b then')
      same(await problemCodes(a), [], 'problems at a then')
    },
  },
  {
    name: 'keeps so much of lost versions with a record, and the rest in the conflict log',
    async run(make) {
      const network = await suiteNetwork(make, { peers: 2 })
      const [a, b] = [network.peer('a'), network.peer('b')]
      const id = await add(network, 'a', 'book', { title: 'first' })
      await network.sync('a', 'b')
      for (let round = 0; round < 20; round++) {
        await a.update('book', id, { title: `a ${round}` })
        await b.update('book', id, { title: `b ${round} lost` })
        await network.sync('a', 'b')
      }
      for (const peer of [a, b]) {
        const { conflicting } = await recordOf(peer, id)
        same(conflicting.split('\n').length - 1, 16, `versions kept at ${peer.name}`)
      }
      const lost = (await Promise.all([a, b].map((peer) => peer.morango.conflicts.list()))).flat()
      holds(lost.length >= 20, 'each version is in a conflict')
    },
  },
  {
    name: 'looks through none of those that wait in a pause, when nothing has changed',
    async run(make) {
      const network = await suiteNetwork(make, { peers: 2 })
      const b = network.peer('b')
      const book = await add(network, 'a', 'book', { owner: 'u2' })
      for (let index = 0; index < 5; index++) await add(network, 'a', 'note', { book_id: book, body: 'x' })
      const pull = { filter: `${network.root}:u1`, direction: 'pull' } as const
      await network.sync('b', 'a', pull)
      const dirty = async (): Promise<unknown> =>
        (await sql`select next_try_at, tries from morango_dirty order by store_no`.execute(b.database.kysely))
          .rows
      const before = await dirty()
      for (let sync = 0; sync < 3; sync++) await network.sync('b', 'a', pull)
      same(await dirty(), before, 'what waits')
      same((await network.sync('b', 'a', pull)).problems.undeserialized, 5, 'what the report counts')
    },
  },
]
