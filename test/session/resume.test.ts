import { describe, expect, it } from 'vitest'
import { isMorangoError } from '../../src/core/errors.ts'
import { closeIdleSessions } from '../../src/session/idle-sessions.ts'
import type { EngineCall } from './fake-engine.ts'
import { JOINED, ROOT, createInstance, createLine, fill, lost } from './support.ts'
import type { Instance } from './support.ts'
import type { SyncClientOptions } from '../../src/session/client.ts'
import type { SyncReport } from '../../src/session/progress.ts'
import type { Sleep } from '../../src/session/timing.ts'

const CALLER = { ip: '', serverIp: '', capabilities: new Set<string>() }

const STEPS: readonly EngineCall[] = [
  'serialize',
  'fsic',
  'queue',
  'outgoing',
  'storeIncoming',
  'incomingCount',
  'dequeue',
  'deserialize',
  'clearBuffers',
]
const SYNC = { direction: 'both', filter: ROOT } as const

/** Makes the engine stop for ever at the n-th call of a kind; resolves when it has. */
function hang(instance: Instance, call: EngineCall, nth: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  let seen = 0
  instance.engine.before = async (current) => {
    if (current !== call || ++seen !== nth) return
    instance.engine.before = undefined
    resolve()
    await new Promise(() => {})
  }
  return promise
}

async function expectEqual(a: Instance, b: Instance, count: number): Promise<void> {
  expect(a.engine.values()).toEqual(b.engine.values())
  expect(Object.keys(a.engine.values())).toHaveLength(count)
  expect(a.engine.buffered() + b.engine.buffered()).toBe(0)
  for (const { db } of [a, b]) {
    // oxlint-disable-next-line no-await-in-loop
    const open = await db
      .selectFrom('morango_transfer_session')
      .select('id')
      .where('active', '=', 1)
      .execute()
    expect(open).toEqual([])
  }
}

describe.each([
  ['all capabilities', undefined],
  ['all, and joined stages', JOINED],
  ['none', [] as string[]],
] as const)('%s', (_, some) => {
  const more = some === undefined ? {} : { capabilities: some }

  describe.each(STEPS)('killed in %s', (call) => {
    it.each([1, 2])('client, time %i', async (nth) => {
      const a = await createInstance('a')
      const b = await createInstance('b')
      fill(a, 12, 'a')
      fill(b, 12, 'b')
      const line = createLine(b.service(more), some)
      const hung = hang(a, call, nth)
      const first = a.client({ ...more, chunkSize: 5 }).sync(line.peer, SYNC)
      await Promise.race([hung, first])
      a.engine.before = undefined
      const report = await a.client({ ...more, chunkSize: 5 }).sync(line.peer, SYNC)
      await a.client({ ...more, chunkSize: 5 }).sync(line.peer, SYNC)
      expect(report.transfers).toHaveLength(2)
      await expectEqual(a, b, 24)
    })

    it.each([1, 2])('server, time %i', async (nth) => {
      const a = await createInstance('a')
      const b = await createInstance('b')
      fill(a, 12, 'a')
      fill(b, 12, 'b')
      const line = createLine(b.service(more), some)
      const hung = hang(b, call, nth)
      const sync = a.client({ ...more, chunkSize: 5 }).sync(line.peer, SYNC)
      const restarted = Promise.race([
        hung.then(() => {
          b.clock.advance(20_000)
          line.restart(b.service(more))
        }),
        sync,
      ])
      await restarted
      await sync
      b.engine.before = undefined
      const last = await a.client({ ...more, chunkSize: 5 }).sync(line.peer, SYNC)
      expect([last.pulled, last.pushed]).toEqual([0, 0])
      await expectEqual(a, b, 24)
    })
  })

  it.each(['request', 'answer', 'twice'] as const)('loses or repeats every call once: %s', async (what) => {
    for (let victim = 0; victim < 40; victim++) {
      /* oxlint-disable no-await-in-loop */
      const a = await createInstance('a')
      const b = await createInstance('b')
      fill(a, 12, 'a')
      fill(b, 12, 'b')
      const line = createLine(b.service(more), some)
      let call = 0
      line.intercept = async (_call, next) => {
        if (call++ !== victim) return next()
        if (what === 'request') throw lost()
        if (what === 'twice' && _call.method !== 'createSyncSession' && !_call.method.startsWith('close')) {
          await next()
        }
        const reply = await next()
        if (what === 'answer') throw lost()
        return reply
      }
      const report = await a.client({ ...more, chunkSize: 5 }).sync(line.peer, SYNC)
      expect([report.pulled, report.pushed]).toEqual([12, 12])
      await expectEqualButSessions(a, b)
      if (call <= victim) break
      /* oxlint-enable no-await-in-loop */
    }
  })
})

async function expectEqualButSessions(a: Instance, b: Instance): Promise<void> {
  await expectEqual(a, b, 24)
}

describe('aborts', () => {
  it('stops and goes on where it stopped', async () => {
    const a = await createInstance('a')
    const b = await createInstance('b')
    fill(b, 50, 'b')
    const line = createLine(b.service())
    const stopper = new AbortController()
    const client = a.client({ chunkSize: 5 })
    const stopped = client.sync(line.peer, {
      ...SYNC,
      signal: stopper.signal,
      onProgress: (progress) => {
        if (progress.kind === 'stage-progress' && progress.done === 20) stopper.abort()
      },
    })
    await expect(stopped).rejects.toSatisfy((error) => isMorangoError(error, 'aborted'))
    const fetched = (): number => line.log.filter((method) => method === 'fetchBuffers').length
    const before = fetched()
    const report = await client.sync(line.peer, SYNC)
    expect(report.transfers[0]).toMatchObject({ direction: 'pull', resumed: true, recordsTransferred: 50 })
    expect(fetched() - before).toBe(6)
    await expectEqual(a, b, 50)
  })

  it('resumes alone', async () => {
    const a = await createInstance('a')
    const b = await createInstance('b')
    fill(a, 20, 'a')
    const line = createLine(b.service())
    const stopper = new AbortController()
    const client = a.client({ chunkSize: 5 })
    await expect(
      client.sync(line.peer, {
        ...SYNC,
        signal: stopper.signal,
        onProgress: (progress) => {
          if (progress.kind === 'stage-progress' && progress.done === 10) stopper.abort()
        },
      }),
    ).rejects.toThrow('stopped')
    const reports = await client.resume(line.peer)
    expect(reports).toMatchObject([{ direction: 'push', resumed: true, recordsTransferred: 20 }])
    await expectEqual(a, b, 20)
    expect(await client.resume(line.peer)).toEqual([])
  })

  it('starts at once aborted', async () => {
    const a = await createInstance('a')
    const b = await createInstance('b')
    const line = createLine(b.service())
    await expect(a.client().sync(line.peer, { ...SYNC, signal: AbortSignal.abort() })).rejects.toSatisfy(
      (error) => isMorangoError(error, 'aborted'),
    )
  })
})

describe('giving up', () => {
  async function interrupted(): Promise<{ a: Instance; b: Instance; line: ReturnType<typeof createLine> }> {
    const a = await createInstance('a')
    const b = await createInstance('b')
    fill(a, 12, 'a')
    fill(b, 12, 'b')
    const line = createLine(b.service())
    const hung = hang(a, 'dequeue', 1)
    void a.client({ chunkSize: 5 }).sync(line.peer, SYNC)
    await hung
    return { a, b, line }
  }

  it('begins anew when the server has lost the session', async () => {
    const { a, b, line } = await interrupted()
    await b.db.updateTable('morango_sync_session').set({ active: 0 }).execute()
    const kinds: string[] = []
    const report = await a.client().sync(line.peer, { ...SYNC, onProgress: ({ kind }) => kinds.push(kind) })
    expect(kinds).toContain('restarted')
    expect(report.transfers.map(({ resumed }) => resumed)).toEqual([false, false])
    expect(a.engine.values()).toEqual(b.engine.values())
    expect(a.engine.buffered()).toBe(0)
  })

  it('begins anew when the server has failed', async () => {
    const { a, b, line } = await interrupted()
    await b.db
      .updateTable('morango_transfer_session')
      .set({ stage_status: 'errored', stage: 'transferring' })
      .execute()
    await a.db.updateTable('morango_transfer_session').set({ stage: 'transferring' }).execute()
    const report = await a.client().sync(line.peer, SYNC)
    expect(report.transfers.map(({ resumed }) => resumed)).toEqual([false, false])
    await expectEqual(a, b, 24)
  })

  it('says what failed here, and goes on with it the next time', async () => {
    const a = await createInstance('a')
    const b = await createInstance('b')
    fill(b, 12, 'b')
    const line = createLine(b.service())
    a.engine.before = (call) => {
      if (call === 'dequeue') throw new Error('disk full')
    }
    await expect(a.client().sync(line.peer, SYNC)).rejects.toMatchObject({ code: 'stage-failed' })
    a.engine.before = undefined
    const report = await a.client().sync(line.peer, SYNC)
    expect(report.transfers[0]).toMatchObject({ resumed: true, recordsTransferred: 12 })
    await expectEqual(a, b, 12)
  })

  it('says that the server failed, and not why', async () => {
    const a = await createInstance('a')
    const b = await createInstance('b')
    fill(a, 3, 'a')
    const line = createLine(b.service())
    b.engine.before = (call) => {
      if (call === 'dequeue') throw new Error('secret')
    }
    const failed = a.client().sync(line.peer, SYNC)
    await expect(failed).rejects.toMatchObject({ code: 'transfer-errored' })
    await expect(failed).rejects.not.toThrow('secret')
    const row = await b.db
      .selectFrom('morango_transfer_session')
      .select('error')
      .where('push', '=', 1)
      .executeTakeFirst()
    expect(row?.error).toContain('secret')
    b.engine.before = undefined
    await a.client().sync(line.peer, SYNC)
    await expectEqual(a, b, 3)
  })

  it('closes idle sessions and clears their Buffers', async () => {
    const { a, b } = await interrupted()
    expect(await closeIdleSessions(b)).toBe(0)
    for (const instance of [a, b]) {
      instance.clock.advance(7 * 3600 * 1000)
      // oxlint-disable-next-line no-await-in-loop
      expect(await closeIdleSessions(instance)).toBe(1)
      expect(instance.engine.buffered()).toBe(0)
    }
  })
})

describe('two syncs at once', () => {
  it('do not take each other for one that was left', async () => {
    const a = await createInstance('a')
    const b = await createInstance('b')
    fill(a, 12, 'a')
    fill(b, 12, 'b')
    const line = createLine(b.service())
    const client = a.client({ chunkSize: 5 })
    const reports = await Promise.all([client.sync(line.peer, SYNC), client.sync(line.peer, SYNC)])
    expect(reports.flatMap(({ transfers }) => transfers.map(({ resumed }) => resumed))).not.toContain(true)
    await expectEqual(a, b, 24)
  })
})

describe('two processes on one database', () => {
  /** The first of them stops in its pull, until it is let on. */
  async function stopped(first: Partial<SyncClientOptions> = {}): Promise<{
    a: Instance
    b: Instance
    line: ReturnType<typeof createLine>
    sync: Promise<SyncReport>
    goOn: () => void
  }> {
    const a = await createInstance('a')
    const b = await createInstance('b')
    fill(a, 12, 'a')
    fill(b, 12, 'b')
    const line = createLine(b.service())
    const there = Promise.withResolvers<void>()
    const on = Promise.withResolvers<void>()
    a.engine.before = async (call) => {
      if (call !== 'dequeue') return
      a.engine.before = undefined
      there.resolve()
      await on.promise
    }
    const sync = a.client({ chunkSize: 5, ...first }).sync(line.peer, SYNC)
    sync.catch(() => {})
    await there.promise
    return { a, b, line, sync, goOn: on.resolve }
  }

  it('a second sync leaves the transfer that the first is running', async () => {
    const pulse: Sleep = () => new Promise((resolve) => setImmediate(resolve))
    const { a, b, line, sync, goOn } = await stopped({ pulse })
    const kinds: string[] = []
    const second = await a.client().sync(line.peer, { ...SYNC, onProgress: ({ kind }) => kinds.push(kind) })
    expect(kinds).toContain('waiting')
    expect(second.transfers.map(({ resumed }) => resumed)).toEqual([false, false])
    goOn()
    const first = await sync
    expect(first.transfers.map(({ resumed }) => resumed)).toEqual([false, false])
    await expectEqual(a, b, 24)
  })

  it('a second sync goes on with it when the first has died, also in an open session', async () => {
    const { a, b, line } = await stopped()
    const row = await a.db.selectFrom('morango_sync_session').select('id').executeTakeFirstOrThrow()
    const second = await a.client().sync(line.peer, SYNC)
    expect(second.transfers.map(({ resumed }) => resumed)).toEqual([true, false])
    await expectEqual(a, b, 24)
    expect(await a.client().resume(line.peer)).toEqual([])
    expect(await b.service().syncSession(row.id, CALLER)).toBeUndefined()
  })

  it('a first sync that was taken for dead says so when it wakes up, and harms nothing', async () => {
    const { a, b, line, sync, goOn } = await stopped()
    await a.client().sync(line.peer, SYNC)
    goOn()
    await expect(sync).rejects.toMatchObject({ code: 'lease-lost' })
    await expectEqual(a, b, 24)
    expect(await a.db.selectFrom('morango_lease').selectAll().execute()).toEqual([])
    const last = await a.client().sync(line.peer, SYNC)
    expect([last.pulled, last.pushed]).toEqual([0, 0])
  })
})

describe('long stages', () => {
  it('go on in the background while the client looks now and then', async () => {
    const a = await createInstance('a')
    const b = await createInstance('b')
    fill(a, 12, 'a')
    const service = b.service({ stageWaitMs: 0 })
    const line = createLine(service)
    b.engine.before = (call) =>
      call === 'dequeue' ? new Promise((resolve) => setTimeout(resolve, 50)) : undefined
    await a.client().sync(line.peer, SYNC)
    expect(line.log.filter((method) => method === 'transferSession').length).toBeGreaterThan(1)
    await expectEqual(a, b, 12)
  })
})
