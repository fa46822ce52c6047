import { describe, expect } from 'vitest'
import { expectSame, moved } from './compare.ts'
import { certify } from './introduce.ts'
import { noPython, test } from './network.ts'
import type { Peer } from './peer.ts'

const sampleMerge = { small: 'sum', payload: 'union', text: { latestBy: 'happened_at' } } as const

describe.skipIf(noPython)('merge policies, with a peer of the original in the middle', () => {
  test('what each side has added travels through it, and its own edits count', async ({ network }) => {
    const [left, middle, right] = [
      await network.ours({ sampleMerge }),
      await network.python(),
      await network.ours({ sampleMerge }),
    ]
    const dataset = await left.root({ scope: 'full' })
    await certify(middle, left, dataset)
    await certify(right, middle, dataset)
    const sync = async (client: Peer): Promise<number[]> => {
      const transfers = [false, true].map((push) => ({ push, filter: dataset }))
      return moved(await client.sync({ url: middle.url, dataset, transfers }))
    }

    const [id = ''] = await left.create({
      model: 'sample',
      rows: [
        {
          dataset_id: dataset,
          label: 'counted',
          small: 10,
          payload: ['first'],
          text: 'first',
          happened_at: '2026-01-01T00:00:00Z',
        },
      ],
    })
    await sync(left)
    await sync(right)
    const edit = async (peer: Peer, small: number, tag: string, day: number): Promise<void> => {
      const happened_at = `2026-01-0${day}T00:00:00Z`
      const fields = { small, payload: ['first', tag], text: tag, happened_at }
      await peer.update({ model: 'sample', id, fields })
      await peer.serialize({})
    }
    await edit(left, 13, 'left', 2)
    await edit(middle, 8, 'middle', 4)
    await edit(right, 15, 'right', 3)

    // Ours merge; the original takes over what follows on its own version.
    for (const peer of [left, right, left]) {
      // oxlint-disable-next-line no-await-in-loop
      await sync(peer)
    }
    await expectSame(left, right)
    const { a } = await expectSame(left, middle)
    expect(a.app.sample).toMatchObject([
      {
        small: 10 + 3 - 2 + 5,
        payload: ['first', 'left', 'middle', 'right'],
        text: 'middle',
        happened_at: '2026-01-04T00:00:00Z',
      },
    ])
    expect(await sync(right)).toEqual([0, 0])
  })
})
