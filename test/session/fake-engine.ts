import type { Filter } from '../../src/core/filter.ts'
import { filterContains } from '../../src/core/filter.ts'
import { MorangoError } from '../../src/core/errors.ts'
import type { BufferRecord, Engine, FsicFormat } from '../../src/session/ports.ts'

export type EngineCall = keyof Engine

/** A record as the fake keeps it: the newest version wins, nothing is ever merged. */
interface FakeRecord {
  readonly id: string
  readonly partition: string
  readonly serialized: string
  readonly instance: string
  readonly counter: number
}

type Counters = Record<string, number>

/** An engine in memory that survives "restarts", with a place to break in before every call. */
export interface FakeEngine extends Engine {
  readonly instance: string
  readonly calls: EngineCall[]
  /** Runs before a call; may throw, wait, or never come back. */
  before: ((call: EngineCall) => void | Promise<void>) | undefined
  write(id: string, partition: string, value: string): void
  values(): Record<string, string>
  buffered(): number
}

export function createFakeEngine(instance: string): FakeEngine {
  const store = new Map<string, FakeRecord>()
  const known = new Map<string, Counters>()
  const outgoing = new Map<string, FakeRecord[]>()
  const incoming = new Map<string, Map<string, BufferRecord>>()
  const calls: EngineCall[] = []
  let counter = 0

  const enter = async (call: EngineCall): Promise<void> => {
    calls.push(call)
    await engine.before?.(call)
  }

  const fsicOf = (filter: Filter, format: FsicFormat): string => {
    const counters = Object.fromEntries(filter.map((prefix) => [prefix, known.get(prefix) ?? {}]))
    return format === 'v2'
      ? JSON.stringify({ sub: counters, super: {} })
      : JSON.stringify(Object.assign({}, ...Object.values(counters)))
  }

  const engine: FakeEngine = {
    instance,
    calls,
    before: undefined,

    write(id, partition, value) {
      counter++
      store.set(id, { id, partition, serialized: JSON.stringify({ id, value }), instance, counter })
    },
    values: () =>
      Object.fromEntries(
        [...store.values()]
          .map(({ id, serialized }) => [id, serialized])
          .toSorted(([a = ''], [b = '']) => (a < b ? -1 : 1)),
      ),
    buffered: () => outgoing.size + incoming.size,

    async serialize({ filter = [''] }) {
      await enter('serialize')
      for (const prefix of filter) learn(prefix, { [instance]: counter })
      return { created: 0, updated: 0, deleted: 0, failed: 0 }
    },
    async applyWaiting() {},
    async deserialize() {
      await enter('deserialize')
      return { written: 0, deleted: 0, failed: 0 }
    },
    async fsic({ filter, format }) {
      await enter('fsic')
      return fsicOf(filter, format)
    },
    async queue({ transferSessionId, filter, peerFsic, format }) {
      await enter('queue')
      const ownFsic = fsicOf(filter, format)
      const own = countersOf(ownFsic, filter, format)
      const theirs = countersOf(peerFsic, filter, format)
      const records = [...store.values()].filter(
        (record) =>
          filterContains(filter, record.partition) &&
          record.counter > (theirs[record.instance] ?? 0) &&
          record.counter <= (own[record.instance] ?? 0),
      )
      outgoing.set(transferSessionId, records)
      return { count: records.length, fsic: ownFsic }
    },
    async preview() {
      return { models: [], ids: [], unserializable: 0 }
    },
    async countChanged() {
      return 0
    },
    async outgoing(id, { offset, limit }) {
      await enter('outgoing')
      const records = outgoing.get(id) ?? []
      return records
        .slice(offset, limit === undefined ? undefined : offset + limit)
        .map((record) => wireRecord(record, id))
    },
    async outgoingCount(id) {
      await enter('outgoingCount')
      return outgoing.get(id)?.length ?? 0
    },
    async storeIncoming({ transferSessionId, filter }, records) {
      await enter('storeIncoming')
      for (const record of records) {
        if (filterContains(filter, record.partition)) continue
        throw new MorangoError('invalid-buffer', `Partition ${record.partition} is not contained`)
      }
      const buffer = incoming.get(transferSessionId) ?? new Map<string, BufferRecord>()
      incoming.set(transferSessionId, buffer)
      for (const record of records) buffer.set(record.model_uuid, record)
      return buffer.size
    },
    async incomingCount(id) {
      await enter('incomingCount')
      return incoming.get(id)?.size ?? 0
    },
    async dequeue({ transferSessionId, filter, producerFsic, format }) {
      await enter('dequeue')
      const records = [...(incoming.get(transferSessionId)?.values() ?? [])]
      for (const record of records) {
        store.set(record.model_uuid, {
          id: record.model_uuid,
          partition: record.partition,
          serialized: record.serialized,
          instance: record.last_saved_instance,
          counter: record.last_saved_counter,
        })
      }
      for (const prefix of filter) learn(prefix, countersOf(producerFsic, filter, format))
      incoming.delete(transferSessionId)
      return { created: records.length, fastForwarded: 0, known: 0, conflicts: 0 }
    },
    async clearBuffers({ id }) {
      await enter('clearBuffers')
      outgoing.delete(id)
      incoming.delete(id)
    },
    async renew() {},
    async comparisonDue() {
      return false
    },
    async noteComparison() {},
    async instanceSums() {
      return undefined
    },
    async partitionSums() {
      return []
    },
    async settleSums() {
      return 0
    },
    async problemCounts() {
      return { unserialized: 0, undeserialized: 0 }
    },
  }
  return engine

  function learn(prefix: string, counters: Counters): void {
    const present = known.get(prefix) ?? {}
    for (const [name, value] of Object.entries(counters)) {
      present[name] = Math.max(present[name] ?? 0, value)
    }
    known.set(prefix, present)
  }
}

function countersOf(text: string, filter: Filter, format: FsicFormat): Counters {
  const parsed: unknown = JSON.parse(text)
  if (format === 'v1') return numbersIn(parsed)
  if (typeof parsed !== 'object' || parsed === null || !('sub' in parsed)) {
    throw new MorangoError('fsic-malformed', 'No sub in the FSIC')
  }
  const counters: Counters = {}
  for (const [prefix, value] of Object.entries(parsed.sub ?? {})) {
    if (!filterContains(filter, prefix)) {
      throw new MorangoError('fsic-outside-filter', `${prefix} is outside the filter`)
    }
    Object.assign(counters, numbersIn(value))
  }
  return counters
}

function numbersIn(value: unknown): Counters {
  const counters: Counters = {}
  for (const [name, count] of Object.entries(value ?? {})) {
    if (typeof count === 'number') counters[name] = count
  }
  return counters
}

function wireRecord(record: FakeRecord, id: string): BufferRecord {
  return {
    serialized: record.serialized,
    deleted: false,
    last_saved_instance: record.instance,
    last_saved_counter: record.counter,
    hard_deleted: false,
    partition: record.partition,
    source_id: record.id,
    model_name: 'thing',
    conflicting_serialized_data: '',
    model_uuid: record.id,
    transfer_session: id,
    profile: 'facilitydata',
    rmcb_list: [
      {
        transfer_session: id,
        model_uuid: record.id,
        instance_id: record.instance,
        counter: record.counter,
      },
    ],
    _self_ref_fk: '',
  }
}
