import { describe, expect, it, vi } from 'vitest'
import { MorangoError } from '../../src/core/errors.ts'
import type { Peer } from '../../src/protocol/peer.ts'
import { createHttpPeer } from '../../src/transport/http/client.ts'
import { zlibCompressor } from '../../src/node.ts'
import type { Compressor } from '../../src/transport/http/compressor.ts'
import { webCompressor } from '../../src/transport/http/compressor.ts'
import { createRoutes } from '../../src/transport/http/server.ts'
import { createMemoryPeer } from '../../src/transport/memory.ts'
import {
  ID,
  OTHER,
  UNKNOWN,
  createFakeService,
  failureOf,
  item,
  record,
  signingRequest,
  syncSessionRequest,
  view,
} from './fake-service.ts'
import type { FakeService } from './fake-service.ts'

const CAPABILITIES = ['GZIP_BUFFER_POST', 'FSIC_V2_FORMAT']
const ignore = (): void => undefined

function overHttp(
  service: FakeService,
  capabilities: string[] = CAPABILITIES,
  packing: { packedBuffers?: boolean; client?: Compressor; server?: Compressor } = { packedBuffers: false },
): Peer {
  const { packedBuffers, client, server } = packing
  const app = createRoutes(service, { onError: ignore, packedBuffers, compressor: server })
  return createHttpPeer('http://peer.test', {
    capabilities,
    packedBuffers,
    compressor: client,
    fetch: async (input, init) => await app.fetch(new Request(input, init)),
    sleep: async () => undefined,
  })
}

function inMemory(service: FakeService, capabilities: string[] = CAPABILITIES): Peer {
  return createMemoryPeer(service, { capabilities, onError: ignore })
}

describe('packed buffers', () => {
  it.each([
    ['both have zstd', zlibCompressor, zlibCompressor, 'zstd'],
    ['the client has not', webCompressor, zlibCompressor, 'gzip'],
    ['the server has not', zlibCompressor, webCompressor, 'gzip'],
  ])('go both ways when %s', async (_, client, server, format) => {
    const service = createFakeService()
    const types: (string | null)[] = []
    const peer = overHttp(service, CAPABILITIES, { client, server })
    const watching = overHttp(service, CAPABILITIES, {
      client: { ...client, gzip: watch('gzip', async (bytes) => await client.gzip(bytes)) },
      server,
    })
    function watch(name: string, work: Compressor['gzip']): Compressor['gzip'] {
      return async (bytes) => {
        types.push(name)
        return await work(bytes)
      }
    }
    const records = [record(1), record(2, { hard_deleted: true, deleted: true, _self_ref_fk: OTHER })]
    service.outgoing = records
    for (const each of [peer, watching]) {
      await each.sendBuffers(records)
      expect(service.calls.at(-1)).toMatchObject({ name: 'receiveBuffers', args: [records] })
      expect(await each.fetchBuffers({ transferSessionId: ID, offset: 0, limit: 9 })).toEqual({
        count: 2,
        records,
      })
      expect(await each.fetchBuffers({ transferSessionId: ID, offset: 2, limit: 9 })).toEqual({
        count: 2,
        records: [],
      })
    }
    expect(types).toEqual(format === 'gzip' ? ['gzip'] : [])
  })
})

// The same for all transports.
describe.each([
  ['http', overHttp],
  ['memory', inMemory],
])('a peer (%s)', (_, connect) => {
  it('carries every call and its answer', async () => {
    const service = createFakeService()
    const peer = connect(service)
    service.outgoing = [record(1), record(2), record(3)]
    const called = (): unknown => service.calls.at(-1)

    expect(await peer.info()).toMatchObject({ instance_id: ID, capabilities: service.capabilities })
    expect(await peer.createNonce()).toMatchObject({ id: UNKNOWN })
    expect(await peer.certificates({ ancestorsOf: ID, profile: 'é b' })).toEqual([item()])
    expect(called()).toMatchObject({ args: [{ ancestorsOf: ID, profile: 'é b' }] })
    expect(await peer.certificates({ primaryPartition: OTHER })).toEqual([item()])
    expect(called()).toMatchObject({ args: [{ primaryPartition: OTHER }] })
    expect(await peer.certificates({ profile: 'none' })).toEqual([])

    const credentials = { username: 'username=jürgen&facility=1', password: 'a:b ü' }
    expect(await peer.requestCertificate(signingRequest(), credentials)).toEqual(item(OTHER))
    expect(called()).toMatchObject({ args: [signingRequest(), credentials] })
    expect(await peer.publicKey()).toBe('MIIB')
    await peer.pushCertificateChain([item(), item(OTHER)])
    expect(called()).toMatchObject({ args: [[item(), item(OTHER)]] })

    expect(await peer.createSyncSession(syncSessionRequest())).toEqual({
      signature: 'c2ln',
      server_instance: '{"id": "y"}',
    })
    expect(called()).toMatchObject({ args: [syncSessionRequest()] })
    expect(await peer.syncSession(ID)).toMatchObject({ id: ID, active: true })
    expect(await peer.syncSession(UNKNOWN)).toBeUndefined()
    await peer.closeSyncSession(ID)

    const request = { id: ID, filter: 'a\nb', push: true, sync_session_id: OTHER, client_fsic: '{}' }
    expect(await peer.createTransferSession(request)).toEqual(view({ push: true }))
    expect(called()).toMatchObject({ args: [request] })
    expect(await peer.transferSession(ID)).toEqual(view())
    expect(await peer.transferSession(UNKNOWN)).toBeUndefined()
    const patch = { transfer_stage: 'queuing', records_total: 0 } as const
    expect(await peer.updateTransferSession(ID, patch)).toEqual(view(patch))
    expect(called()).toMatchObject({ args: [ID, patch] })
    await peer.closeTransferSession(ID)

    await peer.sendBuffers([record(1), record(2, { hard_deleted: true, deleted: true, _self_ref_fk: OTHER })])
    expect(called()).toMatchObject({
      name: 'receiveBuffers',
      args: [[record(1), record(2, { hard_deleted: true, deleted: true, _self_ref_fk: OTHER })]],
    })
    const range = { transferSessionId: ID, offset: 1, limit: 1 }
    expect(await peer.fetchBuffers(range)).toEqual({ count: 3, records: [record(2)] })
    expect(called()).toMatchObject({ args: [range] })
    expect(service.calls.every(({ caller }) => caller.capabilities.has('FSIC_V2_FORMAT'))).toBe(true)
    expect(peer.traffic.roundTrips).toBe(service.calls.length)
  })

  it('brings errors as peer-error with status and body', async () => {
    const service = createFakeService()
    const peer = connect(service)
    const cases: [MorangoError | Error, number, unknown][] = [
      [
        new MorangoError('nonce-invalid', 'It is 70 s old.', { details: { body: 'Nonce is not valid' } }),
        403,
        'Nonce is not valid',
      ],
      [new MorangoError('invalid-buffer', 'Out of the filter.'), 400, ['Out of the filter.']],
      [
        new MorangoError('certificate-scope-not-subset', 'No.'),
        400,
        { error_class: 'CertificateScopeNotSubset', error_message: 'No.' },
      ],
      [new MorangoError('forbidden', 'You may not.'), 403, { detail: 'You may not.' }],
      [new MorangoError('session-inactive', 'It is over.'), 400, 'It is over.'],
      [new MorangoError('database', 'secret table'), 500, { detail: 'Internal server error' }],
      [new TypeError('secret'), 500, { detail: 'Internal server error' }],
    ]
    for (const [failure, status, body] of cases) {
      service.failure = failure
      const error = await failureOf(peer.createSyncSession(syncSessionRequest()))
      expect(error).toMatchObject({ code: 'peer-error', details: { status, body } })
      expect(error.message).not.toContain('secret')
    }
  })

  it('says what is wrong with a message', async () => {
    const peer = connect(createFakeService())
    const error = await failureOf(
      peer.requestCertificate({ ...signingRequest(), parent: '' }, { username: 'a', password: '' }),
    )
    expect(error.details).toMatchObject({
      status: 400,
      body: { parent: ['Parent certificate (to sign the requested certificate) must be specified!'] },
    })
    const buffers = await failureOf(peer.sendBuffers([record(1), record(2, { model_uuid: 'xyz', more: 1 })]))
    expect(buffers.details).toMatchObject({
      status: 400,
      body: { model_uuid: ['Must be a UUID of 32 lowercase hex digits.'], more: ['Unknown field.'] },
    })
    expect(buffers.message).toContain('model_uuid')
  })

  it('answers what is not there with 404', async () => {
    const peer = connect(createFakeService())
    const calls = [
      peer.closeSyncSession(UNKNOWN),
      peer.closeTransferSession(UNKNOWN),
      peer.updateTransferSession(UNKNOWN, { transfer_stage: 'queuing' }),
      peer.closeSyncSession('xyz'),
    ]
    for (const call of calls) {
      expect((await failureOf(call)).details).toMatchObject({ status: 404, body: { detail: 'Not found.' } })
    }
  })

  it('refuses an answer that is not what the protocol says', async () => {
    const service = createFakeService()
    const peer = connect(service)
    service.outgoing = [record(1, { extra: 1 })]
    const error = await failureOf(peer.fetchBuffers({ transferSessionId: ID, offset: 0, limit: 5 }))
    expect(error).toMatchObject({ code: 'peer-protocol', details: { fields: { extra: ['Unknown field.'] } } })
  })

  it('can be aborted before and during a call', async () => {
    const service = createFakeService()
    const peer = connect(service)
    expect(await failureOf(peer.info({ signal: AbortSignal.abort() }))).toMatchObject({ code: 'aborted' })
    expect(service.calls).toHaveLength(0)
    const controller = new AbortController()
    vi.spyOn(service, 'createNonce').mockReturnValue(new Promise(() => undefined))
    const call = failureOf(peer.createNonce({ signal: controller.signal }))
    setTimeout(() => {
      controller.abort()
    }, 5)
    expect(await call).toMatchObject({ code: 'aborted' })
  })
})
