import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decideMerge, mergeRecords } from '../../src/core/merge.ts'
import type { StoreRecord } from '../../src/core/merge.ts'

const instance = fc.constantFrom('a', 'b', 'c')
const counter = fc.integer({ min: 1, max: 4 })
const record: fc.Arbitrary<StoreRecord> = fc
  .record({
    lastSavedInstance: instance,
    lastSavedCounter: counter,
    counters: fc.dictionary(instance, counter, { noNullPrototype: true }),
    serialized: fc.constantFrom('{"a": 1}', '{"a": 2}', '{}'),
    deleted: fc.boolean(),
    hardDeleted: fc.boolean(),
    conflictingSerializedData: fc.constantFrom('', '{"x": 1}\n', '{"y": 1}\n{"x": 1}\n'),
    selfRefFk: fc.constantFrom('', 'p', 'q'),
  })
  .map((fields) => ({
    id: 'id',
    profile: 'profile',
    modelName: 'model',
    partition: 'p',
    sourceId: 's',
    dirty: false,
    deserializationError: 'old',
    lastTransferSessionId: null,
    ...fields,
  }))

const base: StoreRecord = {
  id: 'id',
  profile: 'profile',
  modelName: 'model',
  partition: 'p',
  sourceId: 's',
  serialized: '{"v": "ours"}',
  conflictingSerializedData: '',
  selfRefFk: 'ours',
  deleted: false,
  hardDeleted: false,
  dirty: false,
  deserializationError: 'old',
  lastTransferSessionId: null,
  lastSavedInstance: 'a',
  lastSavedCounter: 2,
  counters: { a: 2, z: 7 },
}
const theirs: StoreRecord = {
  ...base,
  serialized: '{"v": "theirs"}',
  selfRefFk: 'theirs',
  lastSavedInstance: 'b',
  lastSavedCounter: 5,
  counters: { a: 1, b: 5, z: 6 },
  lastTransferSessionId: 'transfer',
}
const stamp = { instance: 'a', counter: 9 }

describe('a history that is not believed', () => {
  const trust = { own: { instance: 'a', left: 3 }, most: { z: 10 } }

  it('fast-forwards over no version of ours that has not left, and makes none known', () => {
    const seen = { ...theirs, counters: { a: 3 } }
    expect(decideMerge(base, seen, trust)).toBe('fast-forward')
    for (const entry of [4, 5, 9]) {
      const forged = { ...theirs, counters: { a: entry } }
      expect(decideMerge({ ...base, lastSavedCounter: 4 }, forged, trust)).toBe('conflict')
      expect(decideMerge(base, forged, trust)).toBe('conflict')
      const merged = mergeRecords(base, forged, stamp, 'ours', trust)
      expect(merged).toMatchObject({ serialized: base.serialized, counters: { a: stamp.counter } })
      const author = { ...theirs, lastSavedInstance: 'a', lastSavedCounter: entry }
      expect(decideMerge({ ...base, lastSavedCounter: 9 }, author, trust)).toBe('conflict')
      expect(mergeRecords(undefined, author, stamp, 'ours', trust)).toMatchObject({
        lastSavedInstance: 'a',
        lastSavedCounter: stamp.counter,
        serialized: theirs.serialized,
      })
    }
  })

  it('fast-forwards over no version by an entry far beyond what is known', () => {
    const local = { ...base, lastSavedInstance: 'z', lastSavedCounter: 7 }
    expect(decideMerge(local, { ...theirs, counters: { z: 10 } }, trust)).toBe('fast-forward')
    expect(decideMerge(local, { ...theirs, counters: { z: 11 } }, trust)).toBe('conflict')
    expect(decideMerge(undefined, { ...theirs, lastSavedInstance: 'z', lastSavedCounter: 11 }, trust)).toBe(
      'new',
    )
  })

  it('makes nothing known of the sender beyond what that claims of itself', () => {
    const sender = { instance: 'b', counter: 6 }
    const poisoned = { ...base, counters: { ...base.counters, b: 9 } }
    expect(decideMerge(poisoned, theirs)).toBe('known')
    expect(decideMerge(poisoned, theirs, { ...trust, sender })).toBe('conflict')
    expect(decideMerge({ ...poisoned, counters: { b: 6 } }, theirs, { ...trust, sender })).toBe('known')
    const of = { ...trust, sender: { instance: 'c', counter: 1 } }
    expect(decideMerge(poisoned, theirs, of)).toBe('known')
    const merged = mergeRecords(poisoned, theirs, stamp, 'ours', { ...trust, sender })
    expect(merged.counters).toEqual({ a: stamp.counter, b: 5, z: 7 })
    const seen = { ...theirs, counters: { a: 2 } }
    expect(decideMerge(poisoned, seen, { ...trust, sender })).toBe('fast-forward')
    const taken = mergeRecords(poisoned, seen, stamp, 'ours', { ...trust, sender })
    expect(taken).toMatchObject({ serialized: theirs.serialized, counters: { a: 2, b: 5 } })
    // What it sends, it has, whatever it claims.
    expect(
      decideMerge({ ...base, counters: { b: 5 } }, theirs, {
        ...trust,
        sender: { instance: 'b', counter: 1 },
      }),
    ).toBe('known')
  })

  it('keeps nothing of what was not believed in the result of a conflict', () => {
    const forged = { ...theirs, counters: { z: 11, y: 3 } }
    const merged = mergeRecords(base, forged, stamp, 'ours', trust)
    expect(merged.counters).toEqual({ a: stamp.counter, b: 5, y: 3, z: 7 })
  })

  it('leaves nothing of what it says of us in the record', () => {
    const forged = { ...theirs, counters: { a: 9, z: 8 } }
    expect(mergeRecords(undefined, forged, stamp, 'ours', trust).counters).toEqual({ b: 5, z: 8 })
  })
})

describe('the decision', () => {
  it('goes by histories, the last saved pair included', () => {
    expect(decideMerge(undefined, theirs)).toBe('new')
    expect(decideMerge(base, theirs)).toBe('conflict')
    expect(decideMerge(base, base)).toBe('known')
    expect(decideMerge(base, { ...theirs, counters: { a: 2, b: 5 } })).toBe('fast-forward')
    expect(decideMerge({ ...base, counters: { b: 6 } }, theirs)).toBe('known')
    expect(decideMerge({ ...base, counters: {} }, { ...base, lastSavedCounter: 1, counters: {} })).toBe(
      'known',
    )
    expect(decideMerge(base, { ...theirs, counters: { b: 5, toString: 1 } })).toBe('conflict')
  })

  it('is symmetric where it must be', () => {
    fc.assert(
      fc.property(record, record, (a, b) => {
        const here = decideMerge(a, b)
        const there = decideMerge(b, a)
        expect(here === 'conflict').toBe(there === 'conflict')
        expect(here !== 'fast-forward' || there === 'known').toBe(true)
      }),
    )
  })
})

describe('the result', () => {
  it('takes a new record and a fast-forward over whole', () => {
    const incoming = { ...theirs, counters: { a: 2, b: 5 }, conflictingSerializedData: 'old\n' }
    expect(mergeRecords(base, incoming, stamp)).toEqual({
      ...incoming,
      counters: { a: 2, b: 5, z: 7 },
      dirty: true,
      deserializationError: '',
    })
    expect(mergeRecords(undefined, { ...theirs, hardDeleted: true, serialized: '' }, stamp)).toMatchObject({
      serialized: '{}',
      dirty: true,
      counters: theirs.counters,
    })
  })

  it('keeps ours in a conflict, and theirs on top of the conflicting data', () => {
    const local = { ...base, conflictingSerializedData: 'ours1\n' }
    const incoming = { ...theirs, conflictingSerializedData: 'theirs1\n', deleted: true }
    expect(mergeRecords(local, incoming, stamp)).toEqual({
      ...local,
      conflictingSerializedData: '{"v": "theirs"}\nours1\ntheirs1\n',
      deleted: true,
      lastSavedInstance: 'a',
      lastSavedCounter: 9,
      counters: { a: 9, b: 5, z: 7 },
      dirty: true,
      deserializationError: '',
      lastTransferSessionId: 'transfer',
    })
  })

  it('does not double the conflicting data that both share', () => {
    const ours = { ...base, conflictingSerializedData: 'x\n' }
    const longer = { ...theirs, conflictingSerializedData: 'y\nx\n' }
    const expected = '{"v": "theirs"}\ny\nx\n'
    expect(mergeRecords(ours, longer, stamp).conflictingSerializedData).toBe(expected)
    expect(
      mergeRecords(
        { ...ours, conflictingSerializedData: 'y\nx\n' },
        { ...theirs, conflictingSerializedData: 'x\n' },
        stamp,
      ).conflictingSerializedData,
    ).toBe(expected)
  })

  it('keeps theirs, or a hook’s, if told to, and never loses the rest', () => {
    expect(mergeRecords(base, theirs, stamp, 'theirs')).toMatchObject({
      serialized: '{"v": "theirs"}',
      selfRefFk: 'theirs',
      conflictingSerializedData: '{"v": "ours"}\n',
    })
    expect(mergeRecords(base, theirs, stamp, { serialized: '{"v": 3}', selfRefFk: '' })).toMatchObject({
      serialized: '{"v": 3}',
      selfRefFk: '',
      conflictingSerializedData: '{"v": "theirs"}\n{"v": "ours"}\n',
    })
  })

  it('forgets nobody’s version, whatever the records are', () => {
    fc.assert(
      fc.property(record, record, (local, incoming) => {
        const merged = mergeRecords(local, incoming, stamp)
        expect(merged === local).toBe(decideMerge(local, incoming) === 'known')
        expect(merged.dirty).toBe(merged !== local)
        expect(decideMerge(merged, local)).toBe('known')
        expect(decideMerge(merged, incoming)).toBe('known')
      }),
    )
  })

  const inConflict = fc
    .tuple(record, record)
    .filter(([local, incoming]) => decideMerge(local, incoming) === 'conflict')

  it('is newer than both sides of a conflict, and as deleted as either', () => {
    fc.assert(
      fc.property(inConflict, ([local, incoming]) => {
        const merged = mergeRecords(local, incoming, stamp)
        expect(decideMerge(local, merged)).toBe('fast-forward')
        expect(decideMerge(incoming, merged)).toBe('fast-forward')
        expect(merged.hardDeleted).toBe(local.hardDeleted || incoming.hardDeleted)
        expect(merged.deleted).toBe(local.deleted || incoming.deleted || merged.hardDeleted)
      }),
    )
  })

  it('loses nothing in a conflict, and leaves nothing of what was hard-deleted', () => {
    fc.assert(
      fc.property(inConflict, ([local, incoming]) => {
        const alive = { hardDeleted: false }
        const kept = mergeRecords({ ...local, ...alive }, { ...incoming, ...alive }, stamp)
        expect(kept.conflictingSerializedData.startsWith(`${incoming.serialized}\n`)).toBe(true)
        expect(kept.conflictingSerializedData).toContain(local.conflictingSerializedData)
        expect(kept.conflictingSerializedData).toContain(incoming.conflictingSerializedData)
        const erased = mergeRecords(local, { ...incoming, hardDeleted: true }, stamp)
        expect([erased.serialized, erased.conflictingSerializedData]).toEqual(['{}', ''])
      }),
    )
  })
})
