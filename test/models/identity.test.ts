import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { recordIdMatches } from '../../src/core/ids.ts'
import type { CompiledModel } from '../../src/models/compiled.ts'
import { model } from '../../src/models/model.ts'
import { buildRecord } from '../../src/models/record.ts'
import { compile, compileOne, ID_A, ID_B, mustFind } from './fixtures.ts'

const ID = 'id char(32) primary key not null'
const uuid = () => ID_B

function plain(options: Partial<Parameters<typeof compileOne>[1]> = {}): Promise<CompiledModel> {
  return compileOne(`create table thing (${ID}, owner text, n integer)`, {
    partition: '${owner}:thing',
    ...options,
  })
}

interface GoldenId {
  readonly model: string
  readonly fields: Readonly<Record<string, string>>
  readonly given_source_id: string | null
  readonly id: string
  readonly source_id: string
  readonly partition: string
}

function goldenIds(): readonly GoldenId[] {
  const file = new URL('../fixtures/golden/ids.json', import.meta.url)
  const { models_stock: ids }: { models_stock: readonly GoldenId[] } = JSON.parse(readFileSync(file, 'utf8'))
  return ids
}

describe('ids of the original', async () => {
  const profile = await compile(
    `create table facility (${ID}, name text); create table user (${ID}, username text);
     create table summary (${ID}, user_id text references user, content_id text);
     create table interaction (${ID}, user_id text references user, content_id text)`,
    {
      facility: model({ table: 'facility', partition: '', sourceId: '${name}' }),
      user: model({ table: 'user', partition: '${id}:user', id: 'source-id' }),
      contentsummarylog: model({
        table: 'summary',
        partition: '${user_id}:user:summary',
        sourceId: '${user_id}:${content_id}',
      }),
      contentinteractionlog: model({ table: 'interaction', partition: '${user_id}:user:interaction' }),
    },
  )

  test.each(goldenIds())('$model $id', (golden) => {
    const compiled = mustFind(profile, golden.model)
    const identity = { id: golden.id, sourceId: golden.source_id, partition: golden.partition }
    const values = { ...golden.fields, morango_source_id: golden.given_source_id }
    expect(compiled.build(values, () => golden.source_id)).toEqual(identity)
    expect(compiled.identify({ ...values, id: golden.id })).toEqual(identity)
    expect(compiled.idMatches(identity)).toBe(true)
    expect(compiled.idMatches({ ...identity, id: ID_A })).toBe(false)
  })
})

describe('a random source id', () => {
  test('is made once and kept', async () => {
    const compiled = await plain()
    const row = buildRecord(compiled, { owner: 'o', n: 1 }, uuid)
    expect(row).toEqual({ owner: 'o', n: 1, id: row.id, morango_source_id: ID_B })
    expect(compiled.identify(row)).toEqual({ id: row.id, sourceId: ID_B, partition: 'o:thing' })
    expect(buildRecord(compiled, row, () => ID_A)).toEqual(row)
  })

  test('is missing in a row that was made by hand', async () => {
    const compiled = await plain()
    expect(() => compiled.identify({ id: ID_A, owner: 'o', morango_source_id: null })).toThrow(
      expect.objectContaining({
        code: 'source-id-empty',
        message: '"morango_source_id" has no source id in it: create rows with morango.record()',
        field: 'morango_source_id',
      }),
    )
  })
})

describe('an id that is the source id', () => {
  test('and random', async () => {
    const compiled = await plain({ id: 'source-id' })
    expect(buildRecord(compiled, { owner: 'o' }, uuid)).toEqual({ owner: 'o', id: ID_B })
    expect(buildRecord(compiled, { owner: 'o', id: ID_A }, uuid)).toEqual({ owner: 'o', id: ID_A })
    expect(compiled.identify({ owner: 'o', id: ID_A }).sourceId).toBe(ID_A)
    expect(compiled.idMatches({ id: 'x', sourceId: 'x', partition: '' })).toBe(false)
  })

  test('and derived', async () => {
    const compiled = await plain({ id: 'source-id', sourceId: '${owner}', partition: '${id}:x' })
    expect(buildRecord(compiled, { owner: ID_A }, uuid)).toEqual({ owner: ID_A, id: ID_A })
    expect(compiled.identify({ owner: ID_A, id: ID_A }).partition).toBe(`${ID_A}:x`)
    expect(() => compiled.identify({ owner: ID_A, id: ID_B })).toThrow(
      expect.objectContaining({
        code: 'id-mismatch',
        message:
          `"id" is ${ID_B}, but its source id is ${ID_A}, and they must be the same. Create rows with ` +
          'morango.record(), and make a new row instead of changing what an id is derived from',
      }),
    )
    expect(() => buildRecord(compiled, { owner: 'x' }, uuid)).toThrow(
      expect.objectContaining({
        code: 'invalid-argument',
        message:
          'Not a record of model "thing": "id" must be 32 lowercase hex digits, not x: create rows with ' +
          'morango.record()',
        details: { model: 'thing', field: 'id', code: 'id-not-a-uuid' },
      }),
    )
  })
})

describe('refuses', () => {
  test('an id that does not fit', async () => {
    const compiled = await plain({ sourceId: '${n}' })
    const { id } = compiled.build({ owner: 'o', n: 1 }, uuid)
    expect(() => compiled.identify({ id, owner: 'o', n: '2' })).toThrow(
      expect.objectContaining({
        code: 'id-mismatch',
        field: 'id',
        message: expect.stringMatching(
          `"id" is ${id}, but its partition and source id, which it is derived from`,
        ),
      }),
    )
  })

  test.each([null, undefined, 'abc', 'A'.repeat(32), 5])('the id %s', async (id) => {
    const compiled = await plain({ sourceId: '${n}' })
    expect(() => compiled.identify({ id, owner: 'o', n: '2' })).toThrow(
      expect.objectContaining({
        code: 'id-not-a-uuid',
        message: expect.stringContaining('morango.record()'),
      }),
    )
  })

  test('columns that are empty', async () => {
    const compiled = await plain({ sourceId: '${n}' })
    expect(() => compiled.identify({ id: ID_A, owner: null, n: '1' })).toThrow(
      expect.objectContaining({ code: 'partition-empty', field: 'owner' }),
    )
    expect(() => compiled.identify({ id: ID_A, owner: 'o', n: null })).toThrow(
      expect.objectContaining({ code: 'source-id-empty', field: 'n' }),
    )
  })

  test('what is too long for other peers', async () => {
    const compiled = await plain({ sourceId: '${n}', partition: '${owner}' })
    const build = (owner: string, n: string) => compiled.build({ owner, n }, uuid)
    expect(build('😀'.repeat(128), 'å'.repeat(96)).partition).toHaveLength(256)
    expect(() => build('x'.repeat(129), '1')).toThrow(expect.objectContaining({ code: 'partition-too-long' }))
    expect(() => build('x', '1'.repeat(97))).toThrow(expect.objectContaining({ code: 'source-id-too-long' }))
  })
})

describe('functions', () => {
  test('see the placeholder for the id', async () => {
    const byTemplate = await plain({ partition: '${owner}:${id}', sourceId: 's${n}' })
    const byFunction = await plain({
      partition: (row) => `${String(row['owner'])}:${String(row['id'])}`,
      sourceId: (row) => `s${String(row['n'])}`,
    })
    const row = buildRecord(byFunction, { owner: 'o', n: 1 }, uuid)
    expect(row).toEqual(buildRecord(byTemplate, { owner: 'o', n: 1 }, uuid))
    expect(byFunction.identify(row)).toEqual(byTemplate.identify(row))
    expect(byFunction.partitionTemplate).toBeUndefined()
  })

  test('that fail or give nothing fail for their record only', async () => {
    const failing = await plain({
      partition: () => {
        throw new Error('boom')
      },
    })
    expect(() => failing.identify({ id: ID_A })).toThrow(
      expect.objectContaining({
        code: 'partition-failed',
        message: 'The partition function of model "thing" failed: boom',
      }),
    )
    const empty = await plain({ sourceId: () => '' })
    expect(() => empty.identify({ id: ID_A, owner: 'o' })).toThrow(
      expect.objectContaining({ code: 'source-id-empty' }),
    )
  })
})

test('what is built identifies, and a receiver derives the same', async () => {
  const compiled = await plain({ partition: '${owner}:${id}:${n}' })
  fc.assert(
    fc.property(
      fc.string({ minLength: 1, maxLength: 40 }),
      fc.maxSafeInteger(),
      fc.uuid(),
      (owner, n, random) => {
        const row = buildRecord(compiled, { owner, n }, () => random)
        const identity = compiled.identify(row)
        expect(compiled.idMatches(identity)).toBe(true)
        expect(recordIdMatches({ ...identity, modelName: 'thing' })).toBe(true)
        expect(compiled.idMatches({ ...identity, partition: `${identity.partition}!` })).toBe(false)
      },
    ),
  )
})
