import { describe, expect, it } from 'vitest'
import { ALL, JOINED, ROOT, createInstance, createLine, fill } from './support.ts'

const SETS = [
  ALL,
  JOINED,
  ['ASYNC_OPERATIONS'],
  ['FSIC_V2_FORMAT'],
  [],
  ['ASYNC_OPERATIONS', 'GZIP_BUFFER_POST'],
] as const

describe.each(SETS.flatMap((client) => SETS.map((server) => [client, server] as const)))(
  'client %j, server %j',
  (clientCapabilities, serverCapabilities) => {
    it('syncs both ways, and then has nothing to do', async () => {
      const a = await createInstance('a')
      const b = await createInstance('b')
      fill(a, 23, 'a')
      fill(b, 11, 'b')
      const line = createLine(b.service({ capabilities: serverCapabilities }), clientCapabilities)
      const client = a.client({ capabilities: clientCapabilities, chunkSize: 5 })
      const report = await client.sync(line.peer, { direction: 'both', filter: ROOT })
      expect(report.pulled).toBe(11)
      expect(report.pushed).toBe(23)
      expect(a.engine.values()).toEqual(b.engine.values())
      expect(Object.keys(a.engine.values())).toHaveLength(34)

      const again = await client.sync(line.peer, { direction: 'both', filter: ROOT })
      expect([again.pulled, again.pushed]).toEqual([0, 0])
      expect(again.roundTrips).toBeLessThanOrEqual(12)
      expect(a.engine.buffered() + b.engine.buffered()).toBe(0)
    })
  },
)

describe('round trips', () => {
  it('makes few calls when there is nothing to do', async () => {
    const a = await createInstance('a')
    const b = await createInstance('b')
    const line = createLine(b.service())
    const first = await a.client().sync(line.peer, { direction: 'both', filter: ROOT })
    expect(first.roundTrips).toBe(13)
    line.log.length = 0
    await a.client().sync(line.peer, { direction: 'both', filter: ROOT })
    expect(line.log).toEqual([
      'info',
      'createNonce',
      'createSyncSession',
      'createTransferSession',
      'updateTransferSession',
      'updateTransferSession',
      'closeTransferSession',
      'createTransferSession',
      'updateTransferSession',
      'updateTransferSession',
      'closeTransferSession',
      'closeSyncSession',
    ])
  })

  it('makes fewer with servers that can go on to a stage at once', async () => {
    const a = await createInstance('a')
    const b = await createInstance('b')
    const line = createLine(b.service({ capabilities: JOINED }), JOINED)
    const client = a.client({ capabilities: JOINED })
    expect((await client.sync(line.peer, { direction: 'both', filter: ROOT })).roundTrips).toBe(9)
    line.log.length = 0
    await client.sync(line.peer, { direction: 'both', filter: ROOT })
    expect(line.log).toEqual([
      'info',
      'createNonce',
      'createSyncSession',
      'createTransferSession',
      'closeTransferSession',
      'createTransferSession',
      'closeTransferSession',
      'closeSyncSession',
    ])
  })

  it('waits for no answer before it asks for the nonce and the certificates', async () => {
    const a = await createInstance('a')
    const b = await createInstance('b')
    const line = createLine(b.service())
    const together = Promise.withResolvers<void>()
    const early = ['info', 'createNonce', 'certificates']
    line.intercept = async ({ method }, next) => {
      if (early.includes(method)) {
        if (early.every((name) => line.log.includes(name))) together.resolve()
        await together.promise
      }
      return await next()
    }
    const report = await a.client().sync(line.peer, { direction: 'pull', filter: ROOT })
    expect(report.pulled).toBe(0)
  })
})
