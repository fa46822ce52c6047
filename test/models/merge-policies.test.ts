import { describe, expect, test } from 'vitest'
import { joinObject, rawValues } from '../../src/core/python-json.ts'
import type { CompiledModel, MergeSide } from '../../src/models/compiled.ts'
import { add, formatExact, parseExact } from '../../src/models/merge/exact-number.ts'
import type { MergePolicies } from '../../src/models/merge/policies.ts'
import { setUnion } from '../../src/models/merge/set-union.ts'
import { compileOne } from './fixtures.ts'

const TABLE = `create table thing (
  id char(32) primary key not null, place text not null, secret text, n integer, price numeric(9, 2), weight real,
  open boolean, at datetime, day date, hour time, took text, tags json, list text, blob blob, note text,
  parent text references thing)`
const [A, B, P] = ['a', 'b', 'p'].map((letter) => letter.repeat(32)) as [string, string, string]

async function thing(merge: MergePolicies): Promise<CompiledModel> {
  return await compileOne(TABLE, {
    partition: '${place}',
    exclude: ['secret'],
    columns: { list: { kind: 'json', storage: 'string' }, took: 'duration' },
    merge,
  })
}

function sideOf(raw: string, history: Record<string, number>): MergeSide {
  return { raw, value: {}, instance: A, counter: 1, history }
}

/** What a merge gives for one field, either way round. */
async function bothWays(merge: MergePolicies, ours: string, theirs: string, field: string): Promise<unknown> {
  const compiled = await thing(merge)
  const [a, b] = [sideOf(ours, { [A]: 1 }), sideOf(theirs, { [B]: 1 })]
  const one = compiled.merge?.(a, b).find(({ key }) => key === field)?.raw
  const other = compiled.merge?.(b, a).find(({ key }) => key === field)?.raw
  expect(other).toBe(one)
  return one
}

describe('what policies make of two values', () => {
  test.each([
    ['max', 'n', '2', '10', '10'],
    ['min', 'n', '2', '10', '2'],
    ['max', 'n', '9007199254740993', '9007199254740992', '9007199254740993'],
    ['max', 'price', '"9.50"', '"10.00"', '"10.00"'],
    ['min', 'weight', '0.5', '-Infinity', '-Infinity'],
    ['max', 'weight', 'NaN', '-1e300', '-1e300'],
    ['max', 'open', 'true', 'false', 'true'],
    ['max', 'at', '"2026-05-01T08:00:00.500Z"', '"2026-05-01T08:00:00Z"', '"2026-05-01T08:00:00.500Z"'],
    ['max', 'at', '"2026-05-01T10:00:00+02:00"', '"2026-05-01T08:00:01Z"', '"2026-05-01T08:00:01Z"'],
    // The same instant, written otherwise.
    ['max', 'at', '"2026-05-01T10:00:00+02:00"', '"2026-05-01T08:00:00Z"', '"2026-05-01T10:00:00+02:00"'],
    ['min', 'day', '"2026-05-01"', '"2026-04-30"', '"2026-04-30"'],
    ['max', 'hour', '"07:00:00"', '"07:00:00.001"', '"07:00:00.001"'],
    ['max', 'note', '"b"', '"\\ud83d\\ude00"', '"\\ud83d\\ude00"'],
    ['max', 'n', 'null', '-5', '-5'],
    ['min', 'n', 'null', '-5', '-5'],
    ['union', 'tags', '[3, "b", 20]', '["a", 3, {"x": 1}]', '[3, 20, "a", "b", {"x": 1}]'],
    ['union', 'tags', 'null', '["b", "a"]', '["b", "a"]'],
    ['union', 'tags', '["b", "a"]', '["b", "a"]', '["b", "a"]'],
  ] as const)('%s of %s', async (policy, field, ours, theirs, expected) => {
    const [a, b] = [`{"${field}": ${ours}}`, `{"${field}": ${theirs}}`]
    expect(await bothWays({ [field]: policy }, a, b, field)).toBe(expected)
  })

  test('the latest by another column, which keeps the later value itself', async () => {
    const merge: MergePolicies = { note: { latestBy: 'at' } }
    const older = '{"note": "z", "at": "2026-05-01T08:00:00Z"}'
    const newer = '{"note": "a", "at": "2026-05-01T09:00:00Z"}'
    expect(await bothWays(merge, older, newer, 'note')).toBe('"a"')
    expect(await bothWays(merge, older, newer, 'at')).toBe('"2026-05-01T09:00:00Z"')
    expect(await bothWays(merge, older, '{"note": "a", "at": null}', 'note')).toBe('"z"')
    // At the same time, which is which must not matter.
    expect(await bothWays(merge, older, older.replace('"z"', '"y"'), 'note')).toBe('"z"')
  })

  test('columns not named, and fields that this version does not know', async () => {
    const [ours, theirs] = ['{"note": "o", "day": 1, "x": 1}', '{"note": "t", "day": 2, "x": 2, "y": 3}'].map(
      (raw) => sideOf(raw, {}),
    ) as [MergeSide, MergeSide]
    const merged = async (merge: MergePolicies): Promise<string> =>
      joinObject((await thing(merge)).merge?.(ours, theirs) ?? [])
    expect(await merged({})).toBe('{"note": "o", "day": 1, "x": 1, "y": 3}')
    expect(await merged({ '*': 'theirs', note: 'ours' })).toBe('{"note": "o", "day": 2, "x": 2, "y": 3}')
  })

  test('a list and something else', () => {
    expect(() => setUnion('[1]', '{}', 'tags')).toThrow('"tags" must be a list, not {}')
  })
})

describe('sums', () => {
  /** A record as it travels, and who has saved it. */
  interface Version {
    readonly raw: string
    readonly history: Record<string, number>
  }

  const model = thing({ n: 'sum', price: 'sum' })

  async function edit(before: Version | undefined, instance: string, fields: object): Promise<Version> {
    const { noteSums } = await model
    const after = Object.entries(fields).map(([key, value]) => ({ key, raw: JSON.stringify(value) }))
    const values = new Map(before === undefined ? [] : rawValues(before.raw))
    for (const { key, raw } of [...after, noteSums?.(before?.raw, after, instance)].filter(
      (field) => field !== undefined,
    )) {
      values.set(key, raw)
    }
    const counter = Math.max(0, ...Object.values(before?.history ?? {})) + 1
    return { raw: textOf(values), history: { ...before?.history, [instance]: counter } }
  }

  function textOf(values: ReadonlyMap<string, string>): string {
    return joinObject([...values].map(([key, raw]) => ({ key, raw })))
  }

  /** As a peer edits that knows nothing of sums. */
  function editElsewhere({ raw, history }: Version, instance: string, field: string, value: string): Version {
    const values = new Map(rawValues(raw)).set(field, value)
    const counter = Math.max(...Object.values(history)) + 1
    return { raw: textOf(values), history: { ...history, [instance]: counter } }
  }

  async function merge(ours: Version, theirs: Version): Promise<string[]> {
    const compiled = await model
    const [a, b] = [ours, theirs].map(({ raw, history }) => sideOf(raw, history)) as [MergeSide, MergeSide]
    const one = joinObject(compiled.merge?.(a, b) ?? [])
    expect(joinObject(compiled.merge?.(b, a) ?? [])).toBe(one)
    const values = rawValues(one)
    return ['n', 'price'].map((name) => String(values.get(name)))
  }

  test('have what both sides added, exactly', async () => {
    const first = await edit(undefined, A, { n: 9007199254740991, price: '0.10' })
    const [a, b] = [
      await edit(first, A, { n: 2, price: '0.30' }),
      await edit(first, B, { n: 4, price: '0.07' }),
    ]
    expect(await merge(a, b)).toEqual(['-9007199254740985', '"0.27"'])
  })

  test('take a null for nothing, and stay null only where both are', async () => {
    const first = await edit(undefined, A, { n: null, price: null })
    const [a, b] = [await edit(first, A, { n: 5, price: null }), await edit(first, B, { n: 2, price: null })]
    expect(await merge(a, b)).toEqual(['7', 'null'])
  })

  test('count what peers that know nothing of sums have changed', async () => {
    const first = editElsewhere({ raw: '{"n": 10, "price": "1.00"}', history: { [P]: 1 } }, P, 'n', '12')
    const a = await edit(first, A, { n: 15, price: '1.00' })
    expect(await merge(a, editElsewhere(first, P, 'n', '11'))).toEqual(['14', '"1.00"'])
    const b = await edit(editElsewhere(first, P, 'n', '9'), B, { n: 10, price: '2.00' })
    expect(await merge(a, b)).toEqual(['13', '"2.00"'])
  })

  test('say which text of theirs is none of numbers', async () => {
    const first = await edit(undefined, A, { n: 1, price: '1.00' })
    const bad = { raw: '{"n": 1, "_morango_sums": {"x": [1]}}', history: { [B]: 1 } }
    await expect(merge(first, bad)).rejects.toThrow('"_morango_sums" must be an object of objects')
  })

  test('exact numbers', () => {
    const sum = (a: string, b: string): string => {
      const [left, right] = [parseExact(a), parseExact(b)]
      if (left === undefined || right === undefined) throw new Error('no number')
      return formatExact(add(left, right))
    }
    expect([sum('0.1', '0.2'), sum('-0.05', '0.05'), sum('-1.5', '1'), sum('1e3', '2')]).toEqual([
      '0.3',
      '0',
      '-0.5',
      '1002',
    ])
    expect(parseExact('x')).toBeUndefined()
  })
})

describe('policies that cannot be followed', () => {
  test.each<[MergePolicies, string, string]>([
    [{ nn: 'max' }, '`merge` names it, but table "thing" has no such column', 'Did you mean "n"?'],
    [{ secret: 'max' }, 'it does not sync, so there is nothing to merge', 'Take it out of `merge`'],
    [{ place: 'theirs' }, 'it never changes, so there is nothing to merge', 'Take it out of `merge`'],
    [{ id: 'theirs' }, 'it never changes, so there is nothing to merge', 'Take it out of `merge`'],
    [{ tags: 'max' }, 'values of kind "json" have no order, so there is no "max"', 'Take another policy'],
    [
      { weight: 'sum' },
      'sums of floating-point numbers depend on their order',
      'Declare it as integer or decimal',
    ],
    [{ note: 'sum' }, 'there are no sums of values of kind "text"', 'Take another policy'],
    [{ note: 'union' }, 'its kind is "text", which holds no lists', 'Declare it as json'],
    [{ list: 'union' }, 'its JSON travels as a string', 'Declare it as json'],
    [
      { note: { latestBy: 'blob' } },
      '"blob" cannot tell which side is the latest',
      'the time of the last edit',
    ],
    [{ note: { latestBy: 'att' } }, '`merge` names it, but table "thing" has no such column', 'mean "at"?'],
    [{ note: { latestBy: 'at' }, at: 'min' }, 'it decides which "note" is the latest', "give it 'max'"],
    // @ts-expect-error as JavaScript may
    [{ n: 'add' }, 'there is no merge policy "add"', "'union' and { latestBy: column }"],
    // @ts-expect-error as JavaScript may
    [{ '*': 'sum' }, '"sum" does not go for columns of any kind', 'Name the columns'],
  ])('%j', async (merge, problem, hint) => {
    await expect(thing(merge)).rejects.toMatchObject({
      code: 'invalid-declaration',
      message: expect.stringMatching(/^Model "thing", column "[^"]+": /),
      hint: expect.stringContaining(hint),
    })
    await expect(thing(merge)).rejects.toThrow(problem)
  })
})
