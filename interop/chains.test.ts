import { describe, expect } from 'vitest'
import { expectSame, moved } from './compare.ts'
import { certify } from './introduce.ts'
import { noPython, test } from './network.ts'
import type { Peer } from './peer.ts'

const CHAINS = [
  ['python', 'ours', 'python'],
  ['ours', 'python', 'ours'],
] as const

describe.skipIf(noPython).each(CHAINS)('%s, %s, %s: the ends never meet', (...kinds) => {
  for (const manner of ['serves both', 'is client of one', 'is client of both'] as const) {
    test(`where the one in the middle ${manner}`, async ({ network }) => {
      const start = (kind: 'ours' | 'python') => (kind === 'ours' ? network.ours() : network.python())
      const [left, middle, right] = [await start(kinds[0]), await start(kinds[1]), await start(kinds[2])]
      const links =
        manner === 'serves both'
          ? ([
              [left, middle],
              [right, middle],
            ] as const)
          : manner === 'is client of one'
            ? ([
                [middle, left],
                [right, middle],
              ] as const)
            : ([
                [middle, left],
                [middle, right],
              ] as const)
      const dataset = await left.root({ scope: 'full' })
      // Certificates go from left to right, whoever calls whom later.
      await certify(middle, left, dataset)
      await certify(right, middle, dataset)

      // After a pull the original lowers what it knew of third instances to what the server knows of them, and
      // then does not push their records (protocol §6, "never lower one"). Pushing first is the way round it.
      const pushFirst = manner === 'is client of both' && middle.kind === 'python'
      const sync = async (link: readonly [Peer, Peer]): Promise<number[]> => {
        const [client, server] = link
        const transfers = [pushFirst, !pushFirst].map((push) => ({ push, filter: dataset }))
        return moved(await client.sync({ url: server.url, dataset, transfers, chunk: 7 }))
      }
      const settle = async (): Promise<void> => {
        for (const link of [links[0], links[1], links[0]]) {
          // oxlint-disable-next-line no-await-in-loop
          await sync(link)
        }
      }

      await left.fill({ dataset, from: 0, count: 20 })
      await middle.fill({ dataset, from: 100, count: 10 })
      await right.fill({ dataset, from: 200, count: 15 })
      await settle()
      const { a } = await expectSame(left, right)
      expect((await expectSame(left, middle)).a.app.sample).toHaveLength(45)

      // Edits of one record at both ends, a deletion at one, an edit of what the other made.
      const [first, second, third] = a.app.sample.map(({ id }) => String(id))
      await left.update({ model: 'sample', id: first ?? '', fields: { text: 'left' } })
      await right.update({ model: 'sample', id: first ?? '', fields: { text: 'right' } })
      await left.remove({ model: 'sample', id: second ?? '' })
      await right.update({ model: 'sample', id: third ?? '', fields: { text: 'only right' } })
      for (const peer of [left, middle, right]) {
        // oxlint-disable-next-line no-await-in-loop
        await peer.serialize({})
      }
      await settle()
      await expectSame(left, right)
      const end = await expectSame(left, middle)
      expect(end.a.app.sample).toHaveLength(44)
      const record = end.a.store.find(({ id }) => id === first)
      expect(`${record?.serialized} ${record?.conflicting}`).toMatch(/"left".*"right"|"right".*"left"/su)
      expect(Object.keys(record?.history ?? {}).length).toBeGreaterThanOrEqual(2)
      for (const link of links) {
        // oxlint-disable-next-line no-await-in-loop
        expect(await sync(link)).toEqual([0, 0])
      }
    })
  }
})
