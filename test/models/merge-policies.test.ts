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
const [A, B, C, M, P] = ['a', 'b', 'c', 'd', 'e'].map((letter) => letter.repeat(32)) as [
  string,
  string,
  string,
  string,
  string,
]

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
  const one = compiled.merge?.(a, b, A).fields.find(({ key }) => key === field)?.raw
  const other = compiled.merge?.(b, a, B).fields.find(({ key }) => key === field)?.raw
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
    ['union', 'tags', '[{"b": 1, "a": 2}]', '[{"a": 2, "b": 1}, 1]', '[1, {"a": 2, "b": 1}]'],
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
      joinObject((await thing(merge)).merge?.(ours, theirs, A).fields ?? [])
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

  /** As an instance edits under the policies. */
  async function edit(before: Version | undefined, instance: string, fields: object): Promise<Version> {
    const { noteSums } = await model
    const after = Object.entries(fields).map(([key, value]) => ({ key, raw: JSON.stringify(value) }))
    const counter = before?.history[instance] ?? 0
    const sums = noteSums?.({ before: before?.raw, after, instance, counter })
    const values = rawValues(before?.raw ?? '{}')
    for (const field of sums === undefined ? after : [...after, sums]) values.set(field.key, field.raw)
    return { raw: textOf(values), history: { ...before?.history, [instance]: counter + 1 } }
  }

  function textOf(values: ReadonlyMap<string, string>): string {
    return joinObject([...values].map(([key, raw]) => ({ key, raw })))
  }

  /** As a peer edits that knows nothing of sums. */
  function editElsewhere({ raw, history }: Version, instance: string, field: string, value: string): Version {
    const values = new Map(rawValues(raw)).set(field, value)
    return { raw: textOf(values), history: { ...history, [instance]: (history[instance] ?? 0) + 1 } }
  }

  /** What `instance`, which has ours, makes of both. */
  async function settle(ours: Version, theirs: Version, instance: string): Promise<Version> {
    const compiled = await model
    const merged = compiled.merge?.(
      sideOf(ours.raw, ours.history),
      sideOf(theirs.raw, theirs.history),
      instance,
    )
    const values = rawValues(ours.raw)
    for (const { key, raw } of merged?.fields ?? []) values.set(key, raw)
    const history: Record<string, number> = { ...ours.history }
    for (const [one, counter] of Object.entries(theirs.history))
      history[one] = Math.max(counter, history[one] ?? 0)
    history[instance] = (history[instance] ?? 0) + 1
    return { raw: textOf(values), history }
  }

  function valuesOf({ raw }: Version): string[] {
    const values = rawValues(raw)
    return ['n', 'price'].map((name) => String(values.get(name)))
  }

  /** What both sides come to, each on its own. */
  async function merge(ours: Version, theirs: Version): Promise<string[]> {
    const values = valuesOf(await settle(ours, theirs, A))
    expect(valuesOf(await settle(theirs, ours, B))).toEqual(values)
    return values
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

  test('are not misled by one that only merges', async () => {
    const first = await edit(undefined, A, { n: 10, price: '1.00' })
    const [a, b] = [
      await edit(first, A, { n: 13, price: '1.00' }),
      await edit(first, B, { n: 14, price: '1.00' }),
    ]
    const merged = await settle(a, b, M)
    expect(valuesOf(merged)[0]).toBe('17')
    expect(await merge(merged, editElsewhere(first, P, 'n', '8'))).toEqual(['15', '"1.00"'])
  })

  test('take the largest of what several have created, in whatever order they meet', async () => {
    const [a, b, c] = await Promise.all(
      [
        [A, 100],
        [B, 50],
        [C, 200],
      ].map(([instance, n]) => edit(undefined, String(instance), { n, price: '1.00' })),
    )
    if (a === undefined || b === undefined || c === undefined) throw new Error('not created')
    expect(valuesOf(await settle(await settle(a, b, M), c, M))[0]).toBe('200')
    expect(valuesOf(await settle(a, await settle(b, c, M), A))[0]).toBe('200')
  })

  test('begin with what a record was before its model had any', async () => {
    const first = { raw: '{"n": 10, "price": "1.00"}', history: { [A]: 1 } }
    const a = await edit(first, A, { n: 13, price: '1.00' })
    expect(await merge(a, editElsewhere(first, P, 'n', '8'))).toEqual(['11', '"1.00"'])
  })

  test('count nothing for a column that is new', async () => {
    const first = { raw: '{"price": "1.00"}', history: { [P]: 1 } }
    const [a, b] = [
      await edit(first, A, { n: 100, price: '1.00' }),
      await edit(first, B, { n: 100, price: '1.00' }),
    ]
    expect(await merge(a, b)).toEqual(['100', '"1.00"'])
    expect(await merge(a, first)).toEqual(['100', '"1.00"'])
    const more = await edit(a, A, { n: 105, price: '1.00' })
    expect(await merge(more, b)).toEqual(['105', '"1.00"'])
  })

  test('forget what was added to a record that was deleted hard', async () => {
    const first = await edit(undefined, A, { n: 10, price: '1.00' })
    const b = await edit(first, B, { n: 15, price: '1.00' })
    const anew = await edit(undefined, A, { n: 100, price: '1.00' })
    const recreated = { ...anew, history: { ...b.history, [A]: 3 } }
    const c = await edit(b, C, { n: 16, price: '1.00' })
    expect(await merge(recreated, c)).toEqual(['101', '"1.00"'])
  })

  test('begin anew where what is stored cannot be read, and say so where theirs cannot', async () => {
    const first = await edit(undefined, A, { n: 1, price: '1.00' })
    const bad = { raw: '{"n": "x", "_morango_sums": {"x": [1]}}', history: { [B]: 1 } }
    await expect(merge(first, bad)).rejects.toThrow('"_morango_sums" must be made of numbers and counters')
    const edited = await edit(bad, A, { n: 7, price: '1.00' })
    expect(valuesOf(await settle(edited, await edit(edited, B, { n: 9, price: '1.00' }), A))[0]).toBe('9')
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
