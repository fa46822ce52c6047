import { beforeEach, describe, expect, it } from 'vitest'
import { certificateToItem } from '../../src/core/certificate.ts'
import { createChildCertificate } from '../../src/core/certificate-create.ts'
import { filterToString } from '../../src/core/filter.ts'
import { MAX_CHUNK_RECORDS } from '../../src/core/limits.ts'
import type { SigningRequest, SyncSessionRequest } from '../../src/protocol/messages.ts'
import { errorAnswer } from '../../src/protocol/status.ts'
import type { Caller, Service } from '../../src/protocol/peer.ts'
import type { ServiceOptions } from '../../src/session/service.ts'
import type { BufferRecord } from '../../src/session/ports.ts'
import type { Sleep } from '../../src/session/timing.ts'
import { databaseClockOf } from '../../src/storage/database-clock.ts'
import { saveCertificate } from '../../src/storage/certificates.ts'
import {
  ALL,
  ROOT,
  createClock,
  createInstance,
  fill,
  hex,
  keyPair,
  random,
  root,
  signer,
} from './support.ts'
import type { EngineCall } from './fake-engine.ts'
import type { Instance } from './support.ts'

const caller: Caller = { ip: '10.0.0.1', serverIp: '10.0.0.2', capabilities: new Set(ALL) }
const plain: Caller = { ...caller, capabilities: new Set() }
const MISSING = hex('a')

const child = await createChildCertificate({
  signer,
  parent: root.certificate,
  parentPrivateKeyPem: root.privateKeyPem,
  scopeDefinitionId: 'subcert',
  scopeVersion: 1,
  scopeParams: JSON.stringify({ main: ROOT, sub: 'x' }),
  publicKey: keyPair(1).publicKey,
  salt: hex('1'),
})
const chain = [certificateToItem(root.certificate), certificateToItem(child)]

let server: Instance
let service: Service

beforeEach(async () => {
  server = await createInstance('b')
  service = server.service()
})

/** Status and body with which a call fails. */
async function refusal(call: Promise<unknown>): Promise<{ status: number; body: unknown }> {
  try {
    await call
  } catch (error) {
    return errorAnswer(error)
  }
  return { status: 200, body: undefined }
}

async function sessionRequest(change: Partial<SyncSessionRequest> = {}): Promise<SyncSessionRequest> {
  const nonce = change.nonce ?? (await service.createNonce(caller)).id
  const id = change.id ?? random.uuid()
  return {
    id,
    nonce,
    server_certificate_id: ROOT,
    client_certificate_id: child.id,
    profile: 'facilitydata',
    certificate_chain: chain,
    connection_path: 'http://peer/',
    instance: JSON.stringify({ id: hex('c') }),
    client_ip: '',
    server_ip: '',
    signature: await signer.sign(keyPair(1).privateKeyPem, `${nonce}:${id}`),
    ...change,
  }
}

async function openSession(client: 'root' | 'child' = 'root'): Promise<string> {
  const nonce = (await service.createNonce(caller)).id
  const id = random.uuid()
  const request = await sessionRequest(
    client === 'child'
      ? { nonce, id }
      : {
          nonce,
          id,
          client_certificate_id: ROOT,
          certificate_chain: chain.slice(0, 1),
          signature: await signer.sign(root.privateKeyPem, `${nonce}:${id}`),
        },
  )
  await service.createSyncSession(request, caller)
  return id
}

async function openTransfer(push: boolean, from: Caller = caller, filter = ROOT): Promise<string> {
  const id = random.uuid()
  const sync_session_id = await openSession()
  await service.createTransferSession({ id, filter, push, sync_session_id, client_fsic: '{}' }, from)
  return id
}

function buffer(transfer: string, letter: string, change: Partial<BufferRecord> = {}): BufferRecord {
  const model_uuid = hex(letter)
  return {
    serialized: '{}',
    deleted: false,
    last_saved_instance: hex('c'),
    last_saved_counter: 1,
    hard_deleted: false,
    partition: `${ROOT}:x`,
    source_id: letter,
    model_name: 'thing',
    conflicting_serialized_data: '',
    model_uuid,
    transfer_session: transfer,
    profile: 'facilitydata',
    rmcb_list: [{ transfer_session: transfer, model_uuid, instance_id: hex('c'), counter: 1 }],
    _self_ref_fk: '',
    ...change,
  }
}

async function readyPush(total: number): Promise<string> {
  const id = await openTransfer(true)
  await service.updateTransferSession(id, { transfer_stage: 'serializing', client_fsic: '{}' }, caller)
  await service.updateTransferSession(id, { transfer_stage: 'queuing', records_total: total }, caller)
  return id
}

describe('sync sessions', () => {
  it('are made, seen, and closed once', async () => {
    const request = await sessionRequest()
    const reply = await service.createSyncSession(request, caller)
    const text = `${request.nonce}:${request.id}`
    expect(await signer.verify(root.certificate.publicKey, text, reply.signature)).toBe(true)
    expect(JSON.parse(reply.server_instance)).toMatchObject({ id: hex('b') })
    expect(await service.syncSession(request.id, caller)).toMatchObject({
      active: true,
      client_certificate: child.id,
      client_ip: '10.0.0.1',
      connection_kind: 'network',
    })
    expect(await service.closeSyncSession(request.id, caller)).toBe(true)
    expect(await service.closeSyncSession(request.id, caller)).toBe(false)
    expect(await service.syncSession(request.id, caller)).toBeUndefined()
  })

  it('use a nonce up, once and for a minute', async () => {
    const nonce = (await service.createNonce(caller)).id
    await service.createSyncSession(await sessionRequest({ nonce }), caller)
    const invalid = { status: 403, body: 'Nonce is not valid' }
    expect(await refusal(service.createSyncSession(await sessionRequest({ nonce }), caller))).toEqual(invalid)

    const old = await sessionRequest()
    server.clock.advance(60_000)
    expect(await refusal(service.createSyncSession(old, caller))).toEqual(invalid)

    const inTime = await sessionRequest()
    server.clock.advance(59_000)
    expect((await refusal(service.createSyncSession(inTime, caller))).status).toBe(200)

    const early = await sessionRequest()
    server.clock.advance(-5_000)
    expect(await refusal(service.createSyncSession(early, caller))).toEqual(invalid)
  })

  it('let one of two with the same nonce in', async () => {
    const nonce = (await service.createNonce(caller)).id
    const requests = [await sessionRequest({ nonce }), await sessionRequest({ nonce })]
    const results = await Promise.all(
      requests.map((request) => refusal(service.createSyncSession(request, caller))),
    )
    expect(results.map(({ status }) => status)).toEqual(expect.arrayContaining([200, 403]))
  })

  it('check chain, certificates, signature, nonce in this order', async () => {
    const everythingWrong = await sessionRequest({
      nonce: MISSING,
      certificate_chain: chain.slice(1),
      server_certificate_id: MISSING,
      signature: 'AAAA',
    })
    const answer = (change: Partial<SyncSessionRequest>): Promise<{ status: number; body: unknown }> =>
      refusal(service.createSyncSession({ ...everythingWrong, ...change }, caller))
    expect(await answer({})).toEqual({
      status: 403,
      body: 'Saving certificate chain has failed: First cert in chain must be a root cert (no parent)',
    })
    const certificate_chain = chain
    expect(await answer({ certificate_chain })).toEqual({
      status: 400,
      body: 'Requested certificate does not exist!',
    })
    expect(await answer({ certificate_chain, server_certificate_id: ROOT })).toEqual({
      status: 403,
      body: 'Client certificate failed to verify signature',
    })
    const good = await sessionRequest({ nonce: MISSING })
    expect(await answer(good)).toEqual({ status: 403, body: 'Nonce is not valid' })
    const tampered = [chain[0], { ...chain[1], signature: 'AAAA' }].flatMap((item) =>
      item?.id === undefined || item.serialized === undefined ? [] : [{ ...chain[0], ...item }],
    )
    expect((await answer({ certificate_chain: tampered as typeof chain })).status).toBe(403)
  })
})

describe('transfer sessions', () => {
  const ask = async (
    client: 'root' | 'child',
    push: boolean,
    filter: string,
    session?: string,
  ): Promise<unknown> =>
    service.createTransferSession(
      {
        id: random.uuid(),
        filter,
        push,
        sync_session_id: session ?? (await openSession(client)),
        client_fsic: '{}',
      },
      caller,
    )

  it('need an active sync session', async () => {
    const body = 'Requested syncsession does not exist or is no longer active!'
    expect(await refusal(ask('root', false, ROOT, MISSING))).toEqual({ status: 400, body })
    const closed = await openSession()
    await service.closeSyncSession(closed, caller)
    expect(await refusal(ask('root', false, ROOT, closed))).toEqual({ status: 400, body })
  })

  it.each([
    ['root', false, MISSING, 'Server certificate scope does not permit responding to pulls'],
    ['root', true, MISSING, 'Server certificate scope does not permit receiving pushes'],
    ['root', false, `${ROOT}\n${MISSING}`, 'Server certificate scope does not permit responding to pulls'],
    ['root', false, '', 'Server certificate scope does not permit responding to pulls'],
    ['child', false, ROOT, 'Client certificate scope does not permit pulling'],
    ['child', true, `${ROOT}:shared`, 'Client certificate scope does not permit pushing'],
  ] as const)('stay inside both scopes: %s push %s %j', async (client, push, filter, words) => {
    const answer = await refusal(ask(client, push, filter))
    expect(answer).toEqual({ status: 403, body: `${words} for the requested filter.` })
  })

  it('lets a child pull what it reads', async () => {
    await expect(ask('child', false, `${ROOT}:shared`)).resolves.toMatchObject({ push: false })
  })

  it('are returned again while active, and an errored one is in the way', async () => {
    const session = await openSession()
    const first = await ask('root', false, ROOT, session)
    expect(await ask('root', false, `${ROOT}:other`, session)).toMatchObject({
      id: Reflect.get(Object(first), 'id'),
      filter: ROOT,
    })
    await server.db.updateTable('morango_transfer_session').set({ stage_status: 'errored' }).execute()
    expect(await refusal(ask('root', false, ROOT, session))).toEqual({
      status: 500,
      body: 'Failed to initialize session',
    })
  })

  it('normalize the filter', async () => {
    const view = await ask('root', false, `  ${ROOT}:a \t ${ROOT}:b `)
    expect(view).toMatchObject({ filter: filterToString([`${ROOT}:a`, `${ROOT}:b`]) })
  })

  it('are not found once inactive, and PATCH to cleanup closes', async () => {
    const id = await openTransfer(false)
    expect(await service.updateTransferSession(id, { transfer_stage: 'cleanup' }, caller)).toBeUndefined()
    expect(await service.transferSession(id, caller)).toBeUndefined()
    expect(await service.closeTransferSession(id, caller)).toBe(false)
  })

  it('pull: walks through the stages, and never back', async () => {
    fill(server, 7, 'b')
    const id = await openTransfer(false)
    const patch = (change: object): Promise<unknown> => service.updateTransferSession(id, change, caller)
    expect(await patch({ transfer_stage: 'serializing', client_fsic: '{}' })).toMatchObject({
      transfer_stage: 'serializing',
      transfer_stage_status: 'completed',
      records_total: null,
    })
    expect(await patch({ transfer_stage: 'queuing' })).toMatchObject({ records_total: 7 })
    expect(await patch({ transfer_stage: 'serializing', client_fsic: '{"x": 1}' })).toMatchObject({
      transfer_stage: 'queuing',
      client_fsic: '{}',
    })
    const page = await service.buffers({ transferSessionId: id, offset: 5, limit: 5 }, caller)
    expect([page.count, page.records.length]).toEqual([7, 2])
    expect(await patch({ transfer_stage: 'transferring', records_transferred: 2 })).toMatchObject({
      transfer_stage: 'transferring',
      transfer_stage_status: 'pending',
    })
    expect(await patch({ transfer_stage: 'dequeuing' })).toMatchObject({
      transfer_stage: 'transferring',
      transfer_stage_status: 'pending',
    })
    expect((await refusal(patch({ records_transferred: 8 }))).status).toBe(400)
    expect(await patch({ transfer_stage: 'transferring', records_transferred: 7 })).toMatchObject({
      transfer_stage_status: 'completed',
    })
    expect(await service.closeTransferSession(id, caller)).toBe(true)
    expect(server.engine.buffered()).toBe(0)
  })

  it('push of nothing: can go straight on, or be closed', async () => {
    const id = await readyPush(0)
    expect(await service.updateTransferSession(id, { transfer_stage: 'dequeuing' }, caller)).toMatchObject({
      transfer_stage: 'dequeuing',
      transfer_stage_status: 'completed',
    })
    expect(await service.closeTransferSession(await readyPush(0), caller)).toBe(true)
    expect(server.engine.calls).not.toContain('dequeue')
  })

  it('push asked to go on too early: errored, and cleaned up by DELETE', async () => {
    const id = await readyPush(2)
    await service.receiveBuffers([buffer(id, '1')], caller)
    expect(await service.updateTransferSession(id, { transfer_stage: 'dequeuing' }, caller)).toMatchObject({
      transfer_stage: 'transferring',
      transfer_stage_status: 'errored',
    })
    expect(await service.closeTransferSession(id, caller)).toBe(true)
    expect(server.engine.buffered()).toBe(0)
  })

  it('bundled: POST queues, DELETE merges', async () => {
    fill(server, 3, 'b')
    const id = random.uuid()
    const sync_session_id = await openSession()
    const request = { id, filter: ROOT, push: false, sync_session_id, client_fsic: '{}' }
    expect(await service.createTransferSession(request, plain)).toMatchObject({
      transfer_stage: 'queuing',
      records_total: 3,
    })
    const push = await openTransfer(true, plain)
    await service.updateTransferSession(push, { records_total: 1 }, plain)
    await service.receiveBuffers([buffer(push, '1')], plain)
    expect(await service.closeTransferSession(push, plain)).toBe(true)
    expect(server.engine.values()).toHaveProperty(hex('1'))
    const short = await openTransfer(true, plain)
    await service.updateTransferSession(short, { records_total: 1 }, plain)
    expect((await refusal(service.closeTransferSession(short, plain))).status).toBe(500)
    expect(await service.closeTransferSession(short, plain)).toBe(true)
  })

  it('a failing stage is errored, its reason kept here', async () => {
    const id = await openTransfer(false)
    server.engine.before = (call) => {
      if (call === 'serialize') throw new Error('boom')
    }
    const view = await service.updateTransferSession(id, { transfer_stage: 'queuing' }, caller)
    expect(view).toMatchObject({ transfer_stage: 'serializing', transfer_stage_status: 'errored' })
    expect(JSON.stringify(view)).not.toContain('boom')
    const row = await server.db.selectFrom('morango_transfer_session').select('error').executeTakeFirst()
    expect(row?.error).toBe('Error: boom')
  })

  it('a stage is run once, however often it is asked for', async () => {
    fill(server, 3, 'b')
    const id = await openTransfer(false)
    server.engine.before = () => new Promise((resolve) => setTimeout(resolve, 5))
    const views = await Promise.all(
      [1, 2, 3].map(() => service.updateTransferSession(id, { transfer_stage: 'queuing' }, caller)),
    )
    expect(views.map((view) => view?.records_total)).toEqual([3, 3, 3])
    expect(server.engine.calls.filter((call) => call === 'queue')).toHaveLength(1)
  })
})

describe('several processes', () => {
  /** The process that has the service stops in the engine, for ever unless it is let on. */
  async function stopIn(call: EngineCall, work: () => Promise<unknown>): Promise<() => void> {
    const stopped = Promise.withResolvers<void>()
    const on = Promise.withResolvers<void>()
    server.engine.before = async (current) => {
      if (current !== call) return
      server.engine.before = undefined
      stopped.resolve()
      await on.promise
    }
    void work()
    await stopped.promise
    return on.resolve
  }

  const timesOf = (call: EngineCall): number => server.engine.calls.filter((each) => each === call).length
  const toSerializing = { transfer_stage: 'serializing' } as const

  it('a stage of a process that is no more is run anew, even for one who only looks', async () => {
    const id = await openTransfer(false)
    await stopIn('serialize', () => service.updateTransferSession(id, toSerializing, caller))
    const other = server.service({ stageWaitMs: 0 })
    expect(await other.transferSession(id, caller)).toMatchObject({ transfer_stage_status: 'started' })
    expect(await other.updateTransferSession(id, toSerializing, caller)).toMatchObject({
      transfer_stage_status: 'started',
    })
    expect(timesOf('serialize')).toBe(1)
    server.clock.advance(15_000)
    await other.transferSession(id, caller)
    const third = server.service()
    expect(await third.updateTransferSession(id, toSerializing, caller)).toMatchObject({
      transfer_stage: 'serializing',
      transfer_stage_status: 'completed',
    })
    expect(timesOf('serialize')).toBe(2)
  })

  it('a stage of a process that shows life is left to it, however long it takes', async () => {
    const id = await openTransfer(false)
    const pulse = createPulse()
    service = server.service({ pulse: pulse.wait })
    const working = Promise.withResolvers<unknown>()
    const goOn = await stopIn('serialize', async () =>
      working.resolve(await service.updateTransferSession(id, toSerializing, caller)),
    )
    const other = server.service({ stageWaitMs: 0 })
    for (let beats = 0; beats < 5; beats++) {
      server.clock.advance(10_000)
      // oxlint-disable-next-line no-await-in-loop
      await pulse.beat()
      // oxlint-disable-next-line no-await-in-loop
      expect(await other.transferSession(id, caller)).toMatchObject({ transfer_stage_status: 'started' })
    }
    goOn()
    expect(await working.promise).toMatchObject({ transfer_stage_status: 'completed' })
    expect(timesOf('serialize')).toBe(1)
  })

  it('a process that was taken for dead moves nothing when it wakes up', async () => {
    const id = await openTransfer(false)
    const woken = Promise.withResolvers<unknown>()
    const wake = await stopIn('serialize', async () =>
      woken.resolve(await service.updateTransferSession(id, toSerializing, caller)),
    )
    server.clock.advance(15_000)
    const other = server.service()
    await other.updateTransferSession(id, { transfer_stage: 'queuing' }, caller)
    const before = await server.db.selectFrom('morango_transfer_session').selectAll().execute()
    wake()
    // It answers what the other has done.
    expect(await woken.promise).toMatchObject({
      transfer_stage: 'queuing',
      transfer_stage_status: 'completed',
    })
    expect(await server.db.selectFrom('morango_transfer_session').selectAll().execute()).toEqual(before)
    expect(await server.db.selectFrom('morango_lease').selectAll().execute()).toEqual([])
  })

  it('bundled: a POST or DELETE that comes again waits for the process that has it, dead or alive', async () => {
    const sync_session_id = await openSession()
    const request = { id: random.uuid(), filter: ROOT, push: false, sync_session_id, client_fsic: '{}' }
    const sleep = async (ms: number): Promise<void> => {
      server.clock.advance(ms)
      await new Promise((resolve) => setImmediate(resolve))
    }
    await stopIn('queue', () => service.createTransferSession(request, plain))
    const view = await server.service({ sleep }).createTransferSession(request, plain)
    expect(view).toMatchObject({
      id: request.id,
      transfer_stage: 'queuing',
      transfer_stage_status: 'completed',
    })
    expect(timesOf('queue')).toBe(2)

    const id = await readyPush(1)
    await service.receiveBuffers([buffer(id, '1')], caller)
    const goOn = await stopIn('dequeue', () => service.closeTransferSession(id, plain))
    const again = server.service({ sleep: async () => goOn() }).closeTransferSession(id, plain)
    expect(await again).toBe(true)
    expect(timesOf('dequeue')).toBe(1)
    expect(await service.transferSession(id, caller)).toBeUndefined()
    expect(server.engine.buffered()).toBe(1)
  })

  it('a session is closed at once, whoever is at work in it', async () => {
    const id = await openTransfer(false)
    const session = await server.db
      .selectFrom('morango_transfer_session')
      .select('sync_session_id')
      .executeTakeFirstOrThrow()
    const answered = Promise.withResolvers<unknown>()
    const goOn = await stopIn('serialize', async () =>
      answered.resolve(await service.updateTransferSession(id, toSerializing, caller)),
    )
    expect(await server.service().closeSyncSession(session.sync_session_id, caller)).toBe(true)
    goOn()
    expect(await answered.promise).toBeUndefined()
    expect(await server.db.selectFrom('morango_lease').selectAll().execute()).toEqual([])
  })

  it('a nonce is good at a process whose clock is behind', async () => {
    const databaseNow = databaseClockOf(server.clock)
    const behind = createClock()
    behind.advance(-30_000)
    service = server.service({ databaseNow })
    const request = await sessionRequest()
    const other = server.service({ databaseNow, clock: behind })
    expect(await other.createSyncSession(request, caller)).toMatchObject({ signature: expect.any(String) })
  })
})

/** Signs of life that come when the test says so. */
function createPulse(): { wait: Sleep; beat: () => Promise<void> } {
  let waiting = Promise.withResolvers<void>()
  let strike = (): void => {}
  return {
    wait: (_ms, signal) =>
      new Promise((resolve) => {
        strike = resolve
        signal?.addEventListener('abort', () => resolve())
        waiting.resolve()
      }),
    async beat() {
      await waiting.promise
      waiting = Promise.withResolvers()
      strike()
      // It waits for the next one when this one was shown.
      await waiting.promise
    },
  }
}

describe('buffers', () => {
  it('take a chunk again, and ignore what comes after the end', async () => {
    const id = await readyPush(2)
    await service.receiveBuffers([buffer(id, '1')], caller)
    await service.receiveBuffers([buffer(id, '1')], caller)
    expect(await service.transferSession(id, caller)).toMatchObject({
      records_transferred: 1,
      transfer_stage_status: 'pending',
    })
    await service.receiveBuffers([buffer(id, '2')], caller)
    expect(await service.transferSession(id, caller)).toMatchObject({
      transfer_stage: 'transferring',
      transfer_stage_status: 'completed',
    })
    await service.receiveBuffers([buffer(id, '3')], caller)
    expect(await service.transferSession(id, caller)).toMatchObject({ records_transferred: 2 })
  })

  it('take chunks that come at the same time', async () => {
    const letters = ['1', '2', '3', '4', '5', '6']
    const id = await readyPush(letters.length)
    await Promise.all(letters.map((letter) => service.receiveBuffers([buffer(id, letter)], caller)))
    expect(await service.transferSession(id, caller)).toMatchObject({ transfer_stage_status: 'completed' })
  })

  it.each([
    ['more than announced', (id: string) => ['1', '2'].map((letter) => buffer(id, letter)), 1],
    ['a partition outside', (id: string) => [buffer(id, '1', { partition: 'elsewhere' })], 1],
    ['an unknown profile', (id: string) => [buffer(id, '1', { profile: 'nosuch' })], 1],
  ] as const)('refuse %s', async (_, records, total) => {
    const id = await readyPush(total)
    const { status, body } = await refusal(service.receiveBuffers(records(id), caller))
    expect(status).toBe(400)
    expect(body).toEqual([expect.any(String)])
    expect(await service.transferSession(id, caller)).toMatchObject({
      transfer_stage: 'transferring',
      transfer_stage_status: 'errored',
    })
  })

  it('are refused for pulls, mixed sessions, and before queuing', async () => {
    const pull = await openTransfer(false)
    expect(await refusal(service.receiveBuffers([buffer(pull, '1')], caller))).toEqual({
      status: 403,
      body: 'Specified TransferSession does not allow pushes.',
    })
    const push = await openTransfer(true)
    expect(await refusal(service.receiveBuffers([buffer(push, '1'), buffer(pull, '2')], caller))).toEqual({
      status: 403,
      body: 'All pushed records must be associated with the same TransferSession.',
    })
    expect((await refusal(service.receiveBuffers([buffer(push, '1')], caller))).status).toBe(400)
    expect((await refusal(service.receiveBuffers([buffer(MISSING, '1')], caller))).status).toBe(400)
    const denied = { status: 403, body: { detail: 'Authentication credentials were not provided.' } }
    for (const transferSessionId of [push, MISSING]) {
      // oxlint-disable-next-line no-await-in-loop
      expect(await refusal(service.buffers({ transferSessionId, offset: 0, limit: 5 }, caller))).toEqual(
        denied,
      )
    }
  })
})

describe('a page of records', () => {
  async function queuedPull(records: number): Promise<string> {
    fill(server, records, 'b')
    const id = await openTransfer(false)
    await service.updateTransferSession(id, { transfer_stage: 'serializing', client_fsic: '{}' }, caller)
    await service.updateTransferSession(id, { transfer_stage: 'queuing' }, caller)
    server.engine.calls.length = 0
    return id
  }

  it('is the whole list without a limit, as long as that is no longer than a chunk', async () => {
    const transferSessionId = await queuedPull(MAX_CHUNK_RECORDS)
    const { records } = await service.buffers({ transferSessionId, offset: 0, limit: undefined }, caller)
    expect(records).toHaveLength(MAX_CHUNK_RECORDS)
  })

  it('is refused without a limit where the list is longer, before a record of it is read', async () => {
    const transferSessionId = await queuedPull(MAX_CHUNK_RECORDS + 1)
    for (const limit of [undefined, 0]) {
      // oxlint-disable-next-line no-await-in-loop
      expect(await refusal(service.buffers({ transferSessionId, offset: 0, limit }, caller))).toEqual({
        status: 400,
        body: { detail: `The list has more than ${MAX_CHUNK_RECORDS} records: give a limit.` },
      })
    }
    expect(server.engine.calls).not.toContain('outgoing')
  })

  it('has no more records than a chunk, whatever the limit', async () => {
    const transferSessionId = await queuedPull(MAX_CHUNK_RECORDS + 1)
    const page = await service.buffers({ transferSessionId, offset: 0, limit: 1_000_000 }, caller)
    expect([page.count, page.records.length]).toEqual([MAX_CHUNK_RECORDS + 1, MAX_CHUNK_RECORDS])
  })
})

describe('certificates', () => {
  const request: SigningRequest = {
    parent: ROOT,
    profile: 'facilitydata',
    scope_definition: 'fullsub',
    scope_version: 1,
    scope_params: JSON.stringify({ main: ROOT }),
    public_key: keyPair(2).publicKey,
  }
  const credentials = { username: 'user=ann&facility=1', password: 'x' }
  const authorize: ServiceOptions['authorize'] = ({ password, fields }, { scopeParams }) => {
    if (password !== 'x') return 'unauthenticated'
    return fields['user'] === 'ann' && scopeParams['main'] !== undefined
  }

  it('lists what is held', async () => {
    await saveCertificate(server.db, child)
    const ids = async (query: object): Promise<string[]> =>
      (await service.certificates(query, caller)).map(({ id }) => id)
    expect(await ids({})).toEqual([ROOT])
    expect(await ids({ primaryPartition: ROOT })).toEqual([ROOT])
    expect(await ids({ primaryPartition: MISSING })).toEqual([])
    expect(await ids({ ancestorsOf: ROOT })).toEqual([ROOT])
    expect(await ids({ ancestorsOf: child.id })).toEqual([])
    expect(await ids({ profile: 'nosuch' })).toEqual([])
    await saveCertificate(server.db, child, keyPair(1).privateKeyPem)
    expect(await ids({ ancestorsOf: child.id })).toEqual([ROOT, child.id])
    expect((await ids({ primaryPartition: ROOT })).toSorted()).toEqual([ROOT, child.id].toSorted())
    expect(await service.certificate(MISSING, caller)).toBeUndefined()
  })

  it('are given to whom the application admits', async () => {
    service = server.service({ authorize })
    const item = await service.requestCertificate(request, credentials, caller)
    expect(item).toMatchObject({ parent: ROOT, scope_definition: 'fullsub', public_key: request.public_key })
    const status = async (
      change: Partial<SigningRequest>,
      who: typeof credentials | undefined,
    ): Promise<number> =>
      (await refusal(service.requestCertificate({ ...request, ...change }, who, caller))).status
    expect(await status({}, undefined)).toBe(401)
    expect(await status({}, { ...credentials, password: 'y' })).toBe(401)
    expect(await status({}, { ...credentials, username: 'bob' })).toBe(403)
    expect(await status({ scope_params: '[]' }, credentials)).toBe(403)
    expect(await status({ parent: MISSING }, credentials)).toBe(400)
    expect(await status({ public_key: 'AAAA' }, credentials)).toBe(400)
    expect(await status({ scope_definition: 'nosuch' }, credentials)).toBe(400)
  })

  it('are given to nobody without an application that decides', async () => {
    expect((await refusal(service.requestCertificate(request, credentials, caller))).status).toBe(403)
    expect((await refusal(service.requestCertificate(request, undefined, caller))).status).toBe(401)
  })

  it('report a failed check by its class', async () => {
    service = server.service({ authorize })
    const answer = (change: Partial<SigningRequest>): Promise<unknown> =>
      refusal(service.requestCertificate({ ...request, ...change }, credentials, caller))
    expect(await answer({ scope_params: JSON.stringify({ main: MISSING }) })).toEqual({
      status: 400,
      body: { error_class: 'CertificateScopeNotSubset', error_message: '' },
    })
    expect(await answer({ profile: 'other' })).toEqual({
      status: 400,
      body: {
        error_class: 'CertificateProfileInvalid',
        error_message: "Certificate profile is other but parent's is facilitydata",
      },
    })
  })

  it('are not taken when pushing is off', async () => {
    expect((await refusal(service.publicKey(caller))).status).toBe(403)
    expect((await refusal(service.pushCertificateChain(chain, caller))).status).toBe(403)
  })
})
