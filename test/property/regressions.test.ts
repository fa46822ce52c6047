import { describe, expect, it } from 'vitest'
import type { Fault } from '../../src/testing/index.ts'
import { type History, type Step, World } from './world.ts'

// Histories that once ended badly, as short as they could be made.

const kill = (side: 'client' | 'server', rest: object = {}): Fault => ({ kind: 'kill', side, ...rest })

function sync(client: number, server: number, rest: Partial<Step & { do: 'sync' }> = {}): Step {
  return { do: 'sync', client, server, direction: 'both', filter: 'all', faults: [], ...rest }
}

async function play(history: History): Promise<'ends well'> {
  const world = await World.create(history, 'history')
  await world.run(history.steps)
  await world.end()
  return 'ends well'
}

describe('histories', () => {
  it('a record that was merged is applied, though its client died and came back for something else', async () => {
    expect(
      await play({
        holders: ['all', 'all', 'all'],
        format: 'v2',
        steps: [
          { do: 'create', peer: 0, model: 'shelf', owner: 'u2', ref: 0 },
          sync(0, 1, { filter: 'u2', faults: [kill('client', { stage: 'deserializing' })] }),
          sync(0, 1),
          sync(0, 1),
        ],
      }),
    ).toBe('ends well')
  })

  it('a push that was interrupted does not claim a record that another peer has changed meanwhile', async () => {
    for (const format of ['bundled', 'v1', 'v2'] as const) {
      expect(
        await play({
          holders: ['all', 'all', 'all'],
          format,
          steps: [
            { do: 'create', peer: 0, model: 'shelf', owner: 'u1', ref: 0 },
            sync(2, 0),
            { do: 'delete', peer: 2, record: 0 },
            { do: 'create', peer: 0, model: 'shelf', owner: 'u1', ref: 0 },
            sync(0, 1, { direction: 'push', faults: [kill('client', { stage: 'queuing' })] }),
            sync(0, 2),
            sync(0, 1, { direction: 'push' }),
          ],
        }),
      ).toBe('ends well')
    }
  })

  it('an edit of a row whose deletion has arrived and is not applied does not bring it back', async () => {
    for (const deletion of ['delete', 'delete-hard'] as const) {
      expect(
        await play({
          holders: ['all', 'all', 'all'],
          format: 'v2',
          steps: [
            { do: 'create', peer: 0, model: 'shelf', owner: 'u1', ref: 0 },
            sync(0, 1),
            { do: deletion, peer: 0, record: 0 },
            sync(0, 1, {
              direction: 'push',
              faults: [
                kill('client', { stage: 'deserializing' }),
                kill('server', { stage: 'deserializing' }),
              ],
            }),
            { do: 'edit', peer: 1, record: 0 },
            sync(1, 2),
          ],
        }),
      ).toBe('ends well')
    }
  })
})
