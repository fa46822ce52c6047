import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { recordId } from '../../src/core/ids.ts'
import { malformedMessage } from '../../src/protocol/decode.ts'
import type { BufferRecord } from '../../src/protocol/messages.ts'
import { arePackable, packRecords, unpackRecords } from '../../src/protocol/packed-records.ts'
import { ID, OTHER, failureOf, record } from '../transport/fake-service.ts'

async function unpack(value: unknown): Promise<BufferRecord[]> {
  const list: BufferRecord[] = []
  await unpackRecords(JSON.parse(JSON.stringify(value)), (each) => list.push(each), malformedMessage)
  return list
}

const id = fc.constantFrom(ID, OTHER, 'c'.repeat(32))
const text = fc.oneof(fc.string(), fc.constantFrom('', '\u0001', '\u0002\u0003', '$&', ID, `x:${ID}`))
const records = fc.array(
  fc.record({
    derived: fc.boolean(),
    model_uuid: id,
    partition: text,
    source_id: text,
    model_name: fc.constantFrom('a', 'b'),
    before: text,
    between: text,
    deleted: fc.boolean(),
    hard_deleted: fc.boolean(),
    conflicting_serialized_data: text,
    _self_ref_fk: fc.constantFrom('', ID),
    last_saved_instance: id,
    last_saved_counter: fc.nat(),
    history: fc.option(fc.array(fc.tuple(id, fc.nat()), { maxLength: 3 })),
  }),
  { minLength: 1, maxLength: 8 },
)

describe('packed records', () => {
  it('are the same unpacked', async () => {
    await fc.assert(
      fc.asyncProperty(records, async (list) => {
        const given = list.map(({ derived, before, between, history, ...rest }): BufferRecord => {
          const { partition, source_id, model_name, last_saved_instance, last_saved_counter } = rest
          const model_uuid = derived ? recordId(partition, source_id, model_name) : rest.model_uuid
          const entries = history ?? [[last_saved_instance, last_saved_counter] as const]
          return {
            ...rest,
            model_uuid,
            profile: 'p',
            transfer_session: ID,
            serialized: before + model_uuid + between + source_id + between + partition + before,
            rmcb_list: entries.map(([instance_id, counter]) => ({
              transfer_session: ID,
              model_uuid,
              instance_id,
              counter,
            })),
          }
        })
        expect(await unpack(packRecords(given))).toEqual(given)
      }),
    )
  })

  it('must be of one transfer and profile', () => {
    expect(arePackable([])).toBe(false)
    expect(arePackable([record(1), record(2)])).toBe(true)
    expect(arePackable([record(1), { ...record(2), profile: 'other' }])).toBe(false)
    expect(arePackable([record(1), { ...record(2), transfer_session: OTHER }])).toBe(false)
  })

  it('are refused when they are none', async () => {
    const good = packRecords([record(1)])
    const bad: unknown[] = [
      null,
      [],
      {},
      { ...good, models: [] },
      { ...good, partition: [7] },
      { ...good, partition: [-1] },
      { ...good, instance: [0.5] },
      { ...good, counter: [] },
      { ...good, counter: ['1'] },
      { ...good, source_id: [] },
      { ...good, serialized: 'x' },
      { ...good, rare: { 0: { deleted: 1 } } },
      { ...good, rare: { 0: { history: [[0]] } } },
      { ...good, rare: { 0: { history: [[9, 1]] } } },
      { ...good, rare: { 0: null } },
    ]
    for (const value of bad) {
      const error = await failureOf(unpack(value))
      expect(error).toMatchObject({ code: 'malformed-message' })
    }
  })

  it('are refused when they name longer things than a record may have', async () => {
    const packed = packRecords(Array.from({ length: 100 }, (_, n) => record(n)))
    for (const bad of [
      { ...packed, partitions: ['x'.repeat(129)] },
      { ...packed, models: ['x'.repeat(41)] },
      { ...packed, source_id: packed.source_id.map(() => 'x'.repeat(97)) },
      { ...packed, rare: { 0: { history: Array.from({ length: 1001 }, () => [0, 1]) } } },
      { ...packed, rare: { 100: { deleted: true } } },
      { ...packed, rare: { x: { deleted: true } } },
      { ...packed, counter: [...packed.counter, 1] },
    ]) {
      expect(await failureOf(unpack(bad))).toMatchObject({ code: 'malformed-message' })
    }
  })
})
