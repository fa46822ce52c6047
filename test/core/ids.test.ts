import { describe, expect, it } from 'vitest'
import {
  instanceId,
  isHexUuid,
  parseUuid,
  recordId,
  recordIdMatches,
  resolvePartition,
  saltedHash,
  sha2Uuid,
} from '../../src/core/ids.ts'
import { instanceHash, proquintFromInt, proquintToInt } from '../../src/core/proquint.ts'
import { golden } from './golden.ts'

const ids = golden<{
  sha2_uuid: { args: string[]; result: string }[]
  models_stock: { model: string; id: string; source_id: string; partition: string }[]
  salted_hash: { value: string; result: string }[]
  instance_id: {
    database_id: string
    raw_system_id: string
    raw_node_id: string
    system_id: string
    node_id: string
    instance_id: string
    proquint: string
  }[]
}>('ids')

const proquints = golden<{
  from_int: { value: number | bigint; proquint: string; back: number | bigint }[]
  to_int_bad: { input: string; message: string }[]
}>('proquint')

describe('ids', () => {
  it.each(ids.sha2_uuid)('sha2Uuid($args)', ({ args, result }) => {
    expect(sha2Uuid(...args)).toBe(result)
  })

  it.each(ids.salted_hash)('saltedHash($value)', ({ value, result }) => {
    expect(saltedHash(value)).toBe(result)
  })

  it.each(ids.instance_id)('instance $instance_id', (vector) => {
    const systemId = saltedHash(vector.raw_system_id)
    const nodeId = saltedHash(vector.raw_node_id)
    expect([systemId, nodeId]).toEqual([vector.system_id, vector.node_id])
    const id = instanceId(vector.database_id, systemId, nodeId)
    expect(id).toBe(vector.instance_id)
    expect(instanceHash(id)).toBe(vector.proquint)
  })

  // The stock user model overrides the id rule.
  it.each(ids.models_stock.filter(({ model }) => model !== 'user'))('$model $id', (vector) => {
    const { model: modelName, id, source_id: sourceId, partition } = vector
    expect(
      recordId(
        partition.replaceAll(id, () => '${id}'),
        sourceId,
        modelName,
      ),
    ).toBe(id)
    expect(recordIdMatches({ id, partition, sourceId, modelName })).toBe(true)
    expect(recordIdMatches({ id, partition: `${partition}x`, sourceId, modelName })).toBe(false)
  })

  it('derives the id of a record whose partition contains it', () => {
    const template = 'root:${id}:and:${id}'
    const id = recordId(template, 'source', 'place')
    const partition = resolvePartition(template, id)
    expect(partition).toBe(`root:${id}:and:${id}`)
    expect(recordIdMatches({ id, partition, sourceId: 'source', modelName: 'place' })).toBe(true)
  })

  it('never takes an empty id for a match', () => {
    expect(recordIdMatches({ id: '', partition: 'p', sourceId: 's', modelName: 'm' })).toBe(false)
  })

  it('hashes long and non-ASCII texts as UTF-8', () => {
    expect(sha2Uuid('a'.repeat(5000))).toMatch(/^[0-9a-f]{32}$/)
    expect(sha2Uuid('é')).not.toBe(sha2Uuid('é'.normalize('NFD')))
    expect(sha2Uuid('a')).toBe('ca978112ca1bbdcafac231b39a23dc4d')
  })

  it('reads UUIDs in any writing', () => {
    const hex = '5729c592ae05554a8b1fdf44e7eb4f0b'
    expect(parseUuid('5729C592-AE05-554A-8B1F-DF44E7EB4F0B')).toBe(hex)
    expect(parseUuid(hex)).toBe(hex)
    expect(parseUuid(`${hex}0`)).toBeUndefined()
    expect(parseUuid(5)).toBeUndefined()
    expect(isHexUuid(hex)).toBe(true)
    expect(isHexUuid(hex.toUpperCase())).toBe(false)
    expect(isHexUuid(`${hex}\n`)).toBe(false)
  })
})

describe('proquint', () => {
  it.each(proquints.from_int)('$value is $proquint', ({ value, proquint, back }) => {
    expect(proquintFromInt(value)).toBe(proquint)
    expect(proquintToInt(proquint)).toBe(BigInt(back))
  })

  it.each(proquints.to_int_bad)('refuses "$input"', ({ input, message }) => {
    expect(() => proquintToInt(input)).toThrow(message)
  })

  it('refuses negative and fractional numbers', () => {
    expect(() => proquintFromInt(-1)).toThrow('whole number')
    expect(() => proquintFromInt(1.5)).toThrow('whole number')
  })
})
