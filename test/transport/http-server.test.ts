import { gunzipSync, gzipSync } from 'node:zlib'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { readPage } from '../../src/protocol/record-reader.ts'
import { onePiece } from '../../src/transport/http/bytes.ts'
import { createRoutes } from '../../src/transport/http/server.ts'
import type { RoutesOptions } from '../../src/transport/http/server.ts'
import { ID, OTHER, createFakeService, record } from './fake-service.ts'
import type { FakeService } from './fake-service.ts'

const BASE = 'http://peer.test/api/morango/v1/'

interface Setup {
  readonly service: FakeService
  readonly request: (path: string, init?: RequestInit) => Promise<Response>
}

function setUp(options: RoutesOptions = {}): Setup {
  const service = createFakeService()
  const app = createRoutes(service, { onError: () => undefined, ...options })
  return { service, request: async (path, init) => await app.request(new URL(path, BASE).href, init) }
}

function json(method: string, body: unknown, headers: Record<string, string> = {}): RequestInit {
  return { method, body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } }
}

describe('paths and methods', () => {
  it.each([
    ['GET', 'morangoinfo/1', '/api/morango/v1/morangoinfo/1/'],
    ['POST', 'nonces', '/api/morango/v1/nonces/'],
    ['GET', 'buffers?limit=1', '/api/morango/v1/buffers/?limit=1'],
  ])('sends %s %s on to the slash', async (method, path, location) => {
    const { service, request } = setUp()
    const response = await request(path, { method })
    expect([response.status, response.headers.get('location')]).toEqual([301, location])
    expect(service.calls).toHaveLength(0)
  })

  it.each([
    'nothing/',
    'nothing',
    'nonces/1/',
    'nonces/1',
    'buffers/1/',
    'certificates/1/2/',
    '',
    'morangoinfo/',
  ])('knows no path "%s"', async (path) => {
    const response = await setUp().request(path)
    expect([response.status, await response.json()]).toEqual([404, { detail: 'Not found.' }])
  })

  it.each([
    ['GET', 'nonces/', 'POST, OPTIONS'],
    ['DELETE', 'certificates/', 'GET, POST, HEAD, OPTIONS'],
    ['POST', `certificates/${ID}/`, 'GET, HEAD, OPTIONS'],
    ['GET', 'syncsessions/', 'POST, OPTIONS'],
    ['PATCH', `syncsessions/${ID}/`, 'GET, DELETE, HEAD, OPTIONS'],
    ['GET', 'transfersessions/', 'POST, OPTIONS'],
    ['PUT', 'buffers/', 'GET, POST, HEAD, OPTIONS'],
    ['POST', 'morangoinfo/1/', 'GET, HEAD, OPTIONS'],
    ['GET', 'certificatechain/', 'POST, OPTIONS'],
  ])('refuses %s %s', async (method, path, allow) => {
    const response = await setUp().request(path, { method })
    expect([response.status, response.headers.get('allow')]).toEqual([405, allow])
    expect(await response.json()).toEqual({ detail: `Method "${method}" not allowed.` })
  })

  it('refuses PUT in the words of the original', async () => {
    const response = await setUp().request(`transfersessions/${ID}/`, json('PUT', { records_total: 3 }))
    expect(await response.json()).toBe('Only PATCH updates allowed')
    expect([response.status, response.headers.get('allow')]).toEqual([
      405,
      'GET, PUT, PATCH, DELETE, HEAD, OPTIONS',
    ])
  })

  it('answers HEAD and OPTIONS', async () => {
    const { request } = setUp()
    const head = await request('morangoinfo/1/', { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([200, ''])
    const options = await request('buffers/', { method: 'OPTIONS' })
    expect([options.status, options.headers.get('allow')]).toEqual([204, 'GET, POST, HEAD, OPTIONS'])
  })

  it('can be mounted below a path of its own, and takes ids in any spelling', async () => {
    const service = createFakeService()
    const app = new Hono().route('/school', createRoutes(service, { basePath: '/sync/' }))
    const dashed = 'AAAAAAAA-aaaa-aaaa-aaaa-aaaaaaaaaaaa'
    const response = await app.request(`/school/sync/api/morango/v1/certificates/${dashed}/`)
    expect(response.status).toBe(200)
    expect(service.calls[0]?.args).toEqual([ID])
    expect((await app.request('/school/sync/other/')).status).toBe(404)
    expect(
      (await app.request('/school/sync/api/morango/v1/nonces', { method: 'POST' })).headers.get('location'),
    ).toBe('/school/sync/api/morango/v1/nonces/')
  })
})

describe('bodies', () => {
  it('takes a nonce request without a body', async () => {
    const response = await setUp().request('nonces/', { method: 'POST' })
    expect([response.status, response.headers.get('content-type')]).toEqual([201, 'application/json'])
  })

  it.each([
    ['buffers/', '[{', 400, /^JSON parse error - /],
    ['syncsessions/', '{"id": }', 400, /^JSON parse error - /],
    ['syncsessions/', '\u0000', 400, /^JSON parse error - /],
  ])('POST %s %s', async (path, body, status, detail) => {
    const response = await setUp().request(path, { ...json('POST', null), body })
    expect(response.status).toBe(status)
    expect(await response.json()).toEqual({ detail: expect.stringMatching(detail) })
  })

  it('does not quote what it cannot parse', async () => {
    const response = await setUp().request('buffers/', { ...json('POST', null), body: '[{"name": secret}]' })
    expect(await response.text()).not.toContain('secret')
  })

  it('names the missing fields', async () => {
    const response = await setUp().request(
      'certificates/',
      json('POST', { parent: ID, scope_definition: 'fullsub', scope_params: '{}' }),
    )
    expect([response.status, await response.text()]).toEqual([
      400,
      '{"profile":["This field is required."],"scope_version":["This field is required."],"public_key":["This field is required."]}',
    ])
  })

  it.each([
    ['text/plain', 'buffers/', 'x'],
    ['application/gzip', 'transfersessions/', 'x'],
    ['application/x-www-form-urlencoded', 'buffers/', 'x'],
    ['application/octet-stream', 'syncsessions/', '{}'],
  ])('does not read %s at %s', async (type, path, body) => {
    const response = await setUp().request(path, { method: 'POST', body, headers: { 'content-type': type } })
    expect(response.status).toBe(415)
    expect(await response.json()).toEqual({ detail: `Unsupported media type "${type}" in request.` })
  })

  it('takes a signing request as a form', async () => {
    const { service, request } = setUp()
    const body = new URLSearchParams({
      parent: ID,
      profile: 'p',
      scope_definition: 's',
      scope_version: '1',
      scope_params: '{}',
      public_key: 'M+/=',
    })
    const headers = { authorization: `Basic ${btoa('admin:pass')}` }
    expect((await request('certificates/', { method: 'POST', body, headers })).status).toBe(201)
    expect(service.calls[0]?.args).toEqual([
      { ...Object.fromEntries(body), scope_version: 1 },
      { username: 'admin', password: 'pass' },
    ])
  })

  it('takes gzipped buffers', async () => {
    const { service, request } = setUp()
    const old: Partial<ReturnType<typeof record>> = { ...record(2) }
    Reflect.deleteProperty(old, '_self_ref_fk')
    Reflect.deleteProperty(old, 'hard_deleted')
    const body = gzipSync(JSON.stringify([record(1), old]))
    const headers = { 'content-type': 'application/gzip' }
    const response = await request('buffers/', { method: 'POST', body, headers })
    expect([response.status, response.headers.get('content-type'), await response.text()]).toEqual([
      201,
      null,
      '',
    ])
    expect(service.calls[0]?.args).toEqual([[record(1), record(2)]])
  })

  it.each([['garbage'], [gzipSync('[]').subarray(0, 12)]])('refuses what is no gzip', async (body) => {
    const headers = { 'content-type': 'application/gzip' }
    const response = await setUp().request('buffers/', { method: 'POST', body: Buffer.from(body), headers })
    expect([response.status, await response.json()]).toEqual([
      400,
      { detail: 'Gzip error - the body is not valid gzip.' },
    ])
  })

  it('refuses too large a body, announced or not, without reading on', async () => {
    const { service, request } = setUp({ maxBodyBytes: 1000 })
    expect((await request('buffers/', json('POST', 'x'.repeat(2000)))).status).toBe(413)
    let pieces = 0
    const body = new ReadableStream({
      pull(controller) {
        pieces++
        controller.enqueue(new Uint8Array(100))
      },
    })
    const init: RequestInit = {
      method: 'POST',
      body,
      duplex: 'half',
      headers: { 'content-type': 'application/json' },
    }
    const response = await request('buffers/', init)
    expect([response.status, await response.json()]).toEqual([
      413,
      { detail: 'The body is larger than 1000 bytes.' },
    ])
    expect(pieces).toBeLessThan(20)
    expect(service.calls).toHaveLength(0)
  })

  it('does not inflate a zip bomb beyond the limit', async () => {
    const bomb = gzipSync(Buffer.alloc(200 * 1024 * 1024, 32), { level: 9 })
    const { request } = setUp({ maxUnzippedBytes: 1024 * 1024 })
    const before = process.memoryUsage().arrayBuffers
    const response = await request('buffers/', {
      method: 'POST',
      body: bomb,
      headers: { 'content-type': 'application/gzip' },
    })
    expect(response.status).toBe(413)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 1024 * 1024)
  })
})

describe('Basic authentication', () => {
  const request = {
    parent: ID,
    profile: 'p',
    scope_definition: 's',
    scope_version: 1,
    scope_params: '{}',
    public_key: 'M',
  }

  it.each([
    [{}, 'Authentication credentials were not provided.'],
    [{ authorization: 'Bearer x' }, 'Authentication credentials were not provided.'],
    [{ authorization: 'Basic' }, 'Invalid basic header. No credentials provided.'],
    [{ authorization: 'Basic !!!' }, 'Invalid basic header. Credentials not correctly base64 encoded.'],
  ])('asks for credentials (%o)', async (headers, detail) => {
    const response = await setUp().request('certificates/', json('POST', request, { ...headers }))
    expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, 'Basic realm="api"'])
    expect(await response.json()).toEqual({ detail })
  })

  it('leaves the user name as it came', async () => {
    const { service, request: send } = setUp()
    await send(
      'certificates/',
      json('POST', request, { authorization: 'basic dXNlcm5hbWU9YWRtaW4mYT1iOnA6dw==' }),
    )
    expect(service.calls[0]?.args[1]).toEqual({ username: 'username=admin&a=b', password: 'p:w' })
  })
})

describe('buffers', () => {
  const links = async (query: string): Promise<unknown[]> => {
    const { service, request } = setUp()
    service.outgoing = Array.from({ length: 15 }, (_, n) => record(n))
    const page = await (await request(`buffers/?${query}`)).json()
    const { count, next, previous, results } = Object(page)
    return [count, next, previous, results.length]
  }
  const at = (query: string): string => `${BASE}buffers/?${query}&transfer_session_id=${ID}`

  // As the original answered them.
  it.each([
    [`limit=5&offset=0&transfer_session_id=${ID}`, at('limit=5&offset=5'), null, 5],
    [`limit=5&offset=5&transfer_session_id=${ID}`, at('limit=5&offset=10'), at('limit=5'), 5],
    [`limit=5&offset=10&transfer_session_id=${ID}`, null, at('limit=5&offset=5'), 5],
    [`transfer_session_id=${ID}&limit=2&offset=100`, null, at('limit=2&offset=98'), 0],
    [`transfer_session_id=${ID}&limit=50&offset=0`, null, null, 15],
    [`transfer_session_id=${ID}&limit=2&offset=x`, at('limit=2&offset=2'), null, 2],
  ])('pages %s', async (query, next, previous, shown) => {
    expect(await links(query)).toEqual([15, next, previous, shown])
  })

  it.each(['', '&limit=0', '&limit=x', '&limit=-1'])(
    'answers a plain list without a limit (%s)',
    async (limit) => {
      const { service, request } = setUp()
      service.outgoing = [record(1), record(2)]
      const response = await request(`buffers/?transfer_session_id=${ID}${limit}`)
      expect(await response.json()).toEqual([record(1), record(2)])
    },
  )

  it('needs a transfer session', async () => {
    const { request } = setUp()
    const without = await request('buffers/?limit=1')
    expect([without.status, await without.json()]).toEqual([
      403,
      { detail: 'Authentication credentials were not provided.' },
    ])
    expect((await request('buffers/?transfer_session_id=xyz')).status).toBe(400)
  })

  it('sends a page before it begins the next one of the same transfer', async () => {
    const { service, request } = setUp()
    service.outgoing = Array.from({ length: 100 }, (_, n) => record(n))
    const events: string[] = []
    const answerPage = service.buffers.bind(service)
    service.buffers = async (query, caller) => {
      events.push(`began ${query.offset}`)
      return await answerPage(query, caller)
    }
    const ask = async (offset: number): Promise<void> => {
      await request(`buffers/?transfer_session_id=${ID}&limit=40&offset=${offset}`, {
        headers: { 'accept-encoding': 'gzip' },
      })
      events.push(`sent ${offset}`)
    }
    await Promise.all([ask(0), ask(40), ask(80)])
    expect(events).toEqual(['began 0', 'sent 0', 'began 40', 'sent 40', 'began 80', 'sent 80'])
  })

  it('has no transfer wait for the pages of another', async () => {
    const { service, request } = setUp()
    const stuck = Promise.withResolvers<void>()
    const answerPage = service.buffers.bind(service)
    service.buffers = async (query, caller) => {
      if (query.transferSessionId === ID) await stuck.promise
      return await answerPage(query, caller)
    }
    const first = request(`buffers/?transfer_session_id=${ID}&limit=5`)
    expect((await request(`buffers/?transfer_session_id=${OTHER}&limit=5`)).status).toBe(200)
    stuck.resolve()
    expect((await first).status).toBe(200)
  })
})

describe('buffers in packed form', () => {
  const page = `buffers/?limit=10&transfer_session_id=${ID}`
  const ask = async (path: string, capabilities: string, count = 10): Promise<Response> => {
    const { service, request } = setUp()
    service.outgoing = Array.from({ length: count }, (_, n) => record(n))
    return await request(path, {
      headers: { 'x-morango-capabilities': capabilities, 'accept-encoding': 'gzip' },
    })
  }

  it('for a client that can unpack it by itself', async () => {
    const response = await ask(page, 'ASYNC_OPERATIONS PACKED_BUFFERS')
    expect(response.headers.get('content-type')).toBe('application/vnd.morango.packed+gzip')
    expect(response.headers.get('content-encoding')).toBeNull()
    const limits = { maxChunkBytes: 1_000_000, maxRecordBytes: 10_000 }
    const source = onePiece(new Uint8Array(gunzipSync(await response.arrayBuffer())))
    const records = Array.from({ length: 10 }, (_, n) => record(n))
    expect(await readPage({ source, packed: true, limits })).toEqual({ count: 10, records })
  })

  it.each([
    ['the client does not ask for it', page, 'ASYNC_OPERATIONS', 10],
    ['the page is empty', page, 'PACKED_BUFFERS', 0],
    ['it is an error', 'buffers/?limit=10', 'PACKED_BUFFERS', 10],
  ])('not when %s', async (_, path, capabilities, count) => {
    const response = await ask(path, capabilities, count)
    expect(response.headers.get('content-type')).toBe('application/json')
  })
})

describe('answers', () => {
  it('are compact JSON in raw UTF-8, packed when large and wanted', async () => {
    const { service, request } = setUp()
    service.outgoing = Array.from({ length: 20 }, (_, n) => record(n))
    const path = `buffers/?transfer_session_id=${ID}`
    const expected = JSON.stringify(service.outgoing)
    for (const accept of ['', 'identity', 'gzip;q=0, br']) {
      const plain = await request(path, { headers: { 'accept-encoding': accept } })
      expect(plain.headers.get('content-encoding')).toBeNull()
      expect(plain.headers.get('vary')).toBe('Accept-Encoding')
      expect(await plain.text()).toBe(expected)
    }
    const packed = await request(path, { headers: { 'accept-encoding': 'br, GZIP;q=0.5' } })
    const bytes = Buffer.from(await packed.arrayBuffer())
    expect(packed.headers.get('content-encoding')).toBe('gzip')
    expect(packed.headers.get('content-length')).toBe(String(bytes.length))
    expect(gunzipSync(bytes).toString()).toBe(expected)
    const small = await request('morangoinfo/1/', { headers: { 'accept-encoding': 'gzip' } })
    expect(small.headers.get('content-encoding')).toBeNull()
  })

  it('tell nothing of an unexpected error, but onError', async () => {
    const errors: unknown[] = []
    const { service, request } = setUp({ onError: (error, { url }) => errors.push([error, url]) })
    service.failure = new Error('secret')
    const response = await request('morangoinfo/1/')
    expect([response.status, await response.text()]).toEqual([500, '{"detail":"Internal server error"}'])
    expect(errors).toEqual([[service.failure, `${BASE}morangoinfo/1/`]])
  })

  it('know the caller by its socket and header', async () => {
    const service = createFakeService()
    const server = serve({ fetch: createRoutes(service).fetch, port: 0, hostname: '127.0.0.1' })
    await new Promise((resolve) => server.once('listening', resolve))
    try {
      const { port } = Object(server.address())
      const headers = { 'x-morango-capabilities': ' A  B ', 'x-forwarded-for': '1.2.3.4' }
      const response = await fetch(`http://127.0.0.1:${port}/api/morango/v1/nonces/`, {
        method: 'POST',
        headers,
      })
      expect(await response.json()).toMatchObject({ ip: '127.0.0.1' })
      expect(service.calls[0]?.caller).toEqual({
        ip: '127.0.0.1',
        serverIp: '127.0.0.1',
        capabilities: new Set(['A', 'B']),
      })
    } finally {
      server.close()
    }
  })
})
