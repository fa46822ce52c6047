import { describe, expect, it } from 'vitest'
import { createTeller, type Teller } from '../../src/session/teller.ts'

interface Scene {
  readonly teller: Teller
  readonly told: number[]
  /** Lets the call under way end. */
  readonly answer: (error?: Error) => Promise<void>
}

function scene(): Scene {
  const told: number[] = []
  const waiting: { resolve: () => void; reject: (error: Error) => void }[] = []
  const teller = createTeller(async (count) => {
    told.push(count)
    await new Promise<void>((resolve, reject) => waiting.push({ resolve, reject }))
  })
  const answer = async (error?: Error): Promise<void> => {
    const call = waiting.shift()
    if (error === undefined) call?.resolve()
    else call?.reject(error)
    await new Promise((resolve) => setTimeout(resolve))
  }
  return { teller, told, answer }
}

describe('a teller', () => {
  it('makes one call at a time, and tells the last of the counts that came meanwhile', async () => {
    const { teller, told, answer } = scene()
    for (const count of [10, 20, 30]) teller.tell(count)
    expect(told).toEqual([10])
    await answer()
    expect(told).toEqual([10, 30])
    await answer()
    await teller.settle()
    teller.tell(40)
    expect(told).toEqual([10, 30, 40])
  })

  it('settles only when nothing is on its way', async () => {
    const { teller, answer } = scene()
    let settled = false
    teller.tell(10)
    teller.tell(20)
    const settling = teller.settle().then(() => (settled = true))
    await answer()
    expect(settled).toBe(false)
    await answer()
    await settling
    teller.requireTold()
  })

  it('throws what a call threw from then on, and makes no more', async () => {
    const { teller, told, answer } = scene()
    teller.tell(10)
    teller.tell(20)
    await answer(new Error('lost'))
    await teller.settle()
    expect(() => teller.requireTold()).toThrow('lost')
    expect(() => teller.tell(30)).toThrow('lost')
    expect(told).toEqual([10])
  })

  it('does not tell the same twice', async () => {
    const { teller, told, answer } = scene()
    teller.tell(0)
    await answer()
    teller.tell(0)
    expect(told).toEqual([0])
  })
})
