import { describe, expect, it } from 'vitest'
import { createStandstill } from '../../src/session/standstill.ts'
import { view } from '../transport/fake-service.ts'

const HOUR = 3600 * 1000

describe('a peer that is asked how far it is', () => {
  it('is given up after a day of the same answer, and not while there is news', () => {
    let now = 0
    const look = createStandstill({ now: () => new Date(now) })
    const serializing = view({ transfer_stage: 'serializing', transfer_stage_status: 'started' })
    look(serializing)
    now += 24 * HOUR
    look(serializing)
    look(view({ transfer_stage: 'queuing', transfer_stage_status: 'started' }))
    now += 24 * HOUR
    const queuing = view({ transfer_stage: 'queuing', transfer_stage_status: 'started' })
    look(queuing)
    now += 1
    expect(() => {
      look(queuing)
    }).toThrow('The peer has been queuing for a day')
  })
})
