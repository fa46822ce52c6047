import { request as httpRequest } from 'node:http'
import { describe, expect, it, vi } from 'vitest'
import { MorangoError } from '../../src/core/errors.ts'
import { createReportLimit } from '../../src/core/report-limit.ts'
import { createRoutes } from '../../src/transport/http/server.ts'
import type { RoutesOptions } from '../../src/transport/http/server.ts'
import { createHttpPair } from '../session/http-pair.ts'
import { ID, createFakeService } from './fake-service.ts'
import type { FakeService } from './fake-service.ts'

const BASE = 'http://peer.test/api/morango/v1/'

function setUp(options: RoutesOptions = {}): {
  readonly service: FakeService
  readonly send: (
    method: string,
    path: string,
    headers?: Record<string, string>,
    body?: string,
  ) => Promise<Response>
} {
  const service = createFakeService()
  const app = createRoutes(service, { onError: () => undefined, ...options })
  return {
    service,
    send: async (method, path, headers = {}, body) =>
      await app.request(new URL(path, BASE).href, { method, headers, ...(body !== undefined && { body }) }),
  }
}

const CHANGES = [
  ['POST', 'nonces/'],
  ['POST', 'certificates/'],
  ['POST', 'certificatechain/'],
  ['POST', 'syncsessions/'],
  ['DELETE', `syncsessions/${ID}/`],
  ['POST', 'transfersessions/'],
  ['PATCH', `transfersessions/${ID}/`],
  ['DELETE', `transfersessions/${ID}/`],
  ['POST', 'buffers/'],
] as const

describe('what a page of another site has a browser send', () => {
  it.each(CHANGES)('%s %s is refused by its headers', async (method, path) => {
    for (const headers of [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: '' },
      { origin: 'http://peer.test.evil.example' },
      { origin: 'http://peer.test:81' },
      { origin: 'file://peer.test' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site', origin: 'http://peer.test' },
    ]) {
      const { service, send } = setUp()
      const response = await send(method, path, { 'content-type': 'application/json', ...headers }, '{}')
      expect([response.status, JSON.stringify(headers)]).toEqual([403, JSON.stringify(headers)])
      expect(service.calls).toHaveLength(0)
    }
  })

  it.each(CHANGES.filter(([method, path]) => method === 'POST' && path !== 'certificates/'))(
    '%s %s is refused by a content type that needs no leave',
    async (method, path) => {
      for (const type of [
        'application/x-www-form-urlencoded',
        'text/plain',
        'Text/Plain; charset=UTF-8',
        'multipart/form-data; boundary=x',
      ]) {
        for (const body of [undefined, 'a=1']) {
          const { service, send } = setUp()
          const response = await send(method, path, { 'content-type': type }, body)
          expect([response.status, type]).toEqual([415, type])
          expect(service.calls).toHaveLength(0)
        }
      }
    },
  )

  it('a signing request as a form is taken from peers, not from pages', async () => {
    const form = {
      'content-type': 'application/x-www-form-urlencoded',
      authorization: `Basic ${btoa('ana:secret')}`,
    }
    const body = new URLSearchParams({
      parent: ID,
      profile: 'p',
      scope_definition: 's',
      scope_version: '1',
      scope_params: '{}',
      public_key: 'k',
    }).toString()
    expect((await setUp().send('POST', 'certificates/', form, body)).status).toBe(201)
    const page = { ...form, origin: 'https://evil.example' }
    expect((await setUp().send('POST', 'certificates/', page, body)).status).toBe(403)
  })

  it('peers, and pages of the same site, get their nonces', async () => {
    for (const headers of [
      {},
      { 'content-type': 'application/json' },
      { origin: 'http://peer.test', 'sec-fetch-site': 'same-origin' },
      { 'sec-fetch-site': 'none' },
    ]) {
      expect((await setUp().send('POST', 'nonces/', headers)).status).toBe(201)
    }
  })

  it('no answer gives other sites leave', async () => {
    for (const [method, path] of [
      ['OPTIONS', 'nonces/'],
      ['GET', 'morangoinfo/1/'],
    ] as const) {
      const response = await setUp().send(method, path, { origin: 'https://evil.example' })
      expect([...response.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([])
    }
  })
})

describe('names of the server', () => {
  const answer = async (hosts: RoutesOptions['hosts'], host: string): Promise<number> =>
    (await setUp({ hosts }).send('GET', 'morangoinfo/1/', { host })).status

  it.each(['sync.example', 'SYNC.example.', 'sync.example:443', '10.0.0.5:8080'])(
    '%s is one',
    async (host) => {
      expect(await answer(['sync.example', '10.0.0.5:8080'], host)).toBe(200)
    },
  )

  it.each([
    'evil.example',
    'sync.example.evil.example',
    'evil.sync.example',
    'x@sync.example',
    'sync.example, evil.example',
    'sync.example/x',
    '10.0.0.5',
    '10.0.0.5:81',
    '127.0.0.1',
    'sync.example:x',
  ])('%s is none, whatever the call', async (host) => {
    const { service, send } = setUp({ hosts: ['sync.example', '10.0.0.5:8080'] })
    for (const [method, path] of [
      ...CHANGES,
      ['GET', 'morangoinfo/1/'],
      ['GET', 'certificates/'],
      ['GET', 'buffers'],
    ]) {
      expect((await send(method, path, { host })).status).toBe(421)
    }
    expect(service.calls).toHaveLength(0)
  })

  it.each([
    'localhost',
    'localhost:8080',
    'a.localhost',
    '127.0.0.1:8080',
    '[::1]:8080',
    '10.0.0.5',
    '[fe80::1]',
  ])('on a loopback address %s is one', async (host) => expect(await answer('loopback', host)).toBe(200))

  it.each([
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'notlocalhost',
    '[evil.example]',
  ])('on a loopback address %s is none', async (host) => expect(await answer('loopback', host)).toBe(421))

  it('are any by default', async () => expect(await answer(undefined, 'any.example')).toBe(200))

  it('a server on a loopback address answers to no other', async () => {
    const pair = await createHttpPair()
    try {
      const url = new URL('api/morango/v1/morangoinfo/1/', pair.url)
      const status = (host: string): Promise<number | undefined> =>
        new Promise((resolve, reject) => {
          httpRequest(url, { headers: { host } }, (response) => {
            response.resume()
            resolve(response.statusCode)
          })
            .on('error', reject)
            .end()
        })
      expect(await status('evil.example')).toBe(421)
      expect(await status('localhost')).toBe(200)
    } finally {
      await pair.close()
    }
  })
})

describe('too much', () => {
  it('says when to try again', async () => {
    const { service, send } = setUp()
    vi.spyOn(service, 'createNonce').mockImplementation(() =>
      Promise.reject(new MorangoError('too-many-requests', 'Too many.', { details: { retryAfter: 2.1 } })),
    )
    const response = await send('POST', 'nonces/')
    expect([response.status, response.headers.get('retry-after'), await response.json()]).toEqual([
      429,
      '3',
      { detail: 'Too many.' },
    ])
  })

  it('errors that peers provoke do not fill the log', async () => {
    const told: number[] = []
    const { service, send } = setUp({ onError: (_error, _request, leftOut) => told.push(leftOut) })
    vi.spyOn(service, 'info').mockImplementation(() => Promise.reject(new Error('database is locked')))
    for (let index = 0; index < 200; index++) await send('GET', 'morangoinfo/1/')
    expect(told).toEqual(Array.from({ length: 10 }, () => 0))
  })

  it('what was left out of the log is counted, by kind', () => {
    let now = 0
    const limit = createReportLimit({ now: () => new Date(now) }, 2)
    const told = (kind: string, times: number): (number | undefined)[] =>
      Array.from({ length: times }, () => limit.admit(kind))
    expect(told('a', 5)).toEqual([0, 0, undefined, undefined, undefined])
    expect(told('b', 1)).toEqual([0])
    now += 60_000
    expect(told('a', 3)).toEqual([3, 0, undefined])
    for (let index = 0; index < 1000; index++) limit.admit(`kind ${index}`)
    expect(told('one more', 1)).toEqual([undefined])
  })
})
