import { describe, expect, it } from 'vitest'
import { STAGES } from '../../src/core/stages.ts'
import { createTestNetwork, type TestNetwork } from '../../src/testing/index.ts'
import { DATABASE, makeTestDatabase } from '../databases/index.ts'

// What a database makes of it is in the suite of storages; elsewhere a network takes half a second to make.
const KILLED_AFTER = DATABASE === 'sqlite' ? [0, 1, 3] : [1]

async function withBook(seed = 'network'): Promise<{ network: TestNetwork; id: string }> {
  const network = await createTestNetwork({ peers: ['a', 'b'], seed, database: makeTestDatabase })
  const { id } = await network.peer('a').insert('book', { root: network.root, owner: 'u1', title: 'Emma' })
  return { network, id }
}

describe('a test network', () => {
  it('syncs in one process', async () => {
    const { network, id } = await withBook()
    const report = await network.sync('a', 'b')
    expect(report).toMatchObject({ pulled: 0, pushed: 1 })
    expect(await network.peer('b').row('book', id)).toMatchObject({ title: 'Emma' })
    expect(await network.digest('a')).toBe(await network.digest('b'))
    expect(await network.converge()).toBe(1)
    await network.close()
  })

  it('is the same for the same seed', async () => {
    const run = async (): Promise<string> => {
      const { network } = await withBook()
      await network.sync('b', 'a', { faults: [{ kind: 'lose-answer', call: 'fetchBuffers' }] })
      const digest = await network.digest('b')
      await network.close()
      return digest
    }
    expect(await run()).toBe(await run())
  })

  it('kills either side in any stage, and goes on', async () => {
    let killed = 0
    for (const side of ['client', 'server'] as const) {
      for (const direction of ['push', 'pull'] as const) {
        for (const stage of STAGES) {
          for (const statements of KILLED_AFTER) {
            const { network, id } = await withBook()
            const from = direction === 'push' ? 'a' : 'b'
            const to = direction === 'push' ? 'b' : 'a'
            const before = network.peer(side === 'client' ? from : to).morango
            const faults = [{ kind: 'kill', side, stage, statements }] as const
            await network.sync(from, to, { direction, faults }).catch(() => undefined)
            if (before !== network.peer(side === 'client' ? from : to).morango) killed++
            await network.sync(from, to, { direction })
            expect(
              await network.peer('b').row('book', id),
              `${side} ${direction} ${stage} ${statements}`,
            ).toMatchObject({ title: 'Emma' })
            await network.close()
          }
        }
      }
    }
    expect(killed).toBeGreaterThan(13 * KILLED_AFTER.length)
  })
})
