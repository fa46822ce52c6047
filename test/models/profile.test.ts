import { describe, expect, test } from 'vitest'
import { scopeOf } from '../../src/core/scope.ts'
import { model } from '../../src/models/model.ts'
import { defineProfile } from '../../src/models/profile.ts'
import type { ModelDeclarations } from '../../src/models/profile.ts'
import { scope } from '../../src/models/scope.ts'
import type { ScopeDeclaration, ScopeOptions } from '../../src/models/scope.ts'

const place = model({ table: 'place', partition: '${country_id}:place' })

function define(models: ModelDeclarations, scopes: Record<string, ScopeDeclaration> = {}, name = 'p') {
  return defineProfile({ name, models, scopes })
}

function refusal(message: string, hint: string): unknown {
  return expect.objectContaining({
    code: 'invalid-declaration',
    message,
    hint: expect.stringContaining(hint),
  })
}

test('a profile as in the example', () => {
  const gazetteer = defineProfile({
    name: 'gazetteer',
    models: { country: model({ table: 'country', sourceId: '${code}', partition: '${id}' }), place },
    scopes: {
      'full-country': scope({
        root: 'country_id',
        readWrite: '${country_id}',
        description: 'All',
        version: 3,
      }),
    },
  })
  expect(gazetteer.models.place).toBe(place)
  expect(gazetteer.scopes).toEqual({
    'full-country': {
      id: 'full-country',
      profile: 'gazetteer',
      version: 3,
      primaryScopeParamKey: 'country_id',
      description: 'All',
      readFilterTemplate: '',
      writeFilterTemplate: '',
      readWriteFilterTemplate: '${country_id}',
    },
  })
})

describe('limits', () => {
  test.each([
    ['profile', 'p'.repeat(21), () => define({}, {}, 'p'.repeat(21)), 20],
    ['model', 'm'.repeat(41), () => define({ ['m'.repeat(41)]: place }), 40],
  ])('%s name %s', (what, name, call, limit) => {
    expect(call).toThrow(
      refusal(`The ${what} name "${name}" has ${name.length} characters`, `at most ${limit}`),
    )
  })

  test('scope id', () => {
    const id = 's'.repeat(21)
    expect(() => define({}, { [id]: scope({ read: 'x' }) })).toThrow(
      refusal(`The scope id "${id}" has 21 characters`, 'at most 20'),
    )
  })

  test('empty names', () => {
    expect(() => define({}, {}, '')).toThrow(refusal('The profile name is empty', 'name'))
    expect(() => define({ '': place })).toThrow(refusal('The model name is empty', 'name'))
  })

  test('the longest names', () => {
    expect(() =>
      define({ ['m'.repeat(40)]: place }, { ['s'.repeat(20)]: scope({ read: 'x' }) }, 'p'.repeat(20)),
    ).not.toThrow()
  })
})

describe('models', () => {
  test('of the same name', () => {
    const other = model({ table: 'other', name: 'place', partition: 'x' })
    expect(() => define({ place, other })).toThrow(
      refusal('The models "place" and "other" have the same name "place"', 'another `name`'),
    )
  })

  test('of the same table', () => {
    expect(() => define({ place, second: model({ table: 'place', partition: 'x' }) })).toThrow(
      refusal('The models "place" and "second" have the same table "place"', 'one model only'),
    )
  })

  test.each([
    [
      model({ table: 't', partition: '$country_id:x' }),
      'Model "m": the partition "$country_id:x" has a $ that begins no ${column}',
      'Write a column as ${column}',
    ],
    [
      model({ table: 't', partition: 'x', sourceId: '${a' }),
      'Model "m": the sourceId "${a" has a $ that begins no ${column}',
      'Write a column as ${column}',
    ],
    [model({ table: 't', partition: 'x', sourceId: '' }), 'Model "m" has an empty sourceId', 'random'],
    [
      model({ table: 't', partition: 'x', sourceId: '${id}:a' }),
      'Model "m": the sourceId "${id}:a" names the id, which is derived from it',
      "id: 'source-id'",
    ],
    [
      model({ table: 't', partition: 'x', sourceId: '${a}', sourceIdColumn: 'b' }),
      'Model "m" has a sourceIdColumn besides a sourceId',
      'Leave it out',
    ],
    [
      model({ table: 't', partition: 'x', id: 'source-id', sourceIdColumn: 'b' }),
      `Model "m" has a sourceIdColumn besides id: 'source-id'`,
      'Leave it out',
    ],
  ])('%#', (declared, message, hint) => {
    expect(() => define({ m: declared })).toThrow(refusal(message, hint))
  })
})

describe('scopes', () => {
  function scopeFilters(options: ScopeOptions): { read: readonly string[]; write: readonly string[] } {
    const { s } = define({}, { s: scope(options) }).scopes
    if (s === undefined) throw new Error('no scope')
    return scopeOf(s, { root: 'R', user: 'U' })
  }

  test('without any prefix', () => {
    for (const options of [{}, { read: '' }, { readWrite: [' \n'], root: 'root' }]) {
      expect(() => define({}, { s: scope(options) })).toThrow(
        refusal(
          'Scope "s" has no prefix, which on the wire means that it reads and writes everything',
          '`readWrite`',
        ),
      )
    }
  })

  test('of a root whose prefixes do not begin with it', () => {
    expect(() => define({}, { s: scope({ root: 'root', readWrite: '${root}', read: 'public' }) })).toThrow(
      refusal(
        'Scope "s" makes root certificates, but its prefix "public" does not begin with ${root}',
        'Write it as "${root}:public"',
      ),
    )
  })

  test('several prefixes', () => {
    expect(scopeFilters({ readWrite: ['${root}:a', '${root}:b'], read: '${root}:c\n${root}:d' })).toEqual({
      read: ['R:a', 'R:b', 'R:c', 'R:d'],
      write: ['R:a', 'R:b'],
    })
  })

  test('what is left out is not allowed, where an empty filter would be everything', () => {
    expect(scopeFilters({ read: '${root}:a' })).toEqual({ read: ['R:a'], write: ['R:a:(nothing)'] })
    expect(scopeFilters({ root: 'root', write: '${root}' })).toEqual({ read: ['R:(nothing)'], write: ['R'] })
    expect(scopeFilters({ readWrite: '${user}' })).toEqual({ read: ['U'], write: ['U'] })
  })
})
