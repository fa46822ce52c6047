import { sql } from 'kysely'
import { model } from '../../models/model.ts'
import { defineProfile } from '../../models/profile.ts'
import { scope } from '../../models/scope.ts'
import { migrate } from '../../storage/prepare.ts'
import { type Behaviour, holds, type MakeNetwork, same } from '../behaviour.ts'
import type { TestNetwork } from '../network.ts'
import type { TestPeer } from '../peer.ts'
import { add, laterSchema, laterSuite, problemCodes, recordOf, suite, suiteNetwork } from './fixtures.ts'

/** Two peers of which one has the next release, with an account whose name the other does not know. */
async function oneAhead(make: MakeNetwork): Promise<{ network: TestNetwork; late: TestPeer; id: string }> {
  const later = { profiles: [laterSuite], schema: laterSchema } as const
  const network = await suiteNetwork(make, { peers: { late: {}, early: later } })
  const id = await add(network, 'early', 'account', { email: 'ada@example.org', name: 'Ada' })
  await network.sync('late', 'early')
  return { network, late: network.peer('late'), id }
}

/** What really went wrong in systems like this one. */
export const field: readonly Behaviour<MakeNetwork>[] = [
  {
    name: 'a user’s data that went from its own device to one with everything is not missing on a third',
    async run(make) {
      const scope = { scope: 'owner', params: { owner: 'u1' } }
      const network = await suiteNetwork(make, { peers: { tablet: { scope }, school: {}, cloud: {} } })
      await add(network, 'school', 'book', { owner: 'u2' })
      await network.sync('school', 'cloud')
      const ids = [await add(network, 'tablet', 'book')]
      await network.sync('tablet', 'school')
      await network.sync('school', 'cloud')
      ids.push(await add(network, 'tablet', 'book'))
      await network.sync('tablet', 'school')
      await network.sync('cloud', 'school', { direction: 'pull' })
      for (const id of ids)
        holds((await network.peer('cloud').row('book', id)) !== undefined, `${id} is in the cloud`)
    },
  },
  {
    name: 'repeated syncs become empty',
    async run(make) {
      const network = await suiteNetwork(make)
      for (const name of network.names) {
        await add(network, name, 'setting', { name: 'shared', value: name })
        await add(network, name, 'book')
      }
      const rounds = await network.converge()
      holds(rounds <= 5, `the network is at rest after ${rounds} rounds`)
    },
  },
  {
    name: 'a clash of unique keys leaves both rows, each where it was made, and says so',
    async run(make) {
      const network = await suiteNetwork(make, { peers: ['a', 'b'] })
      await add(network, 'a', 'account', { email: 'x@example.org' })
      await add(network, 'b', 'account', { email: 'x@example.org' })
      const report = await network.sync('a', 'b')
      same(report.problems.undeserialized, 1, 'what the report says')
      for (const name of ['a', 'b']) {
        same((await network.peer(name).rows('account')).length, 1, `rows at ${name}`)
        same(await problemCodes(network.peer(name)), ['unique'], `problems at ${name}`)
        same((await network.peer(name).records()).length, 2, `records at ${name}`)
      }
    },
  },
  {
    name: 'a record deleted and created again comes back, and not as a conflict',
    async run(make) {
      const network = await suiteNetwork(make)
      const id = await add(network, 'a', 'setting', { name: 'x', value: '1' })
      await network.converge()
      await network.peer('a').delete('setting', id)
      await network.converge()
      await add(network, 'a', 'setting', { name: 'x', value: '2' })
      const report = await network.sync('a', 'b')
      same(report.conflicts, 0, 'conflicts of the client')
      await network.converge()
      for (const name of network.names) {
        same((await network.peer(name).row('setting', id))?.['value'], '2', `the row at ${name}`)
        same((await recordOf(network.peer(name), id)).conflicting, '', `conflicting data at ${name}`)
      }
    },
  },
  {
    name: 'a sync that is cut again and again gets to its end',
    async run(make) {
      const network = await suiteNetwork(make, { peers: ['a', 'b'], chunkSize: 2 })
      for (let book = 0; book < 12; book++) await add(network, 'a', 'book')
      let tries = 0
      for (let done = false; !done && tries < 60; tries++) {
        const faults = [
          { kind: 'kill', side: tries % 2 === 0 ? 'client' : 'server', statements: 25 },
        ] as const
        done = await network.sync('a', 'b', { direction: 'push', faults }).then(
          () => true,
          () => false,
        )
      }
      holds(tries < 60, 'it ends')
      same((await network.peer('b').rows('book')).length, 12, 'rows')
    },
  },
  {
    name: 'Buffers do not outlive their transfers, however those end',
    async run(make) {
      const network = await suiteNetwork(make, { peers: ['a', 'b'], chunkSize: 2 })
      for (let turn = 0; turn < 6; turn++) {
        for (let book = 0; book < 5; book++) await add(network, 'a', 'book')
        const stage = (['queuing', 'transferring', 'dequeuing'] as const)[turn % 3] ?? 'queuing'
        const side = turn % 2 === 0 ? 'client' : 'server'
        const faults = [{ kind: 'kill', side, stage, statements: 3 }] as const
        await network.sync('a', 'b', { faults }).catch(() => undefined)
        await network.sync('a', 'b')
        for (const name of network.names) {
          for (const table of ['morango_outgoing', 'morango_incoming'] as const) {
            const rows = await network.peer(name).database.kysely.selectFrom(table).selectAll().execute()
            same(rows.length, 0, `${table} at ${name} after turn ${turn}`)
          }
        }
      }
    },
  },
  {
    name: 'nothing brings back a deletion but a creation',
    async run(make) {
      const network = await suiteNetwork(make)
      const id = await add(network, 'a', 'book', { title: 'first' })
      await network.converge()
      await network.peer('a').delete('book', id)
      await network.peer('c').update('book', id, { title: 'late' })
      await network.sync('c', 'b')
      await network.converge()
      for (const name of network.names)
        holds((await recordOf(network.peer(name), id)).deleted, `deleted at ${name}`)
    },
  },
  {
    name: 'a device that gets a new column late has what the others wrote into it, whatever it did meanwhile',
    async run(make) {
      const later = { profiles: [laterSuite], schema: laterSchema } as const
      const network = await suiteNetwork(make, { peers: { late: {}, early: later } })
      const late = network.peer('late')
      const ada = await add(network, 'early', 'account', { email: 'ada@example.org', name: 'Ada' })
      const bob = await add(network, 'early', 'account', { email: 'bob@example.org', name: 'Bob' })
      const cyd = await add(network, 'early', 'account', { email: 'cyd@example.org', name: 'Cyd' })
      await network.sync('late', 'early')
      await late.update('account', ada, { age: 36 })
      await network.sync('late', 'early')
      // One edit is not serialized yet, one row is gone.
      await late.update('account', bob, { age: 50 })
      await late.delete('account', cyd)
      const old = await add(network, 'late', 'account', { email: 'old@example.org' })

      await sql`alter table account add column name text not null default 'unnamed'`.execute(
        late.database.kysely,
      )
      await sql`update account set name = 'Old' where id = ${old}`.execute(late.database.kysely)
      const { filled } = await migrate(late.database, [suite])
      same(filled, 2, 'rows that were filled in')
      await network.sync('late', 'early')
      const people = [
        ['ada@example.org', 36, 'Ada'],
        ['bob@example.org', 50, 'Bob'],
        ['old@example.org', 7, 'Old'],
      ]
      for (const name of network.names) {
        const rows = await network.peer(name).rows('account')
        const found = rows.map((row) => [row['email'], Number(row['age']), row['name']])
        same(
          found.toSorted((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1)),
          people,
          `accounts at ${name}`,
        )
      }
      same((await network.sync('late', 'early')).pushed, 0, 'what is left to send')
    },
  },
  {
    name: 'a new column is filled whether its rows have the declared default or the database’s',
    async run(make) {
      const profile = defineProfile({
        name: 'shop',
        models: {
          item: model({
            table: 'item',
            partition: '${root}:${owner}',
            columns: { used: { kind: 'integer', default: 5 } },
          }),
        },
        scopes: { all: scope({ root: 'root', readWrite: '${root}' }) },
      })
      const table = 'create table item (id text primary key not null, root text not null, owner text not null'
      // What the declaration says of a column that is not there yet.
      const before = defineProfile({
        ...profile,
        name: 'shop',
        models: { item: model({ table: 'item', partition: '${root}:${owner}' }) },
        scopes: { all: scope({ root: 'root', readWrite: '${root}' }) },
      })
      const network = await make({
        peers: {
          late: { profiles: [before], schema: `${table})` },
          early: { profiles: [profile], schema: `${table}, used integer)` },
        },
        profile,
      })
      const id = await add(network, 'early', 'item', { used: 42 })
      await network.sync('late', 'early')
      const { database } = network.peer('late')
      await sql`alter table item add column used integer`.execute(database.kysely)
      same((await migrate(database, [profile])).filled, 1, 'rows that were filled in')
      for (const name of network.names) {
        same(Number((await network.peer(name).row('item', id))?.['used']), 42, `what was used at ${name}`)
      }
    },
  },
  {
    name: 'a table that was rebuilt with a column whose default is an expression has what the others wrote into it',
    async run(make) {
      const { network, late, id } = await oneAhead(make)
      for (const statement of [
        `create table account_new (id text primary key not null, root text not null, owner text not null,
          email text not null unique, age integer not null default 7, name text not null default (lower('NEW')))`,
        'insert into account_new (id, root, owner, email, age) select id, root, owner, email, age from account',
        'drop table account',
        'alter table account_new rename to account',
      ]) {
        await sql.raw(statement).execute(late.database.kysely)
      }
      await migrate(late.database, [suite])
      await network.sync('late', 'early')
      for (const name of network.names) {
        same((await network.peer(name).row('account', id))?.['name'], 'Ada', `the row at ${name}`)
      }
    },
  },
  {
    name: 'what others wrote into a column that is new here, and that it does not take, is a problem and not lost',
    async run(make) {
      const { network, late, id } = await oneAhead(make)
      await sql`alter table account add column name integer`.execute(late.database.kysely)
      await migrate(late.database, [suite])
      await network.sync('late', 'early')
      same(await problemCodes(late), ['invalid-integer'], 'problems')
      same((await network.peer('early').row('account', id))?.['name'], 'Ada', 'the row at the peer')
    },
  },
  {
    name: 'a record whose JSON cannot be read does not keep a new column from being filled',
    async run(make) {
      const { network, late, id } = await oneAhead(make)
      const other = await add(network, 'early', 'account', { email: 'bob@example.org', name: 'Bob' })
      await network.sync('late', 'early')
      const { kysely } = late.database
      await sql`update morango_store set serialized = '{"id": oops' where id = ${other}`.execute(kysely)
      await sql`alter table account add column name text not null default 'unnamed'`.execute(kysely)
      same((await migrate(late.database, [suite])).filled, 1, 'rows that were filled in')
      same((await late.row('account', id))?.['name'], 'Ada', 'the other row')
    },
  },
]
