import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { parseFilter } from '../../src/core/filter.ts'
import { MAX_PARTITION, MAX_PREFIXES } from '../../src/core/limits.ts'
import { grantedScope, paramsUsed, scopeOf, transferPermitted } from '../../src/core/scope.ts'
import type { ScopeDefinition } from '../../src/core/scope.ts'
import { scopeWithin } from '../../src/core/scope-within.ts'
import { scope, toScopeDefinition } from '../../src/models/scope.ts'
import type { ScopeOptions } from '../../src/models/scope.ts'

const malformed = expect.objectContaining({ code: 'certificate-malformed' })

function define(options: ScopeOptions): ScopeDefinition {
  return toScopeDefinition('p', 's', scope(options))
}

const surveyor = define({ readWrite: '${dataset}:place' })
const own = define({ readWrite: '${dataset}:user:${user}:', read: '${dataset}:shared' })
const plain = define({ readWrite: '${dataset}:user:${user}' })

describe('a parameter that could stand for something else than one part of a partition', () => {
  const unseen = [
    '\t',
    '\n',
    '\v',
    '\f',
    '\r',
    ' ',
    '\u001c',
    '\u001d',
    '\u001e',
    '\u001f',
    '\u0085',
    '\u00a0',
    '\u1680',
    '\u2000',
    '\u200a',
    '\u2028',
    '\u2029',
    '\u202f',
    '\u205f',
    '\u3000',
    '\ufeff',
    '\u0000',
    '\u0001',
    '\u001b',
    '\u007f',
    '\u0080',
    '\u009f',
    '\u00ad',
    '\u180e',
    '\u200b',
    '\u200d',
    '\u200e',
    '\u202e',
    '\u2060',
    '\u2066',
    '\u2069',
    '\ud800',
    '\udfff',
    '\u115f',
    '\u3164',
    '\ufe0f',
    '\ufff9',
    '\uffff',
    '\u{e0001}',
    '\u{e0020}',
  ]

  test.each(unseen.map((one) => [one.codePointAt(0)?.toString(16) ?? '', one]))('has U+%s', (_, one) => {
    for (const value of [`ROOT${one}ROOT`, `${one}ROOT`, `ROOT${one}`, one]) {
      expect(() => scopeOf(surveyor, JSON.stringify({ dataset: value }))).toThrow(malformed)
      // As the signer may have written it, without an escape.
      expect(() => scopeOf(surveyor, `{"dataset": "${value}"}`)).toThrow(malformed)
      expect(() => scopeOf(own, JSON.stringify({ dataset: 'ROOT', user: value }))).toThrow(malformed)
    }
  })

  test.each([
    ['is empty', '{"dataset": "R", "user": ""}'],
    ['is missing', '{"dataset": "R"}'],
    ['is inherited', '{"dataset": "R", "__proto__": {"user": "u"}}'],
    ['is null', '{"dataset": "R", "user": null}'],
    ['is a list', '{"dataset": "R", "user": ["a"]}'],
    ['is an object', '{"dataset": "R", "user": {"a": 1}}'],
    ['is a float', '{"dataset": "R", "user": 1.0}'],
    ['is a float with an exponent', '{"dataset": "R", "user": 1e3}'],
    ['is infinite', '{"dataset": "R", "user": 1e400}'],
    ['is no number', '{"dataset": "R", "user": NaN}'],
    ['is Infinity', '{"dataset": "R", "user": -Infinity}'],
    ['stands twice', '{"dataset": "R", "user": "a", "user": "b"}'],
    ['stands twice, once in escapes', '{"dataset": "R", "user": "a", "\\u0075ser": "b"}'],
    ['has a colon', '{"dataset": "R", "user": "a:b"}'],
    ['has a colon, being the first', '{"dataset": "R:user:b", "user": "a"}'],
    ['is too long', JSON.stringify({ dataset: 'R', user: 'u'.repeat(MAX_PARTITION) })],
    ['is much too long', JSON.stringify({ dataset: 'R', user: 'u'.repeat(100_000) })],
  ])('%s', (_, params) => {
    expect(() => scopeOf(own, params)).toThrow(malformed)
  })

  it('begins with a colon, or has one although more follows', () => {
    expect(() => scopeOf(plain, { dataset: 'R', user: ':b' })).toThrow(malformed)
    expect(() => scopeOf(surveyor, { dataset: 'R:user:b' })).toThrow(malformed)
    // At the very end it only narrows the prefix, as certificates of the original do.
    expect(scopeOf(plain, { dataset: 'R', user: 'a:b' }).read).toEqual(['R:user:a:b'])
  })

  it('is not what the original is used with', () => {
    expect(scopeOf(own, '{"dataset": "R", "user": "classroom-é"}').write).toEqual(['R:user:classroom-é:'])
    expect(scopeOf(own, '{"dataset": "R", "user": 5, "more": " "}').write).toEqual(['R:user:5:'])
    expect(scopeOf(plain, { dataset: 'R', user: '${dataset}' }).read).toEqual(['R:user:${dataset}'])
  })

  it('never makes a prefix more, nor one outside its place', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (dataset, user) => {
        try {
          const { read, write } = scopeOf(own, JSON.stringify({ dataset, user }))
          expect(parseFilter(read.join('\n'))).toEqual(read)
          expect([read.length, write.length]).toEqual([2, 1])
          expect(write[0]?.split(':')).toEqual([dataset, 'user', user, ''])
        } catch (error) {
          expect(error).toEqual(malformed)
        }
      }),
    )
  })
})

it('takes no more prefixes than a filter may have', () => {
  const prefixes = Array.from({ length: MAX_PREFIXES + 1 }, (_, index) => `\${d}:${index}`)
  const wide = { ...surveyor, readFilterTemplate: prefixes.join('\n') }
  expect(() => scopeOf(wide, { d: 'R', dataset: 'R' })).toThrow(malformed)
  expect(() => define({ read: prefixes })).toThrow(expect.objectContaining({ code: 'invalid-declaration' }))
})

it('knows the parameters that count', () => {
  expect([...paramsUsed(own)]).toEqual(['dataset', 'user'])
  expect([...paramsUsed(define({ read: '$a:$$b:${c}' }))]).toEqual(['a', 'c'])
})

describe('the prefix by which a scope denies one way', () => {
  const reader = scopeOf(define({ read: '${d}' }), { d: 'R' })
  const writer = scopeOf(define({ write: '${d}' }), { d: 'R' })
  const all = { read: ['R'], write: ['R'] }

  test.each(['R:(nothing)', 'R:(nothing):a', 'R:(nothing)a', 'R:a\nR:(nothing)'])('permits no %j', (text) => {
    const filter = parseFilter(text)
    for (const push of [true, false]) {
      for (const client of [reader, writer, all]) {
        for (const server of [reader, writer, all]) {
          expect(transferPermitted({ push, filter, client, server })).toMatchObject({ permitted: false })
        }
      }
    }
  })

  it('is not among what is granted', () => {
    expect(grantedScope(reader)).toEqual({ read: ['R'], write: [] })
    expect(grantedScope(writer)).toEqual({ read: [], write: ['R'] })
    expect(transferPermitted({ push: false, filter: ['R:a'], client: reader, server: all })).toEqual({
      permitted: true,
    })
  })
})

describe('what lies within', () => {
  const at = (...prefixes: string[]) => ({ read: prefixes, write: prefixes })

  test.each([
    ['D:user:1', 'D:user:1', true],
    ['D:user:1:note', 'D:user:1', true],
    ['D:user:12', 'D:user:1', false],
    ['D:user:', 'D:user:1', false],
    ['D:user', 'D:user:1', false],
    ['D:user:1:', 'D:user:1', true],
    ['D:user:1', 'D:user:1:', false],
    ['D:user:1:note', 'D:user:1:', true],
    ['D', '', false],
    ['', '', false],
  ])('%j in %j: %s', (prefix, allowed, expected) => {
    expect(scopeWithin(at(prefix), allowed)).toBe(expected)
    expect(scopeWithin(at(prefix), ['X', allowed])).toBe(expected)
    expect(scopeWithin(at(prefix, 'X'), allowed)).toBe(false)
  })

  it('is looked at for each way', () => {
    const mixed = { read: ['D:shared', 'D:user:1'], write: ['D:user:1'] }
    expect(scopeWithin(mixed, { read: ['D:shared', 'D:user:1'], write: 'D:user:1' })).toBe(true)
    expect(scopeWithin(mixed, { read: 'D' })).toBe(false)
    expect(scopeWithin({ read: ['D:shared'], write: [] }, { read: 'D:shared' })).toBe(true)
    expect(scopeWithin(mixed, 'D:user:1')).toBe(false)
    expect(scopeWithin(mixed, [])).toBe(false)
  })
})
