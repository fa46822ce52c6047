import fc from 'fast-check'
import { expect, it } from 'vitest'
import { rawValues } from '../../src/core/python-json.ts'
import { defineProfile, model, scope } from '../../src/index.ts'
import { createTestNetwork, type TestNetwork } from '../../src/testing/index.ts'
import { DATABASE, makeTestDatabase } from '../databases/index.ts'

const RUNS = Number(process.env['MORANGO_PROPERTY_RUNS'] ?? (DATABASE === 'sqlite' ? 12 : 3))
const PEERS = ['a', 'b', 'c'] as const

const profile = defineProfile({
  name: 'counts',
  models: {
    item: model({
      table: 'item',
      partition: '${root}',
      columns: { edited_at: 'date-time' },
      merge: {
        stock: 'sum',
        price: 'sum',
        low: 'min',
        high: 'max',
        tags: 'union',
        note: { latestBy: 'edited_at' },
        '*': 'theirs',
      },
    }),
  },
  scopes: { all: scope({ root: 'root', readWrite: '${root}' }) },
})

const SCHEMA = `create table item (id text primary key not null, root text not null, edited_at text not null,
  stock integer not null, price numeric(9, 2) not null, low integer, high integer, tags json not null,
  note text not null, free text not null)`

const SYMMETRIC = ['stock', 'price', 'low', 'high', 'tags', 'note', 'edited_at']

type Step =
  | {
      readonly do: 'edit'
      readonly peer: number
      readonly by: number
      readonly bound: number
      readonly tag: string
      readonly minute: number
    }
  | { readonly do: 'sync'; readonly client: number; readonly other: number; readonly both: boolean }

const peer = fc.nat({ max: 2 })
const steps = fc.array(
  fc.oneof(
    fc.record({
      do: fc.constant('edit' as const),
      peer,
      by: fc.integer({ min: -50, max: 50 }),
      bound: fc.integer({ min: -9, max: 9 }),
      tag: fc.constantFrom('x', 'y', 'z', 'ü', '1'),
      minute: fc.nat({ max: 3 }),
    }),
    fc.record({
      do: fc.constant('sync' as const),
      client: peer,
      other: fc.integer({ min: 1, max: 2 }),
      both: fc.boolean(),
    }),
  ),
  { minLength: 4, maxLength: 24 },
)

async function withNetwork(work: (network: TestNetwork) => Promise<void>): Promise<void> {
  const network = await createTestNetwork({
    peers: PEERS,
    profile,
    schema: SCHEMA,
    database: makeTestDatabase,
  })
  try {
    await work(network)
  } finally {
    await network.close()
  }
}

interface Edited {
  readonly stock: number
  readonly cents: number
  readonly tags: ReadonlySet<string>
}

async function play(network: TestNetwork, history: readonly Step[]): Promise<Edited> {
  const { id } = await network.peer('a').insert('item', {
    root: network.root,
    edited_at: '2026-01-01T00:00:00Z',
    stock: 100,
    price: '10.00',
    tags: '["first"]',
    note: 'first',
    free: 'first',
  })
  await network.converge()
  let [stock, cents] = [100, 1000]
  const tags = new Set(['first'])
  for (const [index, step] of history.entries()) {
    if (step.do === 'sync') {
      const names = [PEERS[step.client], PEERS[(step.client + step.other) % 3]] as const
      const [client, server] = names
      if (client === undefined || server === undefined) throw new Error('There is no such peer')
      // oxlint-disable-next-line no-await-in-loop
      await network.sync(client, server, { direction: step.both ? 'both' : 'pull' })
      continue
    }
    const at = network.peer(PEERS[step.peer] ?? 'a')
    // oxlint-disable-next-line no-await-in-loop
    const row = await at.row('item', id)
    const old = rawValues(JSON.stringify(row))
    const own = new Set<string>(JSON.parse(String(row?.['tags'])))
    own.add(step.tag)
    const price = Math.round(Number(row?.['price']) * 100) + step.by
    // oxlint-disable-next-line no-await-in-loop
    await at.update('item', id, {
      stock: Number(old.get('stock')) + step.by,
      price: (price / 100).toFixed(2),
      low: step.bound,
      high: step.bound,
      tags: JSON.stringify([...own]),
      edited_at: `2026-01-02T00:0${step.minute}:00Z`,
      note: `edit ${index}`,
      free: `edit ${index}`,
    })
    stock += step.by
    cents += step.by
    tags.add(step.tag)
  }
  return { stock, cents, tags }
}

async function fieldsAt(network: TestNetwork, name: string): Promise<ReadonlyMap<string, string>> {
  const [record] = await network.peer(name).records()
  return rawValues(record?.serialized ?? '{}')
}

function some(fields: ReadonlyMap<string, string>, names: readonly string[]): unknown[] {
  return names.map((name) => [name, fields.get(name)])
}

it('whatever three peers edit and merge, they agree, and sums and unions have all that was done', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (history) => {
      await withNetwork(async (network) => {
        const edited = await play(network, history)
        await network.converge()
        const fields = await fieldsAt(network, 'a')
        for (const name of ['b', 'c']) expect(await fieldsAt(network, name)).toEqual(fields)
        expect([fields.get('stock'), fields.get('price')]).toEqual([
          String(edited.stock),
          `"${(edited.cents / 100).toFixed(2)}"`,
        ])
        expect(new Set(JSON.parse(fields.get('tags') ?? ''))).toEqual(edited.tags)
      })
    }),
    { numRuns: RUNS },
  )
})

it('two peers that have seen the same merge it to the same, each on its own', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (history) => {
      await withNetwork(async (network) => {
        await play(network, history)
        // What c knows stays with c and goes to both; what a and b know crosses in one go.
        await network.sync('a', 'c', { direction: 'pull' })
        await network.sync('b', 'c', { direction: 'pull' })
        const before = await fieldsAt(network, 'b')
        await crossing(network)
        const [atA, atB] = [await fieldsAt(network, 'a'), await fieldsAt(network, 'b')]
        expect(some(atA, SYMMETRIC), `b had ${JSON.stringify([...before])}`).toEqual(some(atB, SYMMETRIC))
      })
    }),
    { numRuns: RUNS },
  )
})

/** a and b each pull what the other had before either has merged: b queues for a, and is asked for it last. */
async function crossing(network: TestNetwork): Promise<void> {
  const kept = [{ kind: 'kill', side: 'client', stage: 'dequeuing', statements: 0 }] as const
  await network.sync('a', 'b', { direction: 'pull', faults: kept }).catch(() => undefined)
  await network.sync('b', 'a', { direction: 'pull' })
  await network.sync('a', 'b', { direction: 'pull' })
}
