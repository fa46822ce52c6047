import { expect } from 'vitest'
import { MAX_COUNTER, MAX_COUNTER_JUMP } from '../../../src/core/limits.ts'
import type { Attempt, Kind } from '../attempt.ts'
import { forging, forgingFresh, having, knowing, pages, type WireRecord } from '../forging.ts'
import type { Scene } from '../scene.ts'
import { root } from '../world.ts'

const X = 'e'.repeat(32)

async function instanceOf({ world: { client } }: Scene): Promise<{ id: string; counter: number }> {
  const { id, counter } = (await client.morango.status()).instance
  return { id, counter }
}

/** Fails unless the client's edit is the row, or has lost visibly. */
async function editWins({ world: { client }, both, mark }: Scene): Promise<void> {
  expect((await client.row('book', both))?.['title']).toBe(`unsynced ${mark}`)
  expect(await client.morango.conflicts.count({ recordId: both })).toBeGreaterThan(0)
}

/** The instance and the counter that knows an edit of an instance, in a history. */
const own: readonly Attempt[] = [0, 1, 2, 1000, MAX_COUNTER_JUMP - 10, MAX_COUNTER].map((ahead) => ({
  name: `that knows the client ${ahead} beyond what it has stamped`,
  outcome: 'harmless',
  tamper: async (scene) => {
    const { id, counter } = await instanceOf(scene)
    return forging(scene.both, knowing(id, Math.min(counter + ahead, MAX_COUNTER)))
  },
  after: editWins,
}))

const others: readonly Attempt[] = [
  {
    name: 'that is the client’s own, at a counter that it never reached',
    outcome: 'harmless',
    tamper: async (scene) => {
      const { id } = await instanceOf(scene)
      return forging(scene.both, (record) => ({
        ...knowing(id, MAX_COUNTER)(record),
        last_saved_instance: id,
        last_saved_counter: MAX_COUNTER,
      }))
    },
    after: editWins,
  },
  {
    name: 'that is the client’s own, of a record that it has not seen',
    outcome: 'harmless',
    tamper: async (scene) => {
      const { id } = await instanceOf(scene)
      return forging(scene.fresh[0], (record) => ({
        ...knowing(id, MAX_COUNTER)(record),
        last_saved_instance: id,
        last_saved_counter: MAX_COUNTER,
      }))
    },
    after: async ({ world: { client }, fresh, mark }) => {
      const { counter } = (await client.morango.status()).instance
      const record = (await client.records()).find(({ id }) => id === fresh[0])
      expect(Number(record?.version.slice(33))).toBeLessThanOrEqual(counter)
      await client.update('book', fresh[0], { title: `edited ${mark}` })
    },
  },
  {
    name: 'that knows an honest third one far beyond what is known',
    outcome: 'harmless',
    tamper: async (scene) => {
      const third = (await scene.world.honest.morango.status()).instance
      return forging(scene.both, knowing(third.id, third.counter + MAX_COUNTER_JUMP + 100))
    },
    after: editWins,
  },
  {
    name: 'of a thousand and one instances',
    outcome: { fails: ['peer-protocol', 'invalid-buffer', 'transfer-errored'] },
    tamper: forgingFresh((record) =>
      Array.from({ length: 1001 }, (_, index) => index.toString(16).padStart(32, '0')).reduce<WireRecord>(
        (all, id) => knowing(id, 1)(all),
        record,
      ),
    ),
  },
  {
    name: 'of another record',
    outcome: { fails: ['peer-protocol', 'invalid-buffer', 'transfer-errored'] },
    tamper: forgingFresh((record) => ({
      ...record,
      rmcb_list: [
        { model_uuid: X, transfer_session: record['transfer_session'], instance_id: X, counter: 1 },
      ],
    })),
  },
  {
    name: 'of another transfer',
    outcome: { fails: ['peer-protocol', 'invalid-buffer', 'transfer-errored'] },
    tamper: forgingFresh((record) => ({
      ...record,
      rmcb_list: [{ model_uuid: record['model_uuid'], transfer_session: X, instance_id: X, counter: 1 }],
    })),
  },
  {
    name: 'that is empty',
    outcome: 'harmless',
    tamper: ({ both }) => forging(both, having({ rmcb_list: [] })),
    after: editWins,
  },
  {
    name: 'that names one instance ten times',
    outcome: 'harmless',
    tamper: ({ both }) =>
      forging(both, (record) => {
        const { model_uuid, transfer_session } = record
        const counters = [5, 1, 5, 9, 0, 2, 9, 3, 4, 1]
        const entries = counters.map((counter) => ({ model_uuid, transfer_session, instance_id: X, counter }))
        return { ...record, rmcb_list: entries }
      }),
    after: editWins,
  },
  {
    name: 'by a prototype',
    outcome: { fails: ['peer-protocol', 'invalid-buffer', 'transfer-errored'] },
    tamper: forgingFresh(knowing('__proto__', 1)),
  },
]

/** Histories that know more than can be. */
export const histories: Kind = { kind: 'sends a history', attempts: [...own, ...others] }

const DELETED = { deleted: true } as const
const HARD = { deleted: true, hard_deleted: true, serialized: '{}', conflicting_serialized_data: '' } as const

let shelf = ''
let book = ''
let gone = ''

/** A shelf that the server may write, with a book on it that it may not. */
async function shelve({ client }: Scene['world']): Promise<void> {
  const here = { root: root.certificate.id }
  shelf = (await client.insert('shelf', { ...here, owner: 'u1', label: 'shared' })).id
  book = (await client.insert('book', { ...here, owner: 'u2', title: 'on it', shelf_id: shelf })).id
}

async function bookStays({ world: { client } }: Scene): Promise<void> {
  expect(await client.row('book', book)).toMatchObject({ title: 'on it', shelf_id: shelf })
  expect(await client.row('shelf', shelf)).toBeDefined()
  expect((await client.records()).find(({ id }) => id === book)?.deleted).toBe(false)
}

const cascades: readonly Attempt[] = [
  ['softly', DELETED],
  ['hard', HARD],
].map(([how, flags]) => ({
  name: `that reaches where the server may not write, ${String(how)}`,
  outcome: { waits: 'deletion-reaches-further' },
  prepare: shelve,
  tamper: async ({ world: { server } }) => {
    await server.update('shelf', shelf, { label: 'changed' })
    return forging(shelf, having(typeof flags === 'string' ? {} : { ...flags }))
  },
  after: bookStays,
  // The client's user decides: the book is put elsewhere, and then the shelf may fall.
  remedy: async ({ world: { client } }) => {
    await client.update('book', book, { shelf_id: null })
    await client.morango.deserialize()
    expect(await client.row('book', book)).toBeDefined()
  },
}))

const deletions: readonly Attempt[] = [
  ...cascades,
  ...[DELETED, HARD].map((flags): Attempt => ({
    name: `of a record of another partition, ${'hard_deleted' in flags ? 'hard' : 'softly'}`,
    outcome: { fails: ['invalid-buffer', 'transfer-errored', 'peer-protocol'] },
    tamper: async ({ world: { client }, secret }) => {
      const found = (await client.records()).find(({ id }) => id === secret)
      const { partition = '', sourceId = '' } = found ?? {}
      return pages(([first, ...rest]) => [
        { ...first, model_uuid: secret, partition, source_id: sourceId, rmcb_list: [], ...flags },
        ...rest,
      ])
    },
    after: async ({ world: { client }, secret, mark }) => {
      expect((await client.row('book', secret))?.['title']).toBe(`classified ${mark}`)
    },
  })),
  {
    name: 'of a record that the client has changed',
    outcome: 'harmless',
    tamper: ({ both }) => forging(both, having(DELETED)),
    after: async ({ world: { client }, both }) => {
      expect(await client.morango.conflicts.count({ recordId: both })).toBe(1)
    },
  },
  {
    name: 'with content in it, hard',
    outcome: 'harmless',
    tamper: forgingFresh(having({ deleted: true, hard_deleted: true })),
    after: async ({ world: { client }, fresh }) => {
      expect(await client.row('book', fresh[0])).toBeUndefined()
    },
  },
  {
    name: 'hard, and not deleted',
    outcome: { waits: 'constraint' },
    tamper: forgingFresh(having({ deleted: false, hard_deleted: true, serialized: '{}' })),
  },
  ...['a later version', 'a version that says it knows the client at that time'].map(
    (what, index): Attempt => ({
      name: `undone: a hard-deleted record comes back by ${what}`,
      outcome: 'harmless',
      prepare: async ({ client }) => {
        const row = { root: root.certificate.id, owner: 'u1', title: 'shredded' }
        gone = (await client.insert('book', row)).id
      },
      tamper: async (scene) => {
        const { client, server } = scene.world
        await client.deleteHard('book', gone)
        await client.morango.serialize()
        await server.update('book', gone, { title: 'risen' })
        const { id, counter } = await instanceOf(scene)
        return forging(gone, index === 0 ? knowing(X, 5) : knowing(id, counter - 1))
      },
      after: async ({ world: { client } }) => {
        expect(await client.row('book', gone)).toBeUndefined()
        expect(await client.tablesWith('risen')).toEqual([])
        expect(await client.tablesWith('shredded')).toEqual([])
      },
    }),
  ),
]

/** Deletions, and what undoes them. */
export const deleting: Kind = { kind: 'sends a deletion', attempts: deletions }
