import { describe, expect, it } from 'vitest'
import { ALL, ROOT, createInstance, createLine, fill } from './support.ts'

const SETS = [
  ALL,
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
})
