import { rawValues } from '../../core/python-json.ts'
import { model } from '../../models/model.ts'
import { defineProfile } from '../../models/profile.ts'
import { scope } from '../../models/scope.ts'
import { type Behaviour, type MakeNetwork, same } from '../behaviour.ts'
import type { TestNetwork } from '../network.ts'
import { add, recordOf } from './fixtures.ts'

interface Item {
  readonly id: string
  readonly root: string
  readonly owner: string
  readonly name: string
  readonly note: string | null
  readonly edited_at: string
  readonly stock: number
  readonly price: string
  readonly first_seen: number | null
  readonly most: number | null
  readonly tags: string
}

const stockroom = defineProfile({
  name: 'stockroom',
  models: {
    item: model<Item>()({
      table: 'item',
      partition: '${root}:${owner}',
      columns: { edited_at: 'date-time' },
      merge: {
        '*': { latestBy: 'edited_at' },
        stock: 'sum',
        price: 'sum',
        first_seen: 'min',
        most: 'max',
        tags: 'union',
      },
    }),
  },
  scopes: { all: scope({ root: 'root', readWrite: '${root}' }) },
})

const SCHEMA = `create table item (id text primary key not null, root text not null, owner text not null,
  name text not null, note text, edited_at text not null, stock integer not null, price numeric(12, 2) not null,
  first_seen integer, most integer, tags json not null)`

const FIRST = {
  name: 'nails',
  edited_at: '2026-05-01T08:00:00Z',
  stock: 10,
  price: '5.00',
  first_seen: 5,
  most: 5,
  tags: '["b"]',
}
const OF_A = {
  name: 'of a',
  note: 'of a',
  edited_at: '2026-05-02T08:00:00.500Z',
  stock: 13,
  price: '5.10',
  first_seen: 3,
  most: 4,
  tags: '["b", "c"]',
}
const OF_B = {
  name: 'of b',
  note: 'of b',
  edited_at: '2026-05-02T08:00:00Z',
  stock: 5,
  price: '4.75',
  first_seen: 7,
  most: 9,
  tags: '["a", "b"]',
}
const MERGED = {
  name: 'of a',
  note: 'of a',
  edited_at: '"2026-05-02T08:00:00.500Z"',
  stock: '8',
  price: '"4.85"',
  first_seen: '3',
  most: '9',
  tags: '["a", "b", "c"]',
}

/** An item that a, b and c have, edited by a and by b. */
async function edited(make: MakeNetwork): Promise<{ network: TestNetwork; id: string }> {
  const network = await make({ peers: 3, profile: stockroom, schema: SCHEMA })
  const id = await add(network, 'a', 'item', FIRST)
  await network.sync('a', 'b')
  await network.sync('a', 'c')
  await network.peer('a').update('item', id, OF_A)
  await network.peer('b').update('item', id, OF_B)
  return { network, id }
}

async function fieldsOf(network: TestNetwork, peer: string, id: string): Promise<Record<string, string>> {
  const fields = rawValues((await recordOf(network.peer(peer), id)).serialized)
  const text = (name: string): string => String(fields.get(name))
  return {
    ...Object.fromEntries(Object.keys(MERGED).map((name) => [name, text(name)])),
    name: text('name').slice(1, -1),
    note: text('note').slice(1, -1),
  }
}

/** Conflicts that a model's policies settle. */
export const policies: readonly Behaviour<MakeNetwork>[] = [
  {
    name: 'merges each column as its policy says, and keeps both sides',
    async run(make) {
      for (const client of ['a', 'b']) {
        const { network, id } = await edited(make)
        await network.sync(client, client === 'a' ? 'b' : 'a')
        for (const name of ['a', 'b']) {
          same(await fieldsOf(network, name, id), MERGED, `the record at ${name}`)
          const row = await network.peer(name).row('item', id)
          same([row?.['name'], Number(row?.['stock'])], ['of a', 8], `the row at ${name}`)
          same(Number(row?.['price']), 4.85, `the price at ${name}`)
        }
        const { conflicts } = network.peer(client).morango
        same(await conflicts.list(), [], 'conflicts that somebody has to look at')
        const [conflict] = await conflicts.list({ state: 'all' })
        same([conflict?.resolution, conflict?.lost], ['merged', undefined], 'the conflict')
      }
    },
  },
  {
    name: 'comes to the same where peers settle a conflict on their own, and adds nothing when these meet',
    async run(make) {
      const { network, id } = await edited(make)
      await network.sync('c', 'a', { direction: 'pull' })
      await network.sync('c', 'b', { direction: 'pull' })
      await network.sync('a', 'b', { direction: 'pull' })
      await network.sync('b', 'c', { direction: 'pull' })
      for (const name of ['a', 'b', 'c']) {
        same(await fieldsOf(network, name, id), MERGED, `the record at ${name}, before they meet`)
      }
      // Both go on from there.
      await network.peer('a').update('item', id, { stock: 9 })
      await network.peer('c').update('item', id, { stock: 4 })
      await network.converge()
      for (const name of ['a', 'b', 'c']) {
        same(Number((await network.peer(name).row('item', id))?.['stock']), 5, `the stock at ${name}`)
      }
    },
  },
  {
    name: 'sums what was added, not what two peers created with',
    async run(make) {
      const network = await make({
        peers: 2,
        profile: defineProfile({
          name: 'stockroom',
          models: {
            setting: model({
              table: 'setting',
              sourceId: '${name}',
              partition: '${root}:${owner}',
              merge: { used: 'sum' },
            }),
          },
          scopes: { all: scope({ root: 'root', readWrite: '${root}' }) },
        }),
        schema: `create table setting (id text primary key not null, root text not null, owner text not null,
          name text not null, used integer)`,
      })
      const id = await add(network, 'a', 'setting', { name: 'x', used: 100 })
      await add(network, 'b', 'setting', { name: 'x', used: 100 })
      await network.peer('b').morango.serialize()
      await network.peer('b').update('setting', id, { used: 103 })
      await network.sync('a', 'b')
      const used = async (peer: string): Promise<unknown> =>
        (await network.peer(peer).row('setting', id))?.['used']
      same([await used('a'), await used('b')], [103, 103], 'what was used')
      await network.peer('a').update('setting', id, { used: null })
      await network.peer('b').update('setting', id, { used: 110 })
      await network.sync('b', 'a')
      same([await used('a'), await used('b')], [7, 7], 'after it was emptied at one')
    },
  },
  {
    name: 'leaves a deletion a deletion',
    async run(make) {
      const { network, id } = await edited(make)
      await network.peer('a').delete('item', id)
      await network.converge()
      for (const name of ['a', 'b', 'c']) {
        same(await network.peer(name).row('item', id), undefined, `the row at ${name}`)
      }
    },
  },
  {
    name: 'keeps ours where a value cannot be merged, and tells',
    async run(make) {
      const warnings: unknown[] = []
      const network = await make({
        peers: 2,
        profile: stockroom,
        schema: SCHEMA.replace('stock integer', 'stock bigint'),
        onWarning: (warning) => warnings.push([warning.code, warning.recordId]),
      })
      const id = await add(network, 'a', 'item', FIRST)
      await network.sync('a', 'b')
      await network.peer('a').update('item', id, { stock: '9000000000000000000' })
      await network.peer('b').update('item', id, { stock: '9000000000000000001' })
      await network.sync('a', 'b')
      for (const name of ['a', 'b']) {
        const stock = rawValues((await recordOf(network.peer(name), id)).serialized).get('stock')
        same(stock, '9000000000000000000', `the stock at ${name}`)
      }
      same(warnings, [['merge-hook-failed', id]], 'what was told')
      same(await network.peer('a').morango.conflicts.count(), 1, 'conflicts')
    },
  },
]
