import fc from 'fast-check'
import { expect, it } from 'vitest'
import { recordId } from '../../src/core/ids.ts'
import { MAX_COUNTER_JUMP } from '../../src/core/limits.ts'
import { fullHistory, type HistoryTrust, mergeRecords, type StoreRecord } from '../../src/core/merge.ts'
import { workSizes } from '../../src/storage/context.ts'
import { createEngine } from '../../src/storage/engine.ts'
import { compileProfiles } from '../../src/storage/check-tracking.ts'
import type { Flag } from '../../src/storage/schema.ts'
import { createTestNetwork, library, type TestPeer } from '../../src/testing/index.ts'
import { DATABASE, makeTestDatabase } from '../databases/index.ts'

// A database on a server takes longer to make.
const RUNS = Number(process.env['MORANGO_PROPERTY_RUNS'] ?? (DATABASE === 'sqlite' ? 40 : 15))

const INSTANCES = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(32))
const TRANSFER = 'e'.repeat(32)
const EARLIER = 'f'.repeat(32)
const MODEL = 'of-no-model-here'
const PARTITION = 'p:q'

interface Side {
  readonly instance: number
  readonly counter: number
  readonly others: readonly number[]
  readonly serialized: string
  readonly conflicting: string
  readonly selfRef: string
  readonly deletion: 'none' | 'soft' | 'hard'
}

// In the place of this instance stands the one that merges.
const OWN = 3
/** The highest counter of it that has left. */
const LEFT = 2
// More than a million beyond all the others.
const counterOf = (small: number): number => (small === 5 ? MAX_COUNTER_JUMP + 5 : small)

const side: fc.Arbitrary<Side> = fc.record({
  instance: fc.nat({ max: 3 }),
  counter: fc.integer({ min: 1, max: 5 }).map(counterOf),
  // A counter by instance, 0 for none.
  others: fc.array(fc.nat({ max: 5 }).map(counterOf), { minLength: 4, maxLength: 4 }),
  serialized: fc.constantFrom('{"x": 1}', '{"x": 2.0}', '{"y": "é"}', '{}'),
  conflicting: fc.constantFrom('', '{"x": 0}\n', '{"x": 0}\n{"z": 1}\n', '{"w": 5}\n'),
  selfRef: fc.constantFrom('', '1'.repeat(32)),
  deletion: fc.constantFrom('none' as const, 'none' as const, 'soft' as const, 'hard' as const),
})

const pairs = fc.array(fc.record({ ours: fc.option(side, { freq: 5 }), theirs: side }), {
  minLength: 1,
  maxLength: 12,
})

/** Who sends, where it says who it is, and how far it claims to be itself. */
const senders = fc.option(
  fc.record({ instance: fc.constant(INSTANCES[0] ?? ''), counter: fc.integer({ min: 1, max: 4 }) }),
  { nil: undefined },
)

async function writeSender({ database: { kysely } }: TestPeer, instance: string): Promise<void> {
  const now = new Date(0).toISOString()
  const common = { active: 1, created_at: now, last_activity_at: now } as const
  const texts = {
    connection_path: '',
    client_ip: '',
    server_ip: '',
    client_instance: '',
    server_instance: '',
  }
  await kysely
    .insertInto('morango_sync_session')
    .values({
      ...common,
      ...texts,
      id: EARLIER,
      profile: 'library',
      is_server: 1,
      client_instance_id: instance,
      capabilities: '',
    })
    .execute()
  await kysely
    .insertInto('morango_transfer_session')
    .values({
      ...common,
      id: TRANSFER,
      sync_session_id: EARLIER,
      push: 1,
      filter: PARTITION,
      stage: 'dequeuing',
      stage_status: 'started',
      records_transferred: 0,
      bytes_sent: 0,
      bytes_received: 0,
      client_fsic: '{}',
      server_fsic: '{}',
    })
    .execute()
}

function historyOf({ instance, others }: Side): Record<string, number> {
  const known = INSTANCES.map((name, index): [string, number] => [name, others[index] ?? 0])
  return Object.fromEntries(known.filter(([, counter], index) => counter > 0 && index !== instance))
}

function toRecord(one: Side, sourceId: string, transfer: string | null): StoreRecord {
  return {
    id: recordId(PARTITION, sourceId, MODEL),
    profile: 'library',
    modelName: MODEL,
    partition: PARTITION,
    sourceId,
    serialized: one.serialized,
    conflictingSerializedData: one.conflicting,
    selfRefFk: one.selfRef,
    deleted: one.deletion !== 'none',
    hardDeleted: one.deletion === 'hard',
    lastSavedInstance: INSTANCES[one.instance] ?? '',
    lastSavedCounter: one.counter,
    counters: historyOf(one),
    dirty: false,
    deserializationError: '',
    lastTransferSessionId: transfer,
  }
}

const flag = (value: boolean): Flag => (value ? 1 : 0)

function contentOf(record: StoreRecord): {
  id: string
  model_name: string
  partition: string
  source_id: string
  serialized: string
  conflicting_serialized_data: string
  self_ref_fk: string
  last_saved_instance: string
  last_saved_counter: number
  deleted: Flag
  hard_deleted: Flag
} {
  return {
    id: record.id,
    model_name: record.modelName,
    partition: record.partition,
    source_id: record.sourceId,
    serialized: record.serialized,
    conflicting_serialized_data: record.conflictingSerializedData,
    self_ref_fk: record.selfRefFk,
    last_saved_instance: record.lastSavedInstance,
    last_saved_counter: record.lastSavedCounter,
    deleted: flag(record.deleted),
    hard_deleted: flag(record.hardDeleted),
  }
}

/** A record with its whole history, its own last-saved pair in it. */
function normal(record: StoreRecord): StoreRecord {
  const own = { [record.lastSavedInstance]: record.lastSavedCounter }
  return { ...record, counters: { ...record.counters, ...own } }
}

async function write(
  peer: TestPeer,
  ours: readonly StoreRecord[],
  theirs: readonly StoreRecord[],
): Promise<void> {
  const { kysely } = peer.database
  for (const record of ours) {
    const { profile, lastTransferSessionId: last_transfer_session_id } = record
    await kysely
      .insertInto('morango_store')
      .values({ ...contentOf(record), profile, last_transfer_session_id })
      .execute()
    for (const [instance_id, counter] of Object.entries(record.counters)) {
      const { id: store_id, partition } = record
      await kysely
        .insertInto('morango_record_max_counter')
        .values({ store_id, instance_id, counter, partition })
        .execute()
    }
  }
  for (const record of theirs) {
    const counters = Object.keys(record.counters).length === 0 ? null : JSON.stringify(record.counters)
    await kysely
      .insertInto('morango_incoming')
      .values({ ...contentOf(record), transfer_session_id: TRANSFER, counters })
      .execute()
  }
}

async function read(peer: TestPeer): Promise<StoreRecord[]> {
  const { kysely } = peer.database
  const rows = await kysely.selectFrom('morango_store').selectAll().orderBy('id').execute()
  const counters = await kysely.selectFrom('morango_record_max_counter').selectAll().execute()
  const waiting = await kysely.selectFrom('morango_dirty').select('store_no').execute()
  const dirty = new Set(waiting.map(({ store_no }) => store_no))
  return rows.map((row) => ({
    id: row.id,
    profile: row.profile,
    modelName: row.model_name,
    partition: row.partition,
    sourceId: row.source_id,
    serialized: row.serialized,
    conflictingSerializedData: row.conflicting_serialized_data,
    selfRefFk: row.self_ref_fk,
    deleted: row.deleted === 1,
    hardDeleted: row.hard_deleted === 1,
    lastSavedInstance: row.last_saved_instance,
    lastSavedCounter: row.last_saved_counter,
    counters: Object.fromEntries(
      counters
        .filter(({ store_id }) => store_id === row.id)
        .map((entry) => [entry.instance_id, entry.counter]),
    ),
    dirty: dirty.has(row.no),
    deserializationError: '',
    lastTransferSessionId: row.last_transfer_session_id,
  }))
}

/** By what is known when a turn begins, how far the histories of its records are believed. */
function trustOf(
  own: string,
  store: Iterable<StoreRecord>,
  arriving: readonly StoreRecord[],
  sender: HistoryTrust['sender'],
): HistoryTrust {
  const known = new Map<string, number>()
  for (const record of store) {
    for (const [name, counter] of Object.entries(fullHistory(record))) {
      known.set(name, Math.max(counter, known.get(name) ?? 0))
    }
  }
  const named = arriving.flatMap((record) => Object.keys(fullHistory(record)))
  const most = Object.fromEntries(named.map((name) => [name, (known.get(name) ?? 0) + MAX_COUNTER_JUMP]))
  return { own: { instance: own, left: LEFT }, most, sender }
}

it('what the statements make of a Buffer is what core decides record by record', async () => {
  await fc.assert(
    fc.asyncProperty(pairs, fc.constantFrom(1, 2, 3, undefined), senders, async (list, turn, sender) => {
      const network = await createTestNetwork({ peers: 1, database: makeTestDatabase })
      try {
        const peer = network.peer('a')
        INSTANCES[OWN] = (await peer.morango.status()).instance.id
        await peer.database.kysely
          .updateTable('morango_instance')
          .set({ counter: 2 * MAX_COUNTER_JUMP, exchanged_counter: LEFT })
          .execute()
        const ours = list.flatMap((pair, index) =>
          pair.ours === null ? [] : toRecord(pair.ours, `s${index}`, EARLIER),
        )
        const theirs = list.map((pair, index) => toRecord(pair.theirs, `s${index}`, TRANSFER))
        await write(peer, ours, theirs)
        if (sender !== undefined) await writeSender(peer, sender.instance)
        const { database } = peer
        const engine = createEngine({
          database,
          profiles: await compileProfiles(database, [library]),
          clock: { now: () => new Date(0) },
          random: { uuid: () => '0'.repeat(32) },
          sizes: workSizes(turn),
        })
        const result = await engine.dequeue({
          transferSessionId: TRANSFER,
          profile: 'library',
          filter: [PARTITION],
          producerFsic: JSON.stringify({
            super: {},
            sub: sender === undefined ? {} : { [PARTITION]: { [sender.instance]: sender.counter } },
          }),
          format: 'v2',
        })
        const { instance } = await peer.morango.status()
        const before = new Map(ours.map((record) => [record.id, record]))
        // Each turn stamps with a counter of its own.
        const size = workSizes(turn).turn
        const first = instance.counter - Math.ceil(list.length / size) + 1
        const ordered = theirs.toSorted((a, b) => (a.id < b.id ? -1 : 1))
        for (let place = 0; place < ordered.length; place += size) {
          const arriving = ordered.slice(place, place + size)
          const trust = trustOf(instance.id, before.values(), arriving, sender)
          const stamp = { instance: instance.id, counter: first + Math.floor(place / size) }
          for (const record of arriving) {
            before.set(record.id, mergeRecords(before.get(record.id), record, stamp, 'ours', trust))
          }
        }
        const expected = ordered.map(({ id }) => before.get(id)).map((record) => record && normal(record))
        expect((await read(peer)).map(normal)).toEqual(expected)
        const { created, fastForwarded, known, conflicts } = result
        expect(created + fastForwarded + known + conflicts).toBe(list.length)
        const left = await database.kysely.selectFrom('morango_incoming').selectAll().execute()
        expect(left).toEqual([])
      } finally {
        await network.close()
      }
    }),
    { numRuns: RUNS, ...(process.env['MORANGO_PROPERTY_RUNS'] === undefined && { seed: 1 }) },
  )
}, 3_600_000)
