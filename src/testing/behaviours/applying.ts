import { sql } from 'kysely'
import { createMorango } from '../../morango.ts'
import { type Behaviour, holds, type MakeNetwork, same } from '../behaviour.ts'
import { add, laterSchema, laterSuite, problemCodes, recordOf, suiteNetwork } from './fixtures.ts'

/** Store to application rows (protocol §9). */
export const applying: readonly Behaviour<MakeNetwork>[] = [
  {
    name: 'leaves a clash with a unique constraint waiting, alone, and neither row lost',
    async run(make) {
      const network = await suiteNetwork(make)
      const ours = await add(network, 'a', 'account', { email: 'x@example.org' })
      const theirs = await add(network, 'b', 'account', { email: 'x@example.org' })
      const other = await add(network, 'b', 'account', { email: 'y@example.org' })
      await network.sync('a', 'b', { direction: 'pull' })
      const peer = network.peer('a')
      same(await problemCodes(peer), ['unique'], 'the reason')
      holds((await peer.row('account', ours)) !== undefined, 'our row is there')
      holds((await peer.row('account', other)) !== undefined, 'the other one arrived')
      await peer.update('account', ours, { email: 'z@example.org' })
      await network.sync('a', 'b', { direction: 'pull' })
      holds((await peer.row('account', theirs)) !== undefined, 'theirs is applied once it can be')
      same(await problemCodes(peer), [], 'problems')
    },
  },
  {
    name: 'leaves a record that is not valid waiting, alone',
    async run(make) {
      const network = await suiteNetwork(make)
      const id = await add(network, 'a', 'account', { email: 'nobody' })
      const other = await add(network, 'a', 'account', { email: 'y@example.org' })
      const report = await network.sync('a', 'b')
      same(report.problems.undeserialized, 0, 'problems of the client')
      same(await problemCodes(network.peer('b')), ['validation'], 'problems of the server')
      holds((await network.peer('b').row('account', other)) !== undefined, 'the other one arrived')
      await network.peer('a').update('account', id, { email: 'somebody' })
      await network.sync('a', 'b')
      same((await network.peer('b').row('account', id))?.['email'], 'somebody', 'the mended row')
      same(await problemCodes(network.peer('b')), [], 'problems after the mend')
    },
  },
  {
    name: 'applies a record once what it refers to has arrived, under whatever filter',
    async run(make) {
      const network = await suiteNetwork(make)
      const book = await add(network, 'a', 'book')
      const note = await add(network, 'a', 'note', { book_id: book, body: 'x' })
      await network.sync('b', 'a', { filter: `${network.root}:u1:note`, direction: 'pull' })
      same(await problemCodes(network.peer('b')), ['foreign-key-missing'], 'the reason')
      await network.sync('b', 'a', { direction: 'pull' })
      holds((await network.peer('b').row('note', note)) !== undefined, 'it is applied')
      same(await problemCodes(network.peer('b')), [], 'problems')
    },
  },
  {
    name: 'applies what waits under one filter when its parent comes under another',
    async run(make) {
      const network = await suiteNetwork(make)
      const shelf = await add(network, 'a', 'shelf', { owner: 'u2' })
      const book = await add(network, 'a', 'book', { owner: 'u1', shelf_id: shelf })
      const pull = { direction: 'pull' } as const
      await network.sync('b', 'a', { ...pull, filter: `${network.root}:u1` })
      same(await problemCodes(network.peer('b')), ['foreign-key-missing'], 'the reason')
      await network.sync('b', 'a', { ...pull, filter: `${network.root}:u2` })
      await network.sync('b', 'a', { ...pull, filter: `${network.root}:u2` })
      holds((await network.peer('b').row('book', book)) !== undefined, 'it is applied')
      same(await problemCodes(network.peer('b')), [], 'problems')
    },
  },
  {
    name: 'deletes what arrives referring to a deleted record, and that travels',
    async run(make) {
      const network = await suiteNetwork(make)
      const book = await add(network, 'a', 'book')
      await network.converge()
      await network.peer('a').delete('book', book)
      const note = await add(network, 'b', 'note', { book_id: book, body: 'late' })
      await network.peer('b').morango.serialize()
      await network.sync('a', 'b', { direction: 'pull' })
      same(await network.peer('a').row('note', note), undefined, 'the row at a')
      await network.converge()
      for (const name of network.names) {
        same((await recordOf(network.peer(name), note)).deleted, true, `deleted at ${name}`)
        same(await network.peer(name).rows('note'), [], `rows at ${name}`)
      }
    },
  },
  {
    name: 'lets cascading deletions travel',
    async run(make) {
      const network = await suiteNetwork(make)
      const shelf = await add(network, 'a', 'shelf')
      await network.converge()
      const book = await add(network, 'b', 'book', { shelf_id: shelf })
      const note = await add(network, 'b', 'note', { book_id: book, body: 'x' })
      await network.sync('b', 'c')
      await network.peer('a').delete('shelf', shelf)
      await network.sync('a', 'b')
      await network.converge()
      for (const name of network.names) {
        for (const id of [shelf, book, note]) {
          holds((await recordOf(network.peer(name), id)).deleted, `${id} is deleted at ${name}`)
        }
      }
    },
  },
  {
    name: 'lets what falls with a hard deletion fall as hard',
    async run(make) {
      const network = await suiteNetwork(make)
      const shelf = await add(network, 'a', 'shelf', { label: 'secret shelf' })
      await network.converge()
      const book = await add(network, 'b', 'book', { shelf_id: shelf, title: 'secret book' })
      await network.peer('b').morango.serialize()
      const late = await add(network, 'c', 'book', { shelf_id: shelf, title: 'secret late book' })
      await network.peer('a').deleteHard('shelf', shelf)
      await network.sync('a', 'b')
      await network.sync('c', 'a')
      await network.converge()
      for (const name of network.names) {
        same(await network.peer(name).tablesWith('secret'), [], `tables of ${name} with the content`)
        for (const id of [shelf, book, late]) {
          holds((await recordOf(network.peer(name), id)).hardDeleted, `${id} is hard-deleted at ${name}`)
        }
      }
    },
  },
  {
    name: 'writes parents before their children, and deletes children before their parents',
    async run(make) {
      const network = await suiteNetwork(make)
      let parent: string | null = null
      const topics: string[] = []
      for (let depth = 0; depth < 12; depth++) {
        parent = await add(network, 'a', 'topic', { name: `t${depth}`, parent_id: parent })
        topics.push(parent)
      }
      await network.sync('a', 'b')
      same((await network.peer('b').rows('topic')).length, 12, 'rows after the first sync')
      await network.peer('a').delete('topic', ...topics.toReversed())
      await network.sync('a', 'b')
      same(
        [await network.peer('b').rows('topic'), await problemCodes(network.peer('b'))],
        [[], []],
        'what is left',
      )
    },
  },
  {
    name: 'finds a parent that is here from outside the filter',
    async run(make) {
      const network = await suiteNetwork(make)
      const parent = await add(network, 'a', 'shelf', { owner: 'u1' })
      const child = await add(network, 'a', 'shelf', { owner: 'u2', parent_id: parent })
      await network.sync('b', 'a', { filter: `${network.root}:u1`, direction: 'pull' })
      await network.sync('b', 'a', { filter: `${network.root}:u2`, direction: 'pull' })
      same((await network.peer('b').row('shelf', child))?.['parent_id'], parent, 'the parent of the child')
    },
  },
  {
    name: 'keeps fields that it does not know, and fills in those that are missing',
    async run(make) {
      const later = { profiles: [laterSuite], schema: laterSchema } as const
      const network = await suiteNetwork(make, { peers: { a: {}, b: later, c: later } })
      const id = await add(network, 'b', 'account', { email: 'x@example.org', name: 'Ada' })
      await network.sync('b', 'a')
      await network.peer('a').update('account', id, { age: 8 })
      const old = await add(network, 'a', 'account', { email: 'y@example.org' })
      await network.sync('a', 'c')
      const row = await network.peer('c').row('account', id)
      same([row?.['age'], row?.['name']], [8, 'Ada'], 'what went through the older release')
      same((await network.peer('c').row('account', old))?.['name'], 'unnamed', 'what the older release lacks')
    },
  },
  {
    name: 'keeps records of models that it does not know, and passes them on',
    async run(make) {
      const later = { profiles: [laterSuite], schema: laterSchema } as const
      const network = await suiteNetwork(make, { peers: { a: {}, b: later, c: later } })
      const id = await add(network, 'b', 'tag', { word: 'new' })
      await network.sync('b', 'a')
      same(await problemCodes(network.peer('a')), ['unknown-model'], 'the reason')
      await network.sync('a', 'c')
      same((await network.peer('c').row('tag', id))?.['word'], 'new', 'the row behind it')

      const { database } = network.peer('a')
      await sql.raw(laterSchema.at(-1) ?? '').execute(database.kysely)
      await sql`alter table account add column name text not null default 'unnamed'`.execute(database.kysely)
      const upgraded = await createMorango({ database, profiles: [laterSuite], migrate: true })
      await upgraded.deserialize()
      const rows = await sql`select id, word from tag`.execute(database.kysely)
      same(rows.rows, [{ id, word: 'new' }], 'the rows once the model is known')
      same(await upgraded.problems(), [], 'problems then')
    },
  },
  {
    name: 'leaves in place what was moved away before what it was in was deleted, and all that is in it',
    async run(make) {
      for (const hard of [false, true]) {
        const network = await suiteNetwork(make, { peers: 2 })
        const [a, b] = [network.peer('a'), network.peer('b')]
        const top = await add(network, 'a', 'shelf', { label: 'top' })
        const middle = await add(network, 'a', 'shelf', { parent_id: top })
        const inner = await add(network, 'a', 'shelf', { parent_id: middle })
        const book = await add(network, 'a', 'book', { shelf_id: inner })
        const loose = await add(network, 'a', 'book', { shelf_id: top })
        for (const one of [book, loose]) await add(network, 'a', 'note', { book_id: one, body: 'x' })
        await network.sync('a', 'b')
        await a.update('shelf', inner, { parent_id: null })
        await a.update('book', loose, { shelf_id: inner })
        if (hard) await a.deleteHard('shelf', top)
        else await a.delete('shelf', top)
        const { pushed, problems } = await network.sync('b', 'a')
        same([pushed, problems.undeserialized], [0, 0], 'records that b sends back, and problems')
        const shelves = (await b.rows('shelf')).map(({ id, parent_id: parent }) => [id, parent])
        same(shelves, [[inner, null]], 'the shelves at b')
        same(
          (await b.rows('book')).map((row) => row['shelf_id']),
          [inner, inner],
          'where the books are at b',
        )
        same((await b.rows('note')).length, 2, 'notes at b')
        same(await network.digest('a'), await network.digest('b'), 'digests')
      }
    },
  },
  {
    name: 'writes parents first where the parents that were noted beside the records are old ones',
    async run(make) {
      const network = await suiteNetwork(make, { peers: 2 })
      const top = await add(network, 'a', 'shelf', { label: 'top' })
      for (let child = 0; child < 6; child++) await add(network, 'a', 'shelf', { parent_id: top })
      await network.peer('a').morango.serialize()
      // As the original leaves it when a record is moved.
      await sql`update morango_store set self_ref_fk = ''`.execute(network.peer('a').database.kysely)
      await network.sync('a', 'b')
      same(await problemCodes(network.peer('b')), [], 'problems')
      same((await network.peer('b').rows('shelf')).length, 7, 'shelves')
    },
  },
]
