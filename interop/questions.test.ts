import { describe, expect } from 'vitest'
import { expectSame } from './compare.ts'
import { introduce } from './introduce.ts'
import { noPython, test } from './network.ts'
import { createOurPeer } from './our-peer.ts'

const WAYS = [[], ['ASYNC_OPERATIONS'], ['FSIC_V2_FORMAT'], ['ASYNC_OPERATIONS', 'FSIC_V2_FORMAT']] as const

describe.skipIf(noPython).each(WAYS.map((way) => [way.join(' ') || 'nothing', way] as const))(
  'what we ask a peer of the original, without %s',
  (_name, withoutCapabilities) => {
    test('a dry run and an explanation leave nothing behind, and foresee the sync', async ({ network }) => {
      const python = await network.python()
      const ours = await createOurPeer({ withoutCapabilities })
      const { client, server, dataset } = await introduce(ours, python)
      await server.fill({ dataset, from: 0, count: 30 })
      await client.fill({ dataset, from: 100, count: 20 })
      const { morango } = ours
      for (let again = 0; again < 2; again++) {
        expect(await morango.plan(server.url, { filter: dataset })).toMatchObject({
          transfers: [
            { direction: 'pull', records: 30, models: undefined },
            { direction: 'push', records: 20, models: [{ model: 'sample', records: 20 }] },
          ],
          conflicts: undefined,
        })
      }
      const unknown = await morango.explain('sample', 'f'.repeat(32), { peer: server.url, filter: dataset })
      expect(unknown.verdict).toMatchObject({
        link: 'row',
        hint: expect.stringContaining('has changes that are not here'),
      })
      expect((await server.dump({})).buffers).toBe(0)
      const report = await morango.sync(server.url, { filter: dataset })
      expect(report).toMatchObject({ pulled: 30, pushed: 20 })
      await expectSame(client, server)

      const [record] = (await client.dump({})).store
      const id = record?.id ?? ''
      const synced = await morango.explain('sample', id, { peer: server.url })
      expect(synced.verdict.link).toBeUndefined()
      expect(synced.links.find(({ link }) => link === 'claim')).toMatchObject({
        state: 'ok',
        evidence: { asked: true },
      })
      await client.update({ model: 'sample', id, fields: { text: 'changed' } })
      await client.serialize({})
      expect((await morango.explain('sample', id, { peer: server.url })).verdict.link).toBe('claim')
      const peers = await morango.peers()
      expect(peers).toMatchObject([{ role: 'server', progress: { records: 1 }, openSessions: 0 }])
      await ours.close()
    })

    test('syncs within limits end with everything', async ({ network }) => {
      const python = await network.python()
      const ours = await createOurPeer({ withoutCapabilities })
      const { client, server, dataset } = await introduce(ours, python)
      await server.fill({ dataset, from: 0, count: 60 })
      await client.fill({ dataset, from: 100, count: 60 })
      let parked = 0
      for (;;) {
        const report = await ours.morango.sync(server.url, { filter: dataset, maxBytes: 40_000 })
        expect(report.bytes.sent + report.bytes.received).toBeLessThan(60_000)
        if (report.parked === undefined) break
        parked += 1
        expect(parked).toBeLessThan(30)
      }
      expect(parked).toBeGreaterThan(0)
      await expectSame(client, server)
      expect(await client.count({ model: 'sample' })).toBe(120)
      await ours.close()
    })
  },
)
