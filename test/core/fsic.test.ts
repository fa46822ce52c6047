import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fsicDiffV1, assembleFsicV1, queueDiffV1 } from '../../src/core/fsic-v1.ts'
import {
  assembleFsicV2,
  expandFsic,
  fsicDiffV2,
  removeRedundantCounters,
  requireFsicInsideFilter,
} from '../../src/core/fsic-v2.ts'
import { claimsUnder, ownClaimsUnder } from '../../src/core/fsic-claims.ts'
import { MAX_CLAIMS, MAX_PARTITION } from '../../src/core/limits.ts'
import { chunkFsicV2, queueDiffV2 } from '../../src/core/fsic-queue.ts'
import { fsicToText, parseFsicV1, parseFsicV2 } from '../../src/core/fsic-text.ts'
import type { FsicV2, InstanceCounters, PartitionCounters, QueueRange } from '../../src/core/fsic.ts'
import { golden } from './golden.ts'

const data = golden<{
  remove_redundant_instance_counters: { input: FsicV2; output: FsicV2 }[]
  expand_fsic_for_use: { input: FsicV2; filter: string[]; output: PartitionCounters }[]
  calculate_directional_fsic_diff: {
    sender: InstanceCounters
    receiver: InstanceCounters
    output: InstanceCounters
  }[]
  calculate_directional_fsic_diff_v2: {
    sender: PartitionCounters
    receiver: PartitionCounters
    output: PartitionCounters
  }[]
  chunk_fsic_v2: { input: PartitionCounters; chunk_size: number; output: PartitionCounters[] }[]
  pipeline: {
    filter: string[]
    sender: FsicV2
    receiver: FsicV2
    sender_reduced: FsicV2
    receiver_reduced: FsicV2
    sender_expanded: PartitionCounters
    receiver_expanded: PartitionCounters
    diff: PartitionCounters
  }[]
}>('fsic')

const [A, B] = ['a'.repeat(32), 'b'.repeat(32)] as const
const partition = fc.string({ unit: fc.constantFrom('a', 'b', ':'), maxLength: 3 })
const counters = fc.dictionary(fc.constantFrom(A, B), fc.integer({ min: 0, max: 5 }), { maxKeys: 2 })
const partitions = fc.dictionary(partition, counters, { maxKeys: 5 })

interface Saved {
  readonly partition: string
  readonly instance: string
  readonly counter: number
}

/** Every record that could be, one per partition, instance and counter. */
const universe: Saved[] = ['', 'a', 'b', 'aa', 'ab', 'a:', 'aab', 'ab:', 'aba', 'b:a'].flatMap((place) =>
  [A, B].flatMap((instance) =>
    [1, 2, 3, 4, 5, 6].map((counter) => ({ partition: place, instance, counter })),
  ),
)

const claims = (claimed: PartitionCounters, record: Saved): boolean =>
  Object.entries(claimed).some(
    ([prefix, known]) =>
      record.partition.startsWith(prefix) && (known[record.instance] ?? 0) >= record.counter,
  )

const inRange = (range: QueueRange, record: Saved): boolean =>
  record.instance === range.instance &&
  record.counter > range.after &&
  record.partition.startsWith(range.partition) &&
  !range.exclude.some((one) => record.partition.startsWith(one.partition) && record.counter <= one.upTo)

describe('FSICs of the original', () => {
  it('drops redundant counters', () => {
    for (const { input, output } of data.remove_redundant_instance_counters) {
      expect(removeRedundantCounters(input)).toEqual(output)
    }
  })

  it('expands', () => {
    for (const { input, filter, output } of data.expand_fsic_for_use) {
      expect(expandFsic(input, filter)).toEqual(output)
    }
  })

  it('compares in v1', () => {
    for (const { sender, receiver, output } of data.calculate_directional_fsic_diff) {
      expect(fsicDiffV1(sender, receiver)).toEqual(output)
    }
  })

  it('compares in v2', () => {
    for (const { sender, receiver, output } of data.calculate_directional_fsic_diff_v2) {
      expect(fsicDiffV2(sender, receiver)).toEqual(output)
    }
  })

  it('chunks', () => {
    for (const { input, chunk_size, output } of data.chunk_fsic_v2) {
      expect(chunkFsicV2(input, chunk_size)).toEqual(output)
    }
  })

  it('goes the whole way', () => {
    for (const vector of data.pipeline) {
      const { filter } = vector
      const sender = removeRedundantCounters(vector.sender)
      const receiver = removeRedundantCounters(vector.receiver)
      expect([sender, receiver]).toEqual([vector.sender_reduced, vector.receiver_reduced])
      const expanded = [expandFsic(sender, filter), expandFsic(receiver, filter)] as const
      expect(expanded).toEqual([vector.sender_expanded, vector.receiver_expanded])
      expect(fsicDiffV2(...expanded)).toEqual(vector.diff)
    }
  })
})

describe('queueing', () => {
  it('asks for what the plain difference does, less what the receiver claims, each record once', () => {
    fc.assert(
      fc.property(partitions, partitions, (sender, receiver) => {
        const diff = fsicDiffV2(sender, receiver)
        const plain: QueueRange[] = Object.entries(diff).flatMap(([place, missing]) =>
          Object.entries(missing).map(([instance, after]) => ({
            partition: place,
            instance,
            after,
            exclude: [],
          })),
        )
        const ranges = queueDiffV2(sender, receiver)
        for (const record of universe) {
          const expected = plain.some((range) => inRange(range, record)) && !claims(receiver, record)
          expect(ranges.filter((range) => inRange(range, record))).toHaveLength(expected ? 1 : 0)
        }
      }),
      { numRuns: 300 },
    )
  })

  it('does not send a subset again after it was pulled', () => {
    expect(
      queueDiffV2({ '': { [A]: 9 } }, { 'x:1': { [A]: 7 }, 'x:1:y': { [A]: 5 }, 'x:2': { [B]: 3 } }),
    ).toEqual([{ partition: '', instance: A, after: 0, exclude: [{ partition: 'x:1', upTo: 7 }] }])
  })

  it('excludes so many claims of a range that databases take the expression', () => {
    const claimed = Object.fromEntries(Array.from({ length: 5000 }, (_, no) => [`x:${no}:`, { [A]: 1 }]))
    const [range, ...others] = queueDiffV2({ x: { [A]: 9 } }, claimed)
    expect([range?.partition, range?.after, others]).toEqual(['x', 0, []])
    expect(range?.exclude.length).toBeGreaterThan(0)
    expect(range?.exclude.length).toBeLessThanOrEqual(100)
  })

  it('covers the filter once in v1', () => {
    expect(queueDiffV1({ [A]: 5, [B]: 1 }, { [A]: 2, [B]: 1 }, ['x', 'x:1', 'y'])).toEqual([
      { partition: 'x', instance: A, after: 2, exclude: [] },
      { partition: 'y', instance: A, after: 2, exclude: [] },
    ])
  })
})

describe('assembling', () => {
  const rows = [
    { partition: '', instance: A, counter: 2 },
    { partition: 'x', instance: A, counter: 5 },
    { partition: 'x', instance: B, counter: 3 },
    { partition: 'y', instance: A, counter: 4 },
    { partition: 'x:1', instance: A, counter: 9 },
    { partition: 'z', instance: B, counter: 1 },
  ]

  it('v1: a producer claims the highest, a receiver what holds for every prefix', () => {
    expect(assembleFsicV1(rows, ['x', 'y'], 'producer')).toEqual({ [A]: 5, [B]: 3 })
    expect(assembleFsicV1(rows, ['x', 'y'], 'receiver')).toEqual({ [A]: 4 })
    expect(assembleFsicV1(rows, ['x:2'], 'receiver')).toEqual({ [A]: 5, [B]: 3 })
    expect(assembleFsicV1([], ['x'], 'receiver')).toEqual({})
  })

  it('v2: splits into what is under the filter and what is above it', () => {
    expect(assembleFsicV2(rows, ['x', 'y:1'])).toEqual({
      super: { '': { [A]: 2 }, y: { [A]: 4 } },
      sub: { x: { [A]: 5, [B]: 3 }, 'x:1': { [A]: 9 } },
    })
  })

  it('refuses an FSIC that leaves the filter', () => {
    const fsic = assembleFsicV2(rows, [''])
    expect(() => requireFsicInsideFilter(fsic, ['x'])).toThrow(
      expect.objectContaining({ code: 'fsic-outside-filter' }),
    )
    requireFsicInsideFilter(fsic, [''])
  })
})

describe('FSIC texts', () => {
  it.each(['', '{}', undefined, null, {}])('reads %j as nothing', (input) => {
    expect(parseFsicV1(input)).toEqual({})
    expect(parseFsicV2(input)).toEqual({ super: {}, sub: {} })
  })

  it('comes back from its text', () => {
    fc.assert(
      fc.property(partitions, partitions, (sup, sub) => {
        const fsic = { super: sup, sub }
        expect(parseFsicV2(fsicToText(fsic))).toEqual(fsic)
        expect(parseFsicV2(fsic)).toEqual(fsic)
      }),
    )
    expect(fsicToText({ super: {}, sub: { é: { [A]: 1 } } })).toBe(
      `{"super": {}, "sub": {"\\u00e9": {"${A}": 1}}}`,
    )
    expect(fsicToText(parseFsicV1(`{"${A}": 3}`))).toBe(`{"${A}": 3}`)
  })

  it('takes any key for a partition', () => {
    const fsic = parseFsicV2(`{"super": {}, "sub": {"__proto__": {"${A}": 1}, "toString": {}}}`)
    expect(Object.keys(fsic.sub)).toEqual(['__proto__', 'toString'])
    expect(Object.entries(expandFsic(fsic, ['__proto__']))).toEqual([['__proto__', { [A]: 1 }]])
    expect(fsicToText(removeRedundantCounters(fsic))).toContain('__proto__')
  })

  it.each(['x', '[]', '5', `{"${A}": -1}`, `{"${A}": 1.5}`, `{"${A}": "1"}`, '{"x": 1}', `{"${A}": 1e99}`])(
    'v1 refuses %s',
    (text) => {
      expect(() => parseFsicV1(text)).toThrow(expect.objectContaining({ code: 'fsic-malformed' }))
    },
  )

  it.each(['x', '[]', `{"${A}": 1}`, '{"sub": []}', '{"sub": {"a": 1}}', `{"sub": {"a": {"${A}": null}}}`])(
    'v2 refuses %s',
    (text) => {
      expect(() => parseFsicV2(text)).toThrow(expect.objectContaining({ code: 'fsic-malformed' }))
    },
  )
})

describe('how much may be claimed', () => {
  const claimed = (partitions: number): string =>
    JSON.stringify({
      super: {},
      sub: Object.fromEntries(
        Array.from({ length: partitions }, (_, no) => [`x:${no}:`.padEnd(MAX_PARTITION, '-'), { [A]: 1 }]),
      ),
    })

  it('by a peer: so many claims, each on the longest partition, and none more', () => {
    expect(Object.keys(claimsUnder(claimed(MAX_CLAIMS), 'v2', ['x']))).toHaveLength(MAX_CLAIMS)
    expect(() => claimsUnder(claimed(MAX_CLAIMS + 1), 'v2', ['x'])).toThrow('claims')
  })

  it('by a peer above the prefixes of a filter: what all of them take over is counted', () => {
    const filter = Array.from({ length: 200 }, (_, no) => `x:${no}:`)
    const above = (instances: number): string =>
      JSON.stringify({
        super: { x: Object.fromEntries(Array.from({ length: instances }, (_, no) => [hexId(no), 1])) },
        sub: {},
      })
    expect(Object.keys(claimsUnder(above(500), 'v2', filter))).toHaveLength(200)
    expect(() => claimsUnder(above(501), 'v2', filter)).toThrow('too many claims')
  })

  it('by this side: as much as there is', () => {
    expect(Object.keys(ownClaimsUnder(claimed(MAX_CLAIMS + 1), ['x']))).toHaveLength(MAX_CLAIMS + 1)
  })
})

function hexId(value: number): string {
  return value.toString(16).padStart(32, '0')
}
