import { describe, expect, it } from 'vitest'
import { createTeller, type Teller } from '../../src/session/teller.ts'

interface Scene {
  readonly teller: Teller
  readonly told: number[]
  /** Lets time pass. */
  readonly pass: (ms: number) => void
  /** Lets the call under way end. */
  readonly answer: (error?: Error) => Promise<void>
}

function scene(everyMs = 0): Scene {
  const told: number[] = []
  const waiting: { resolve: () => void; reject: (error: Error) => void }[] = []
  let ms = 0
  const teller = createTeller(
    async (count) => {
      told.push(count)
      await new Promise<void>((resolve, reject) => waiting.push({ resolve, reject }))
    },
    { clock: { now: () => new Date(ms) }, everyMs },
  )
  const pass = (more: number): void => void (ms += more)
  const answer = async (error?: Error): Promise<void> => {
    const call = waiting.shift()
    if (error === undefined) call?.resolve()
    else call?.reject(error)
    await new Promise((resolve) => setTimeout(resolve))
  }
  return { teller, told, answer, pass }
}

describe('a teller', () => {
  it('makes one call at a time, and tells the last of the counts that came meanwhile', async () => {
    const { teller, told, answer } = scene()
    for (const count of [10, 20, 30]) teller.tell(count, false)
    expect(told).toEqual([10])
    await answer()
    expect(told).toEqual([10, 30])
    await answer()
    await teller.settle()
    teller.tell(40, false)
    expect(told).toEqual([10, 30, 40])
  })

  it('settles only when nothing is on its way', async () => {
    const { teller, answer } = scene()
    let settled = false
    teller.tell(10, false)
    teller.tell(20, false)
    const settling = teller.settle().then(() => (settled = true))
    await answer()
    expect(settled).toBe(false)
    await answer()
    await settling
    teller.requireTold()
  })

  it('throws what a call threw from then on, and makes no more', async () => {
    const { teller, told, answer } = scene()
    teller.tell(10, false)
    teller.tell(20, false)
    await answer(new Error('lost'))
    await teller.settle()
    expect(() => teller.requireTold()).toThrow('lost')
    expect(() => teller.tell(30, false)).toThrow('lost')
    expect(told).toEqual([10])
  })

  it('does not tell the same twice', async () => {
    const { teller, told, answer } = scene()
    teller.tell(0, false)
    await answer()
    teller.tell(0, false)
    expect(told).toEqual([0])
  })

  it('tells no more often than it may, but the last at once', async () => {
    const { teller, told, answer, pass } = scene(500)
    teller.tell(10, false)
    pass(499)
    teller.tell(20, false)
    expect(told).toEqual([])
    pass(1)
    teller.tell(30, false)
    expect(told).toEqual([30])
    teller.tell(40, false)
    await answer()
    expect(told).toEqual([30])
    teller.tell(50, true)
    expect(told).toEqual([30, 50])
    await answer()
    await teller.settle()
  })
})
