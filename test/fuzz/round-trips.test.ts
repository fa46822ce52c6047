import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { base64Decode, base64Encode } from '../../src/core/base64.ts'
import { canonicalJson } from '../../src/core/canonical-json.ts'
import { certificateFromItem, certificateText, certificateToItem } from '../../src/core/certificate.ts'
import { boundConflictingData } from '../../src/core/conflicting-data.ts'
import { MorangoError } from '../../src/core/errors.ts'
import { filterToString, parseFilter } from '../../src/core/filter.ts'
import { fsicToText, parseFsicV1, parseFsicV2 } from '../../src/core/fsic-text.ts'
import { parseUuid } from '../../src/core/ids.ts'
import { mergeObject, parseJsonExact, pythonStringify, rawValues } from '../../src/core/python-json.ts'
import { hasUnseen } from '../../src/core/scope-params.ts'
import { scopeOf } from '../../src/core/scope.ts'
import type { ScopeDefinition } from '../../src/core/scope.ts'
import { publicKeyDer, publicKeyText } from '../../src/crypto/key-text.ts'
import { FieldError } from '../../src/models/compiled.ts'
import { formatExact, parseExact } from '../../src/models/merge/exact-number.ts'
import { decodeBasicAuth, encodeBasicAuth } from '../../src/protocol/basic-auth.ts'
import { parseCapabilities } from '../../src/protocol/capabilities.ts'
import { quotedText } from '../../src/protocol/quoted-text.ts'
import { refuseHost } from '../../src/transport/http/browser-guard.ts'
import { retryAfterMs } from '../../src/transport/http/retry.ts'
import { KINDS } from '../parsers/parsers.ts'
import { item } from '../transport/fake-service.ts'
import { hostileText, hostileValue } from './hostile.ts'
import { mutatedJson, mutatedText } from './mutate.ts'
import { FUZZ_TIMEOUT, fuzz } from './runs.ts'
import { FSICS, SCOPE_PARAMS, VALID_TEXTS } from './valid.ts'

const RUNS = 500

/** What a parser makes of a text; undefined where it refuses it, which only an error of ours may do. */
function read<T>(parse: () => T): T | undefined {
  try {
    return parse()
  } catch (error) {
    if (error instanceof MorangoError || error instanceof FieldError) return undefined
    throw error
  }
}

/** Texts that one parser reads, and others that it should not. */
function texts(...valid: readonly string[]): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 6, arbitrary: mutatedText(valid) },
    { weight: 1, arbitrary: mutatedText(VALID_TEXTS) },
    { weight: 2, arbitrary: hostileText },
  )
}

function json(...valid: readonly unknown[]): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 6, arbitrary: mutatedJson(valid) },
    { weight: 1, arbitrary: mutatedText(VALID_TEXTS) },
    { weight: 2, arbitrary: hostileValue.map((value) => JSON.stringify(value)) },
  )
}

/** Reading what was written of a value gives the value again. */
function staysItself<T>(
  values: fc.Arbitrary<string>,
  parse: (text: string) => T | undefined,
  write: (value: T) => string,
): Promise<void> {
  return fuzz(RUNS, values, (text) => {
    const value = read(() => parse(text))
    if (value !== undefined) expect(parse(write(value))).toEqual(value)
  })
}

const ITEM = item()
const CERTIFICATE: unknown = JSON.parse(ITEM.serialized)
const KEYS = VALID_TEXTS.filter((text) => text.startsWith('MIIB') || text.startsWith('-----'))

const VALUES = [
  '2026-11-29T08:00:00.123456Z',
  '0001-01-01T00:00:00+05:30',
  '9999-12-31',
  '08:00:00.5',
  'P3DT4H5M6.5S',
  '3 04:05:06.7',
  '-12.50',
  '1.5e-7',
  'true',
  '{"a": [1.0, null]}',
  'AAEC',
  ITEM.id,
  '01234567-89ab-cdef-0123-456789abcdef',
]

const DEFINITION: ScopeDefinition = {
  id: 'x',
  profile: 'x',
  version: 1,
  primaryScopeParamKey: 'main',
  description: '',
  readFilterTemplate: '${dataset}:shared\n${main}:${sub}:a',
  writeFilterTemplate: '${main}:user:${sub}',
  readWriteFilterTemplate: '',
}

describe('what was read of a peer is written so that it is read again', { timeout: FUZZ_TIMEOUT }, () => {
  it('an FSIC of format 1', () => staysItself(json(...FSICS), parseFsicV1, fsicToText))
  it('an FSIC of format 2', () => staysItself(json(...FSICS), parseFsicV2, fsicToText))
  it('a filter', () => staysItself(texts('a:b\nc:d e', ''), parseFilter, filterToString))
  it('exact JSON', () => staysItself(json({ a: [1, 1.5, null, 'x'] }), parseJsonExact, pythonStringify))
  it('JSON in the form that is compared', () =>
    staysItself(json({ b: { d: 1, c: 2 }, a: [] }), canonicalJson, (text) => text))
  it('a record', () =>
    staysItself(json({ a: 1, b: 'x', c: [1.0, { d: null }] }), rawValues, (values) =>
      mergeObject(
        '',
        Array.from(values, ([key, raw]) => ({ key, raw })),
      ),
    ))
  it('a key', () => staysItself(texts(...KEYS), publicKeyDer, publicKeyText))
  it('base64', () => staysItself(texts('QUJD', 'QUI=', 'QQ=='), base64Decode, base64Encode))
  it('an id', () => staysItself(texts(ITEM.id, '01234567-89ab-cdef-0123-456789abcdef'), parseUuid, String))
  it('an exact number', () =>
    staysItself(
      texts('-12.50', '1e3', '0.001'),
      (text) => {
        const number = parseExact(text)
        return number && formatExact(number)
      },
      String,
    ))
  it('capabilities', () =>
    staysItself(texts('A B C', 'FSIC_V2_FORMAT'), parseCapabilities, (names) => [...names].join(' ')))
  it('credentials', () =>
    fuzz(RUNS, texts('Basic YW5hOnNlY3JldA==', 'Basic /w==', 'basic YQ=='), (header) => {
      const credentials = read(() => decodeBasicAuth(header))
      if (credentials !== undefined)
        expect(decodeBasicAuth(encodeBasicAuth(credentials))).toEqual(credentials)
    }))

  it.each(Object.entries(KINDS))('a column: %s', (name, { decode, encode }) =>
    fuzz(RUNS, texts(...VALUES), (text) => {
      for (const raw of [text, JSON.stringify(text)]) {
        // Columns get what is a value of JSON alone.
        const isValue = read(() => parseJsonExact(raw)) !== undefined
        const value = isValue ? read(() => decode(raw)) : undefined
        if (value === undefined) continue
        // A text of JSON may get other escapes.
        const seen = (one: unknown): unknown => (name === 'json' ? canonicalJson(String(one)) : one)
        expect(seen(decode(encode(value)))).toEqual(seen(value))
      }
    }),
  )

  it('a certificate', () =>
    fuzz(RUNS, json(CERTIFICATE), (serialized) => {
      const id = textMember(serialized, 'id')
      const certificate = read(() => certificateFromItem({ id, serialized, signature: 'c2ln' }))
      if (certificate === undefined) return
      expect(certificateFromItem(certificateToItem(certificate))).toEqual(certificate)
      // A key that was stripped of its armour can look as if it had some; no signature is checked with such a one.
      if (read(() => publicKeyDer(certificate.publicKey)) === undefined) return
      const rewritten = certificateText(certificate)
      expect(certificateFromItem({ id, serialized: rewritten, signature: 'c2ln' })).toEqual({
        ...certificate,
        serialized: rewritten,
      })
    }))
})

function textMember(serialized: string, key: string): string {
  const value: unknown = read(() => parseJsonExact(serialized))
  const member =
    typeof value === 'object' && value !== null ? new Map(Object.entries(value)).get(key) : undefined
  return typeof member === 'string' ? member : ''
}

describe('whatever a peer says', { timeout: FUZZ_TIMEOUT }, () => {
  it('parameters fill no more prefixes than the scope has, and none that is wider', () =>
    fuzz(RUNS, json(...SCOPE_PARAMS), (params) => {
      const scope = read(() => scopeOf(DEFINITION, params))
      if (scope === undefined) return
      expect([scope.read.length, scope.write.length]).toEqual([2, 1])
      for (const prefix of [...scope.read, ...scope.write]) {
        expect(prefix).toMatch(/^[^:].*:(shared$|.+:a$|user:.)/)
        expect(hasUnseen(prefix)).toBe(false)
        expect(parseFilter(prefix)).toEqual([prefix])
      }
    }))

  it('no version that lost a conflict is lost by a bound', () =>
    fuzz(RUNS, texts('{"a": 1}\n'.repeat(15), '{"a": 1}\n{"b": 2}\n'), (data) => {
      const { kept, dropped } = boundConflictingData(data)
      const versions = (text: string): string[] => text.split('\n').filter((version) => version !== '')
      // Of very many the oldest are one text.
      expect([...versions(kept), ...dropped.flatMap(versions)]).toEqual(versions(data))
      expect(boundConflictingData(kept)).toEqual({ kept, dropped: [] })
    }))

  it('a quote is one line without what a terminal obeys', () =>
    fuzz(RUNS, texts('Nonce is not valid'), (text) => {
      const quote = quotedText(text)
      expect(quote.isWellFormed()).toBe(true)
      expect(quote).not.toMatch(/[\p{Cc}\u202a-\u202e\u2066-\u2069\u2028\u2029]/u)
      expect(quote.length).toBeLessThan(310)
    }))

  it('a time to wait is one, or none', () =>
    fuzz(RUNS, texts('120', 'Sun, 29 Nov 2026 08:00:00 GMT', '1e9'), (text) => {
      const headers = read(() => headersWith('retry-after', text))
      const wait = headers && retryAfterMs(headers)
      expect(wait === undefined || wait >= 0).toBe(true)
    }))

  it('a host is one of ours, or refused', () =>
    fuzz(RUNS, texts('localhost:8080', '[::1]', '127.0.0.1', 'evil.test', 'x.localhost'), (text) => {
      const headers = headersWith('host', text)
      if (headers === undefined) return
      const request = new Request('http://evil.test/', { headers })
      for (const hosts of ['loopback', ['sync.example', '10.0.0.5:8080']] as const) {
        const host = headers.get('host') ?? ''
        const known = /^(\[[\da-f:.]+\]|[\d.]+|([^/?#@\\[\]\s:]*\.)?localhost\.?)(:\d+)?$/i.test(host)
        const refused = refuseHost(request, hosts)
        expect(refused === undefined || refused.status === 421).toBe(true)
        if (hosts === 'loopback' && refused === undefined) expect([host, known]).toEqual([host, true])
      }
    }))
})

/** Undefined for a text that no header can have. */
function headersWith(name: string, text: string): Headers | undefined {
  try {
    return new Headers({ [name]: text })
  } catch {
    return undefined
  }
}
