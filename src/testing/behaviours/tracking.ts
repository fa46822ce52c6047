import { sql } from 'kysely'
import { isMorangoError } from '../../core/errors.ts'
import { model } from '../../models/model.ts'
import type { Profile } from '../../models/profile.ts'
import { createMorango } from '../../morango.ts'
import { checkTracking } from '../../storage/check-tracking.ts'
import { beginMigration, migrateAround } from '../../storage/guarded-migration.ts'
import { migrate } from '../../storage/prepare.ts'
import { type Behaviour, failure, holds, type MakeNetwork, same } from '../behaviour.ts'
import type { TestPeer } from '../peer.ts'
import { add, suite, suiteNetwork } from './fixtures.ts'

async function dropTriggers(peer: TestPeer, table: string): Promise<void> {
  const { kysely, dialect } = peer.database
  for (const name of (await dialect.installedTriggers(kysely)).keys()) {
    if (name.includes(`_${table}_`)) await sql.raw(dialect.dropTrigger(name)).execute(kysely)
  }
}

async function refusal(work: Promise<unknown>, what: string): Promise<string> {
  const error = await failure(work, what)
  holds(isMorangoError(error, 'not-migrated'), `${what}: ${error.message}`)
  holds(error.hint?.includes('morango migrate') === true, `${what} says what to run: ${error.hint}`)
  return error.message
}

/** Every write is seen, or it is said that it is not. */
export const tracking: readonly Behaviour<MakeNetwork>[] = [
  {
    name: 'sees rows that fall by cascade, to any depth, and references that are set null',
    async run(make) {
      const network = await suiteNetwork(make, { peers: 2 })
      const peer = network.peer('a')
      const top = await add(network, 'a', 'shelf')
      const inner = await add(network, 'a', 'shelf', { parent_id: top })
      const innermost = await add(network, 'a', 'shelf', { parent_id: inner })
      const book = await add(network, 'a', 'book', { shelf_id: innermost })
      await add(network, 'a', 'note', { book_id: book, body: 'x' })
      await network.sync('a', 'b')
      await peer.delete('shelf', top)
      same((await peer.morango.serialize()).deleted, 5, 'deleted')
      await network.sync('a', 'b')
      for (const table of ['shelf', 'book', 'note']) {
        same(await network.peer('b').rows(table), [], `${table} of the peer`)
      }
    },
  },
  {
    name: 'a running process whose triggers vanish stops with a message, and goes on once they are back',
    async run(make) {
      const network = await suiteNetwork(make)
      const peer = network.peer('a')
      await dropTriggers(peer, 'book')
      const lost = await add(network, 'a', 'book', { title: 'unseen' })
      const message = await refusal(peer.morango.serialize(), 'serializing')
      holds(message.includes('"book"') && message.includes('while this process ran'), message)
      await refusal(network.sync('a', 'b'), 'a sync')
      const error = await failure(network.sync('b', 'a', { direction: 'pull' }), 'a peer that calls')
      holds(isMorangoError(error, 'transfer-errored'), error.message)
      const findings = await checkTracking(peer.database, [suite])
      same(
        findings.map(({ code, model: name, table }) => [code, name, table]),
        [['triggers-missing', 'book', 'book']],
        'findings',
      )
      same((await migrate(peer.database, [suite])).logged, 1, 'what migrating finds')
      same(await checkTracking(peer.database, [suite]), [], 'findings after it')
      await network.sync('a', 'b')
      same((await network.peer('b').row('book', lost))?.['title'], 'unseen', 'the row at the peer')
    },
  },
  {
    name: 'triggers that somebody has switched off are found at the start, with what they did not see',
    async run(make) {
      const network = await suiteNetwork(make, { peers: 1 })
      const { database, morango } = network.peer('a')
      await add(network, 'a', 'book')
      await morango.serialize()
      await database.kysely.updateTable('morango_control').set({ tracking: 0 }).execute()
      await refusal(createMorango({ database, profiles: [suite] }), 'the start')
      await database.dialect.setTracking(false).execute(database.kysely)
      await sql`update book set title = 'unseen'`.execute(database.kysely)
      await migrate(database, [suite])
      same((await morango.serialize()).updated, 1, 'what is serialized')
      await sql`update book set title = 'seen'`.execute(database.kysely)
      same((await morango.serialize()).updated, 1, 'what is serialized later')
    },
  },
  {
    name: 'finds what was edited and deleted while triggers were missing',
    async run(make) {
      const network = await suiteNetwork(make)
      const peer = network.peer('a')
      const [edited, gone, kept] = [
        await add(network, 'a', 'book'),
        await add(network, 'a', 'book'),
        await add(network, 'a', 'book'),
      ]
      await network.sync('a', 'b')
      await dropTriggers(peer, 'book')
      await peer.update('book', edited, { title: 'edited' })
      await peer.delete('book', gone)
      await add(network, 'a', 'book', { title: 'added' })
      await refusal(createMorango({ database: peer.database, profiles: [suite] }), 'the start')
      const report = await migrate(peer.database, [suite])
      same([report.logged, report.held, report.found.length], [3, ['book'], 1], 'the report')
      const error = await failure(network.sync('a', 'b'), 'a sync before it is decided')
      holds(isMorangoError(error, 'too-many-deletions'), error.message)
      await network.sync('a', 'b', { confirmDeletions: true })
      const titles = (await network.peer('b').rows('book')).map(({ title }) => String(title))
      same(titles.toSorted(), ['added', 'edited', 'untitled'], 'what the peer has')
      holds((await network.peer('b').row('book', kept)) !== undefined, 'what was not touched')
      await peer.delete('book', kept)
      await network.sync('a', 'b')
      same((await network.peer('b').rows('book')).length, 2, 'a later deletion needs no confirmation')
    },
  },
  {
    name: 'a column added without migrate() is noticed, while running and at the start, and nothing is left out',
    async run(make) {
      const network = await suiteNetwork(make)
      const peer = network.peer('a')
      const id = await add(network, 'a', 'book', { title: 'x' })
      const plain = await add(network, 'a', 'book', { title: 'plain' })
      await network.sync('a', 'b')
      for (const name of network.names) {
        await sql`alter table book add column isbn text default 'none'`.execute(
          network.peer(name).database.kysely,
        )
      }
      await peer.update('book', id, { isbn: '978' })
      for (const work of [
        peer.morango.serialize(),
        createMorango({ database: peer.database, profiles: [suite] }),
      ]) {
        const message = await refusal(work, 'without migrate()')
        holds(message.includes('"book"') && message.includes('"isbn"'), message)
      }
      for (const name of network.names) await migrate(network.peer(name).database, [suite])
      same((await peer.morango.status()).pendingChanges, 1, 'changes: the edit, and not every row')
      const report = await network.sync('a', 'b')
      same([report.pushed, report.conflicts], [1, 0], 'the edit, and not every record')
      same((await network.peer('b').row('book', id))?.['isbn'], '978', 'the column at the peer')
      same((await network.peer('b').row('book', plain))?.['isbn'], 'none', 'its default')
    },
  },
  {
    name: 'a table renamed keeps its history, once it is declared by its new name',
    async run(make) {
      const network = await suiteNetwork(make)
      const peer = network.peer('a')
      const id = await add(network, 'a', 'setting', { name: 'x', value: 'before' })
      await network.sync('a', 'b')
      await sql`alter table setting rename to preference`.execute(peer.database.kysely)
      await sql`update preference set value = 'after'`.execute(peer.database.kysely)
      const error = await failure(peer.morango.serialize(), 'the old declaration')
      holds(error.message.includes('no table "setting"'), error.message)
      const setting = model({ table: 'preference', sourceId: '${name}', partition: '${root}:${owner}' })
      const renamed: Profile = { ...suite, models: { ...suite.models, setting } }
      await migrate(peer.database, [renamed])
      const morango = await createMorango({ database: peer.database, profiles: [renamed] })
      same(await morango.serialize(), { created: 0, updated: 1, deleted: 0, failed: 0 }, 'what is serialized')
      same(
        (await peer.records()).map((record) => record.id),
        [id],
        'records',
      )
    },
  },
  {
    name: 'a table that took the place of another is not mistaken for it',
    async run(make) {
      const network = await suiteNetwork(make, { peers: 1 })
      const peer = network.peer('a')
      const { kysely } = peer.database
      await add(network, 'a', 'setting', { name: 'x' })
      await peer.morango.serialize()
      await sql`alter table setting rename to setting_old`.execute(kysely)
      await sql`create table setting (id text primary key not null, root text not null, owner text not null,
        name text not null, value text)`.execute(kysely)
      await sql`insert into setting select * from setting_old`.execute(kysely)
      await refusal(peer.morango.serialize(), 'the triggers are on the old table')
      await migrate(peer.database, [suite])
      await sql`update setting_old set value = 'old'`.execute(kysely)
      await sql`delete from setting_old`.execute(kysely)
      same((await peer.morango.status()).pendingChanges, 0, 'changes of the old table')
      await sql`update setting set value = 'new'`.execute(kysely)
      same((await peer.morango.serialize()).updated, 1, 'changes of the new one')
    },
  },
  {
    name: 'what a tool does to rows under migrateAround() is not the application’s doing',
    async run(make) {
      const network = await suiteNetwork(make)
      const peer = network.peer('a')
      const book = await add(network, 'a', 'book', { title: 'one' })
      const other = await add(network, 'a', 'book', { title: 'two' })
      await add(network, 'a', 'note', { book_id: book, body: 'on one' })
      await add(network, 'a', 'note', { book_id: other, body: 'on two' })
      await network.sync('a', 'b')
      await peer.update('book', other, { title: 'two, edited before' })
      const { kysely } = peer.database
      const work = async (): Promise<void> => {
        await refusal(peer.morango.serialize(), 'serializing meanwhile')
        await sql`delete from book where id = ${book}`.execute(kysely)
        await sql`update book set pages = 100`.execute(kysely)
        await sql`alter table book add column isbn text`.execute(kysely)
      }
      const report = await migrateAround(peer.database, [suite], work)
      same([report.restored, report.broughtBack, report.logged], [2, 2, 1], 'the report')
      same((await peer.rows('book')).length, 2, 'books')
      same((await peer.rows('note')).length, 2, 'notes')
      await network.sync('a', 'b')
      const b = network.peer('b')
      same([(await b.rows('book')).length, (await b.rows('note')).length], [2, 2], 'rows of the peer')
      const edited = await b.row('book', other)
      same([edited?.['title'], Number(edited?.['pages'])], ['two, edited before', 100], 'the edits')
      same(
        (await b.records()).filter(({ deleted }) => deleted),
        [],
        'deletions at the peer',
      )
    },
  },
  {
    name: 'a tool that fails leaves the triggers in place, and one that was killed is seen to later',
    async run(make) {
      const network = await suiteNetwork(make)
      const peer = network.peer('a')
      await add(network, 'a', 'book')
      await network.sync('a', 'b')
      const broken = migrateAround(peer.database, [suite], () =>
        Promise.reject(new Error('no such migration')),
      )
      same((await failure(broken, 'the tool')).message, 'no such migration', 'its error')
      same(await checkTracking(peer.database, [suite]), [], 'findings')
      await beginMigration(peer.database, [suite])
      await sql`delete from book`.execute(peer.database.kysely)
      // Here it is killed.
      const { database } = peer
      holds(
        (await refusal(createMorango({ database, profiles: [suite] }), 'a start')).includes('at work'),
        'why',
      )
      const morango = await createMorango({ database, profiles: [suite], migrate: true })
      same(await morango.serialize(), { created: 0, updated: 0, deleted: 0, failed: 0 }, 'what is serialized')
      same((await peer.rows('book')).length, 1, 'books')
    },
  },
  {
    name: 'rows that a tool was meant to delete are deleted everywhere when that is said',
    async run(make) {
      const network = await suiteNetwork(make)
      const peer = network.peer('a')
      await add(network, 'a', 'book')
      await add(network, 'a', 'setting', { name: 'x' })
      await network.sync('a', 'b')
      const work = async (): Promise<void> => void (await sql`delete from book`.execute(peer.database.kysely))
      const report = await migrateAround(peer.database, [suite], work, { keepDeletions: true })
      same([report.restored, report.logged], [0, 1], 'the report')
      await network.sync('a', 'b')
      same(await network.peer('b').rows('book'), [], 'rows of the peer')
    },
  },
]
