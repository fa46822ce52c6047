import { describe, expect, it } from 'vitest'
import type { BufferPage } from '../../src/protocol/messages.ts'
import { readAhead } from '../../src/session/read-ahead.ts'

interface Source {
  readonly asked: number[]
  readonly pageAt: (offset: number) => Promise<BufferPage>
}

function source(total: number, fetchFrom: (offset: number) => Promise<number>): Source {
  const asked: number[] = []
  const pageAt = readAhead({ sizes: { size: 10 }, total }, async (offset) => {
    asked.push(offset)
    return { count: await fetchFrom(offset), records: [] }
  })
  return { asked, pageAt }
}

describe('reading pages ahead', () => {
  it('asks for two more than the one that is wanted, once each, and none beyond the total', async () => {
    const { asked, pageAt } = source(45, async (offset) => offset)
    expect(await pageAt(0)).toMatchObject({ count: 0 })
    expect(asked).toEqual([0, 10, 20])
    expect(await pageAt(10)).toMatchObject({ count: 10 })
    expect(asked).toEqual([0, 10, 20, 30])
    for (const offset of [20, 30, 40]) expect(await pageAt(offset)).toMatchObject({ count: offset })
    expect(asked).toEqual([0, 10, 20, 30, 40])
  })

  it('begins anew where a page was shorter than asked for', async () => {
    const { asked, pageAt } = source(100, async (offset) => offset)
    await pageAt(0)
    expect(await pageAt(7)).toMatchObject({ count: 7 })
    expect(asked).toEqual([0, 10, 20, 7, 17, 27])
  })

  it('shows a failure when its page is wanted, and not before', async () => {
    const { pageAt } = source(100, async (offset) => {
      if (offset === 10) throw new Error('lost')
      return offset
    })
    expect(await pageAt(0)).toMatchObject({ count: 0 })
    await new Promise((resolve) => setTimeout(resolve))
    await expect(pageAt(10)).rejects.toThrow('lost')
  })
})
