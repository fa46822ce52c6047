import { sql } from 'kysely'
import { type Behaviour, holds, type MakeNetwork, same } from '../behaviour.ts'
import type { TestPeer } from '../peer.ts'
import { untracked } from '../../storage/tracking.ts'
import { inTransaction } from '../../storage/transaction.ts'
import { add, problemCodes, recordOf, suiteNetwork } from './fixtures.ts'

/** Writes as somebody does whom no trigger sees. */
async function unseen(peer: TestPeer, statement: ReturnType<typeof sql>): Promise<void> {
  const { kysely, dialect } = peer.database
  await inTransaction(kysely, dialect, (trx) => untracked(trx, dialect, () => statement.execute(trx)))
}

async function summary(peer: TestPeer, dryRun = true): Promise<object> {
  const { models, logged } = await peer.morango.rescan({ dryRun })
  const found = models.filter((one) => one.missing + one.different + one.extra > 0)
  return {
    found: found.map(({ model, missing, different, extra }) => ({ model, missing, different, extra })),
    logged,
  }
}

/** What bypassed the triggers is found. */
export const rescanning: readonly Behaviour<MakeNetwork>[] = [
  {
    name: 'finds rows that are missing in the Store, differ from it or are gone, says so, and has them synced',
    async run(make) {
      const network = await suiteNetwork(make)
      const peer = network.peer('a')
      const kept = await add(network, 'a', 'book', { title: 'kept' })
      const edited = await add(network, 'a', 'book', { title: 'before' })
      const gone = await add(network, 'a', 'book')
      await network.sync('a', 'b')
      const added = peer.morango.record('setting', { root: network.root, owner: 'u1', name: 'x', value: 'y' })
      await unseen(
        peer,
        sql`insert into setting (id, root, owner, name, value) values (${added.id}, ${network.root}, 'u1', 'x', 'y')`,
      )
      await unseen(peer, sql`update book set title = 'after' where id = ${edited}`)
      await unseen(peer, sql`delete from book where id = ${gone}`)
      same(
        await peer.morango.serialize(),
        { created: 0, updated: 0, deleted: 0, failed: 0 },
        'without a rescan',
      )
      const found = [
        { model: 'book', missing: 0, different: 1, extra: 1 },
        { model: 'setting', missing: 1, different: 0, extra: 0 },
      ]
      same(await summary(peer), { found, logged: 0 }, 'a dry run')
      same((await peer.morango.status()).pendingChanges, 0, 'changes after the dry run')
      const told: number[] = []
      const report = await peer.morango.rescan({
        models: ['book', 'setting'],
        onFound: (models) => told.push(models.length),
      })
      same([report.logged, told], [3, [2]], 'what was logged, and told before')
      same(report.models[0]?.samples, { missing: [], different: [edited], extra: [gone] }, 'ids')
      same(await summary(peer), { found: [], logged: 0 }, 'the same again, as all is logged')
      await network.sync('a', 'b')
      const b = network.peer('b')
      same((await b.row('book', edited))?.['title'], 'after', 'the edit at the peer')
      same((await b.row('book', kept))?.['title'], 'kept', 'what was not touched')
      same([await b.row('book', gone), (await b.rows('setting')).length], [undefined, 1], 'the others')
      same(await summary(peer), { found: [], logged: 0 }, 'after the sync')
    },
  },
  {
    name: 'finds nothing where nothing was bypassed: pending, waiting, deleted and foreign fields aside',
    async run(make) {
      const network = await suiteNetwork(make)
      const a = network.peer('a')
      const shelf = await add(network, 'a', 'shelf')
      for (let book = 0; book < 4; book++) {
        await add(network, 'a', 'book', { shelf_id: shelf, title: `Grüße "${book}" 🙂\n`, pages: book })
      }
      await add(network, 'a', 'account', { email: 'same' })
      const dead = await add(network, 'a', 'book')
      await network.sync('a', 'b')
      await a.delete('book', dead)
      await network.sync('a', 'b')
      const b = network.peer('b')
      // One that cannot be applied, one that cannot be serialized, one that is pending.
      await add(network, 'b', 'account', { email: 'clash' })
      await add(network, 'a', 'account', { email: 'clash' })
      const moved = await add(network, 'b', 'book')
      await b.morango.serialize()
      await b.update('book', moved, { owner: 'elsewhere' })
      await network.sync('a', 'b')
      await b.update('shelf', shelf, { label: 'later' })
      same(await problemCodes(b), ['id-mismatch', 'unique'], 'problems')
      // As another application writes it: a field that we do not know, and values in another form.
      const id = (await a.rows('book'))[0]?.['id']
      await sql`update morango_store set serialized = replace(${sql.ref('serialized')}, '"pages": 0', '"pages": 0, "extra": [1]')
        where id = ${id}`.execute(a.database.kysely)
      for (const peer of [a, b]) same(await summary(peer, false), { found: [], logged: 0 }, peer.name)
    },
  },
  {
    name: 'takes a field that a record lacks for what the column has by default',
    async run(make) {
      const network = await suiteNetwork(make)
      const peer = network.peer('a')
      const id = await add(network, 'a', 'account', { email: 'x', age: 7 })
      const older = await add(network, 'a', 'account', { email: 'y', age: 8 })
      await peer.morango.serialize()
      await sql`update morango_store set serialized = replace(replace(serialized, ', "age": 7', ''), ', "age": 8', '')`.execute(
        peer.database.kysely,
      )
      holds(!(await recordOf(peer, id)).serialized.includes('age'), 'the record lacks the field')
      const { models } = await peer.morango.rescan({ dryRun: true, models: ['account'] })
      same(models[0]?.samples.different, [older], 'what differs')
    },
  },
]
