import { describe, expect, it } from 'vitest'
import { STAGES } from '../../src/core/stages.ts'
import { planStep } from '../../src/session/plan.ts'
import type { Ask, Work } from '../../src/session/plan.ts'

const MODES = ['staged', 'bundled', 'joined'] as const
const DIRECTIONS = ['push', 'pull'] as const
const PRODUCER_WORK: readonly Work[] = ['serialize', 'queue', 'send']
const RECEIVER_WORK: readonly Work[] = ['fingerprint', 'receive', 'dequeue', 'deserialize']

const makes = (ask: Ask): boolean => ask === 'create' || ask === 'begin'

describe('planStep', () => {
  it('has a step for every combination', () => {
    for (const mode of MODES) {
      for (const role of ['client', 'server'] as const) {
        for (const direction of DIRECTIONS) {
          for (const stage of STAGES) expect(planStep(mode, role, direction, stage)).toBeDefined()
        }
      }
    }
  })

  it.each(MODES)('gives each side its own work (%s)', (mode) => {
    for (const direction of DIRECTIONS) {
      const worksOf = (role: 'client' | 'server'): Work[] =>
        STAGES.map((stage) => planStep(mode, role, direction, stage).work)
      const [producer, receiver] =
        direction === 'push' ? (['client', 'server'] as const) : (['server', 'client'] as const)
      expect(worksOf(producer).some((work) => RECEIVER_WORK.includes(work))).toBe(false)
      expect(worksOf(receiver).some((work) => PRODUCER_WORK.includes(work))).toBe(false)
      expect(worksOf(producer)).toEqual(expect.arrayContaining(['serialize', 'queue']))
      expect(worksOf(receiver)).toEqual(expect.arrayContaining(['fingerprint', 'dequeue', 'deserialize']))
    }
  })

  it.each(MODES)('never lets a server ask (%s)', (mode) => {
    for (const direction of DIRECTIONS) {
      for (const stage of STAGES) expect(planStep(mode, 'server', direction, stage).ask).toBe('none')
    }
  })

  it.each(MODES)('creates the transfer once and closes it last (%s)', (mode) => {
    for (const direction of DIRECTIONS) {
      const asks: Ask[] = STAGES.map((stage) => planStep(mode, 'client', direction, stage).ask)
      expect(asks.filter(makes)).toHaveLength(1)
      expect(asks.findIndex(makes)).toBe(asks.findIndex((ask) => ask !== 'none'))
      expect(asks.filter((ask) => ask === 'close')).toEqual(['close'])
      expect(asks.at(-1)).toBe('close')
    }
  })
})
