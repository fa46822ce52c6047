import { expect, it } from 'vitest'
import { decodeBufferRecords } from '../../src/protocol/buffer-record.ts'
import { integer } from '../../src/protocol/fields.ts'
import { instanceIdIn } from '../../src/session/instance-info.ts'
import { ID, record } from '../transport/fake-service.ts'

// What fuzzing has found, each with the smallest input that shows it.

it('unknown keys of a record that are shown alike are refused as one', () => {
  const keys = { 'a\u0001': 1, 'a\u0002': 2, 'source_id\u0000': 3 }
  expect(() => decodeBufferRecords([record(1, keys)])).toThrow(
    expect.objectContaining({
      code: 'malformed-message',
      details: expect.objectContaining({
        fields: { 'a ': ['Unknown field.', 'Unknown field.'], 'source_id ': ['Unknown field.'] },
      }),
    }),
  )
})

it('a zero has no sign', () => {
  expect(integer(10).parse(-0)).toBe(0)
  expect(integer(10).parse('-0')).toBe(0)
  expect(() => decodeBufferRecords([record(1, { last_saved_counter: -0 })])).toThrow('last_saved_counter')
})

it.each(['\0', '\uD800', '', 'x', ID.toUpperCase()])('%j is no id of an instance', (id) => {
  expect(instanceIdIn(JSON.stringify({ id }))).toBeNull()
  expect(instanceIdIn(JSON.stringify({ id: ID }))).toBe(ID)
})
