import { describe, expect, test } from 'vitest'
import { recordId } from '../../src/core/ids.ts'
import type { BufferRecord } from '../../src/session/ports.ts'
import { checkIncoming } from '../../src/storage/check-incoming.ts'

const SESSION = 'a'.repeat(32)
const INSTANCE = 'b'.repeat(32)
const context = { transferSessionId: SESSION, profile: 'p', filter: [''] }

function recordWith(change: Partial<BufferRecord>, histories = 1): BufferRecord {
  const { partition = 'x', source_id = 's', model_name = 'm' } = change
  const id = recordId(partition, source_id, model_name)
  const entry = { transfer_session: SESSION, model_uuid: id, instance_id: INSTANCE, counter: 1 }
  return {
    serialized: '{}',
    deleted: false,
    last_saved_instance: INSTANCE,
    last_saved_counter: 1,
    hard_deleted: false,
    partition,
    source_id,
    model_name,
    conflicting_serialized_data: '',
    model_uuid: id,
    transfer_session: SESSION,
    profile: 'p',
    rmcb_list: Array.from({ length: histories }, () => entry),
    _self_ref_fk: '',
    ...change,
  }
}

const check = (record: BufferRecord, most?: number) => () => checkIncoming(context, undefined, [record], most)

describe('a chunk is refused for a record', () => {
  test.each<[string, Partial<BufferRecord>]>([
    ['with a long partition', { partition: 'x'.repeat(129) }],
    ['with a long partition of astral characters', { partition: '😀'.repeat(129) }],
    ['with a long source id', { source_id: 'x'.repeat(97) }],
    ['with a long model name', { model_name: 'x'.repeat(41) }],
    ['with a long profile', { profile: 'x'.repeat(21) }],
    ['with a long parent', { _self_ref_fk: 'x'.repeat(33) }],
    ['with a NUL in its partition', { partition: 'x\0' }],
    ['with a NUL in its source id', { source_id: 'x\0' }],
    ['with a NUL in its JSON', { serialized: '{"a": "\0"}' }],
    ['with half a character in its partition', { partition: 'x\ud800' }],
    ['with half a character in its JSON', { serialized: '{"a": "\udc00"}' }],
    ['with a counter beyond 32 bits', { last_saved_counter: 2 ** 31 }],
    ['with a counter below zero', { last_saved_counter: -1 }],
    ['with a counter that is no integer', { last_saved_counter: 1.5 }],
    ['with a version of no instance', { last_saved_instance: 'x' }],
  ])('%s', (_what, change) => {
    expect(check(recordWith(change))).toThrow(expect.objectContaining({ code: 'invalid-buffer' }))
  })

  test('with a history of more than 1,000 instances', () => {
    expect(check(recordWith({}, 1000))).not.toThrow()
    expect(check(recordWith({}, 1001))).toThrow(/more than 1000 instances/u)
  })

  test('with more bytes than it may have, its conflicting data counted', () => {
    const record = recordWith({ serialized: 'ä'.repeat(30), conflicting_serialized_data: 'x'.repeat(40) })
    expect(check(record, 100)).not.toThrow()
    expect(check(record, 99)).toThrow(new RegExp(`Record ${record.model_uuid} has more than 99 bytes`, 'u'))
  })
})

test('what is just as long as it may be is taken', () => {
  const longest = { partition: '😀'.repeat(128), source_id: 'ä'.repeat(96), model_name: 'x'.repeat(40) }
  const record = recordWith({ ...longest, profile: 'x'.repeat(20), last_saved_counter: 2 ** 31 - 1 })
  expect(check(record)).not.toThrow()
})
