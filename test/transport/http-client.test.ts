import { createServer } from 'node:http'
import { gunzipSync, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { zlibCompressor } from '../../src/node.ts'
import { createHttpPeer } from '../../src/transport/http/client.ts'
import type { HttpPeerOptions } from '../../src/transport/http/client.ts'
import { createRoutes } from '../../src/transport/http/server.ts'
import { packRecords } from '../../src/protocol/packed-records.ts'
import type { Peer } from '../../src/protocol/peer.ts'
import {
  ID,
  createFakeService,
  failureOf,
  record,
  signingRequest,
  syncSessionRequest,
  view,
} from './fake-service.ts'

const HTML = '<!doctype html>\n<html><head><title>Server Error (500)</title></head><body></body></html>'
const INFO = { capabilities: ['GZIP_BUFFER_POST'] }

/** What the peer does with one request: an answer, a failure of the network, or a status alone. */
type Step = Response | Error | number

interface Scripted {
  readonly peer: Peer
  readonly requests: Request[]
  readonly pauses: number[]
}

function scripted(steps: Step[], options: Partial<HttpPeerOptions> = {}): Scripted {
  const requests: Request[] = []
  const pauses: number[] = []
  const peer = createHttpPeer('http://peer.test/base', {
    capabilities: ['GZIP_BUFFER_POST', 'ASYNC_OPERATIONS'],
    fetch: async (input, init) => {
      requests.push(new Request(input, init))
      const step = steps[requests.length - 1]
      if (step === undefined) throw new Error('Nothing more is scripted.')
      if (step instanceof Error) throw step
      return typeof step === 'number' ? new Response(HTML, { status: step }) : step
    },
    sleep: async (ms) => {
      pauses.push(ms)
    },
    random: () => 1,
    ...options,
  })
  return { peer, requests, pauses }
}

const lost = (): Error =>
  new TypeError('fetch failed', { cause: Object.assign(new Error('reset'), { code: 'ECONNRESET' }) })
const refused = (): Error =>
  new TypeError('fetch failed', { cause: Object.assign(new Error('no'), { code: 'ECONNREFUSED' }) })
const busy = (status = 503): Response => new Response('', { status, headers: { 'retry-after': '7' } })
const methodsOf = ({ requests }: Scripted): string[] => requests.map(({ method }) => method)

describe('requests', () => {
  it('go below the base URL, with the capabilities', async () => {
    const { peer, requests } = scripted([Response.json(INFO)], { userAgent: 'test/1' })
    expect(peer.url).toBe('http://peer.test/base/')
    await peer.info()
    expect(requests[0]?.url).toBe('http://peer.test/base/api/morango/v1/morangoinfo/1/')
    expect(Object.fromEntries(requests[0]?.headers ?? [])).toEqual({
      accept: 'application/json',
      'user-agent': 'test/1',
      'x-morango-capabilities': 'GZIP_BUFFER_POST ASYNC_OPERATIONS PACKED_BUFFERS_ZSTD PACKED_BUFFERS',
    })
  })

  it.each(['peer.test', 'ftp://peer.test/', 'localhost:8000', 'http://a:b@peer.test/'])(
    'refuses %s as base',
    (url) => {
      expect(() => createHttpPeer(url, { capabilities: [] })).toThrow(
        expect.objectContaining({ code: 'invalid-argument' }),
      )
    },
  )

  it('gzip buffers when both sides can, asking once', async () => {
    const { peer, requests } = scripted([
      Response.json(INFO),
      new Response(null, { status: 201 }),
      new Response('', { status: 201 }),
    ])
    await peer.sendBuffers([record(1)])
    await peer.sendBuffers([record(2)])
    expect(requests.map(({ url }) => new URL(url).pathname.split('/')[5])).toEqual([
      'morangoinfo',
      'buffers',
      'buffers',
    ])
    const [, first] = requests
    expect(first?.headers.get('content-type')).toBe('application/gzip')
    expect(first?.headers.get('content-encoding')).toBeNull()
    const bytes = Buffer.from((await first?.arrayBuffer()) ?? new ArrayBuffer())
    expect(JSON.parse(gunzipSync(bytes).toString())).toEqual([record(1)])
    expect(peer.traffic.sent).toBeGreaterThan(bytes.length)
    expect(peer.traffic.sent).toBeLessThan(3 * bytes.length)
  })

  it('send plain JSON to a peer that cannot', async () => {
    const { peer, requests } = scripted([Response.json({}), new Response(null, { status: 201 })])
    await peer.sendBuffers([record(1)])
    expect(requests[1]?.headers.get('content-type')).toBe('application/json')
    expect(await requests[1]?.json()).toEqual([record(1)])
  })
})

describe('answers', () => {
  it('are read leniently but for what counts', async () => {
    const { signature, serialized } = {
      serialized: '{"id": "x", "profile": "p", "parent_id": "y", "scope_version": 2}',
      signature: 's',
    }
    const { peer } = scripted([
      Response.json({ id: ID }, { status: 201 }),
      Response.json({ serialized, signature }, { status: 201 }),
      new Response('whatever'),
      Response.json(
        { transfer_stage: 'queuing', transfer_stage_status: 'started', more: 1, filter: 7 },
        { status: 202 },
      ),
      Response.json([record(1)]),
      new Response(null, { status: 204 }),
      new Response('<html>', { status: 201 }),
    ])
    expect(await peer.createNonce()).toEqual({ id: ID })
    expect(await peer.requestCertificate(signingRequest(), { username: 'a', password: '' })).toMatchObject({
      id: 'x',
      profile: 'p',
      parent: 'y',
      scope_version: 2,
      salt: '',
    })
    expect(await peer.syncSession(ID)).toBeDefined()
    expect(await peer.transferSession(ID)).toMatchObject({ transfer_stage: 'queuing' })
    expect(await peer.fetchBuffers({ transferSessionId: ID, offset: 0, limit: 9 })).toEqual({
      count: undefined,
      records: [record(1)],
    })
    await peer.closeTransferSession(ID)
    await peer.pushCertificateChain([])
  })

  it.each([
    [new Response('<html>captive portal</html>')],
    [Response.json({ transfer_stage: 'nosuch', transfer_stage_status: 'completed' })],
    [Response.json([])],
  ])('that are none are peer-protocol', async (response) => {
    const { peer } = scripted([response])
    expect(await failureOf(peer.transferSession(ID))).toMatchObject({ code: 'peer-protocol' })
  })

  it('of HTML are survived and explained', async () => {
    const { peer } = scripted([500])
    const error = await failureOf(peer.createSyncSession(syncSessionRequest()))
    expect(error).toMatchObject({ code: 'peer-error', details: { status: 500, body: HTML } })
    expect(error.message).toBe(
      'The peer failed; its own log knows more (500): a page of HTML, "Server Error (500)"',
    )
  })

  it('of no shared key are explained', async () => {
    const { peer } = scripted([Response.json([])])
    expect(await failureOf(peer.publicKey())).toMatchObject({
      code: 'peer-protocol',
      message: 'The peer has no key yet for certificates pushed to it',
    })
  })

  it('larger than the limit are refused', async () => {
    const { peer } = scripted([Response.json('x'.repeat(2000))], { maxReplyBytes: 1000 })
    expect(await failureOf(peer.info())).toMatchObject({ code: 'peer-protocol' })
  })

  describe('of packed buffers', () => {
    const range = { transferSessionId: ID, offset: 0, limit: 2 }
    const packed = (body: Uint8Array<ArrayBuffer>): Response =>
      new Response(body, { headers: { 'content-type': 'application/vnd.morango.packed+gzip' } })
    const page = { count: 1, ...packRecords([record(1)]) }

    it.each([['zlib', zlibCompressor] as const, ['web', undefined] as const])(
      'are unpacked (%s)',
      async (_, compressor) => {
        const bytes = new Uint8Array(gzipSync(JSON.stringify(page)))
        const { peer } = scripted([packed(bytes)], { compressor })
        expect(await peer.fetchBuffers(range)).toEqual({ count: 1, records: [record(1)] })
        expect(peer.traffic.received).toBe(bytes.length)
      },
    )

    it.each([
      ['of another form', new Uint8Array(gzipSync('[]'))],
      ['damaged', new Uint8Array(gzipSync('[]').subarray(0, 12))],
      ['none', new Uint8Array([1, 2, 3])],
      ['larger than the limit when unpacked', new Uint8Array(gzipSync(' '.repeat(2000)))],
    ])('are refused when %s', async (_, bytes) => {
      for (const compressor of [undefined, zlibCompressor]) {
        const { peer } = scripted([packed(bytes)], { maxReplyBytes: 1000, compressor })
        expect(await failureOf(peer.fetchBuffers(range))).toMatchObject({ code: 'peer-protocol' })
      }
    })
  })

  it('that redirect are followed for GET alone', async () => {
    const moved = (): Response => new Response(null, { status: 301, headers: { location: '/elsewhere/' } })
    const { peer, requests } = scripted([moved(), Response.json(INFO), moved()])
    await peer.info()
    expect(requests[1]?.url).toBe('http://peer.test/elsewhere/')
    const error = await failureOf(peer.createNonce())
    expect(error.details).toMatchObject({ status: 301, body: '/elsewhere/' })
    expect(error.message).toContain('/elsewhere/')
  })
})

describe('retries', () => {
  it('of reading: with growing pauses, whatever failed', async () => {
    const script = scripted([lost(), 500, 503, busy(429), Response.json(INFO)])
    await script.peer.info()
    expect(script.pauses).toEqual([500, 1000, 2000, 7000])
  })

  it('end', async () => {
    const script = scripted([lost(), lost(), lost()], { retries: 2 })
    expect(await failureOf(script.peer.info())).toMatchObject({ code: 'network', details: { sent: true } })
    expect(script.requests).toHaveLength(3)
  })

  it.each([400, 401, 403, 404, 413])('never follow %d', async (status) => {
    const script = scripted([status])
    expect((await failureOf(script.peer.info())).details).toMatchObject({ status })
  })

  it('wait as told, unless that is too long', async () => {
    const until = new Response('', {
      status: 503,
      headers: { date: 'Sun, 22 Nov 2026 16:00:00 GMT', 'retry-after': 'Sun, 22 Nov 2026 16:00:20 GMT' },
    })
    const late = new Response('', { status: 503, headers: { 'retry-after': '3600' } })
    const script = scripted([until, late])
    expect((await failureOf(script.peer.info())).details).toMatchObject({ status: 503 })
    expect(script.pauses).toEqual([20_000])
  })

  const calls: [string, (peer: Peer) => Promise<unknown>][] = [
    ['createSyncSession', (peer) => peer.createSyncSession(syncSessionRequest())],
    [
      'requestCertificate',
      (peer) => peer.requestCertificate(signingRequest(), { username: 'a', password: '' }),
    ],
    ['pushCertificateChain', (peer) => peer.pushCertificateChain([])],
  ]
  it.each(calls)('of %s: only if it was not carried out', async (_, call) => {
    for (const step of [lost(), 500, 502, 503]) {
      const script = scripted([step])
      await failureOf(call(script.peer))
      expect(script.requests).toHaveLength(1)
    }
    const script = scripted([refused(), busy(), busy(429), 400])
    await failureOf(call(script.peer))
    expect(script.requests).toHaveLength(4)
  })

  it('of buffers: only if they were not sent', async () => {
    for (const step of [lost(), 500, busy()]) {
      const script = scripted([step], { capabilities: [], packedBuffers: false })
      await failureOf(script.peer.sendBuffers([record(1)]))
      expect(script.requests).toHaveLength(1)
    }
    const script = scripted([refused(), new Response(null, { status: 201 })], {
      capabilities: [],
      packedBuffers: false,
    })
    await script.peer.sendBuffers([record(1)])
    expect(script.requests).toHaveLength(2)
  })

  it('of nonces and new transfers: after a lost answer', async () => {
    const script = scripted([lost(), 504, Response.json({ id: ID }), lost(), Response.json(view()), 500])
    await script.peer.createNonce()
    const request = { id: ID, filter: 'a', push: true, sync_session_id: ID, client_fsic: '{}' }
    await script.peer.createTransferSession(request)
    expect(await failureOf(script.peer.createTransferSession(request))).toMatchObject({
      details: { status: 500 },
    })
  })

  it('of DELETE: gone is as good as deleted by the attempt before', async () => {
    await scripted([lost(), 404]).peer.closeTransferSession(ID)
    expect((await failureOf(scripted([404]).peer.closeTransferSession(ID))).details).toMatchObject({
      status: 404,
    })
    expect((await failureOf(scripted([refused(), 404]).peer.closeSyncSession(ID))).details).toMatchObject({
      status: 404,
    })
  })

  it('stop when aborted in a pause', async () => {
    const controller = new AbortController()
    const { peer, requests } = scripted([lost(), Response.json(INFO)], {
      sleep: async () => {
        controller.abort()
      },
    })
    expect(await failureOf(peer.info({ signal: controller.signal }))).toMatchObject({ code: 'aborted' })
    expect(requests).toHaveLength(1)
    const stopped = scripted([Response.json(INFO)], { signal: AbortSignal.abort() })
    expect(await failureOf(stopped.peer.info())).toMatchObject({ code: 'aborted' })
  })
})

describe('PATCH', () => {
  const toStage = { transfer_stage: 'dequeuing' } as const
  const shown = (changes: object): Response => Response.json(view(changes))

  it('whose answer is lost reads the session before it asks again', async () => {
    const script = scripted([
      lost(),
      shown({ transfer_stage: 'dequeuing', transfer_stage_status: 'started' }),
    ])
    expect(await script.peer.updateTransferSession(ID, toStage)).toMatchObject({
      transfer_stage_status: 'started',
    })
    expect(methodsOf(script)).toEqual(['PATCH', 'GET'])
  })

  it('is made again when it had no effect', async () => {
    const script = scripted([
      504,
      shown({ transfer_stage: 'queuing' }),
      shown({ transfer_stage: 'dequeuing' }),
    ])
    await script.peer.updateTransferSession(ID, toStage)
    expect(methodsOf(script)).toEqual(['PATCH', 'GET', 'PATCH'])
  })

  it('is made again when its counts are not there', async () => {
    const patch = { transfer_stage: 'transferring', records_transferred: 5 } as const
    const script = scripted([
      lost(),
      shown({ transfer_stage: 'transferring', records_transferred: 0 }),
      lost(),
      shown({ transfer_stage: 'transferring', records_transferred: 5 }),
    ])
    expect(await script.peer.updateTransferSession(ID, patch)).toMatchObject({ records_transferred: 5 })
    expect(methodsOf(script)).toEqual(['PATCH', 'GET', 'PATCH', 'GET'])
  })

  it('fails when the session is gone, or on any other error', async () => {
    const script = scripted([lost(), 404])
    expect(await failureOf(script.peer.updateTransferSession(ID, toStage))).toMatchObject({ code: 'network' })
    const failed = scripted([500])
    expect((await failureOf(failed.peer.updateTransferSession(ID, toStage))).details).toMatchObject({
      status: 500,
    })
  })
})

describe('on a socket', () => {
  it('counts packed bytes, times out when nothing comes, and names a closed port', async () => {
    const service = createFakeService()
    service.outgoing = Array.from({ length: 300 }, (_, n) => record(n))
    const { serve } = await import('@hono/node-server')
    const server = serve({ fetch: createRoutes(service).fetch, port: 0, hostname: '127.0.0.1' })
    await new Promise((resolve) => server.once('listening', resolve))
    const silent = createServer(() => undefined).listen(0, '127.0.0.1')
    await new Promise((resolve) => silent.once('listening', resolve))
    const at = (listening: { address(): unknown }): string =>
      `http://127.0.0.1:${Object(listening.address()).port}/`
    const peer = createHttpPeer(at(server), { capabilities: INFO.capabilities })
    const page = await peer.fetchBuffers({ transferSessionId: ID, offset: 0, limit: 300 })
    expect(page).toEqual({ count: 300, records: service.outgoing })
    expect(peer.traffic.received).toBeGreaterThan(1000)
    expect(peer.traffic.received).toBeLessThan(JSON.stringify(page.records).length / 4)
    await peer.sendBuffers(service.outgoing)
    expect(peer.traffic.sent).toBeLessThan(JSON.stringify(page.records).length / 4)
    expect(service.calls.at(-1)).toMatchObject({ name: 'receiveBuffers', args: [service.outgoing] })

    const slow = createHttpPeer(at(silent), { capabilities: [], timeoutMs: 20, retries: 0 })
    expect(await failureOf(slow.info())).toMatchObject({
      code: 'network',
      details: { timeout: true, sent: true },
    })
    silent.closeAllConnections()
    const address = at(silent)
    await new Promise((resolve) => silent.close(resolve))
    server.close()
    const gone = createHttpPeer(address, { capabilities: [], retries: 0 })
    expect(await failureOf(gone.info())).toMatchObject({
      code: 'network',
      details: { sent: false, code: 'ECONNREFUSED' },
    })
  })
})
