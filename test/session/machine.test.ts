import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { STAGES, STAGE_STATUSES, stageIndex } from '../../src/core/stages.ts'
import type { Stage, StageStatus } from '../../src/core/stages.ts'
import { MAX_LOSSES, beginMachine, hasEnded, stepMachine } from '../../src/session/machine.ts'
import type { MachineStart } from '../../src/session/machine.ts'
import type { Effect, MachineEvent, Transition } from '../../src/session/machine-types.ts'

const stage = fc.constantFrom(...STAGES)
const status = fc.constantFrom(...STAGE_STATUSES)

const start: fc.Arbitrary<MachineStart> = fc.record({
  mode: fc.constantFrom('staged', 'bundled', 'joined'),
  role: fc.constantFrom('client', 'server'),
  direction: fc.constantFrom('push', 'pull'),
  stage,
  status,
  target: fc.constant('cleanup'),
  empty: fc.boolean(),
})

const anyEvent: fc.Arbitrary<MachineEvent> = fc.oneof(
  fc.record({ kind: fc.constant('worked' as const), empty: fc.boolean() }),
  fc.record({ kind: fc.constant('answered' as const), stage, status, empty: fc.boolean() }),
  fc.record({ kind: fc.constant('lost' as const), progressed: fc.boolean() }),
  fc.constantFrom<MachineEvent>(
    { kind: 'short' },
    { kind: 'refused' },
    { kind: 'gone' },
    { kind: 'failed' },
    { kind: 'busy' },
    { kind: 'abort' },
  ),
)

function stagesIn(effects: readonly Effect[]): Stage[] {
  return effects.flatMap((effect) => ('stage' in effect ? [effect.stage] : []))
}

describe('the machine', () => {
  it('never goes back, whatever happens', () => {
    fc.assert(
      fc.property(start, fc.array(anyEvent, { maxLength: 40 }), (from, events) => {
        let transition = beginMachine(from)
        let reached = stageIndex(from.stage)
        for (const event of [undefined, ...events]) {
          if (event !== undefined) transition = stepMachine(transition.state, event)
          for (const touched of [transition.state.stage, ...stagesIn(transition.effects)]) {
            expect(stageIndex(touched)).toBeGreaterThanOrEqual(reached)
            reached = stageIndex(touched)
          }
        }
      }),
    )
  })

  it('stays ended once it has', () => {
    fc.assert(
      fc.property(start, fc.array(anyEvent, { maxLength: 40 }), anyEvent, (from, events, more) => {
        let transition = beginMachine(from)
        for (const event of events) transition = stepMachine(transition.state, event)
        fc.pre(hasEnded(transition.state))
        expect(stepMachine(transition.state, more)).toEqual({ state: transition.state, effects: [] })
      }),
    )
  })

  it('always knows what to do next until it has ended', () => {
    fc.assert(
      fc.property(start, fc.array(anyEvent, { maxLength: 40 }), (from, events) => {
        let transition = beginMachine(from)
        for (const event of events) {
          const before = transition
          transition = stepMachine(transition.state, event)
          if (hasEnded(transition.state) || transition.state === before.state) continue
          const last = transition.effects.at(-1)?.kind
          // An event that does not belong to the phase changes nothing but notes.
          if (transition.effects.length > 0 && !['work', 'ask', 'poll'].includes(String(last))) return false
        }
        return true
      }),
    )
    expect.assertions(0)
  })

  it('reaches its end through losses, kills, repeats and slow answers', () => {
    const mishap = fc.constantFrom('none', 'lose', 'lose-answer', 'kill', 'slow')
    fc.assert(
      fc.property(
        start.filter(({ role }) => role === 'client'),
        fc.array(mishap, { maxLength: 60 }),
        (from, mishaps) => {
          const world = simulate({ ...from, stage: 'initializing', status: 'pending' }, mishaps)
          expect(world.end).toBe('done')
          expect(world.finished).toBe(true)
        },
      ),
    )
  })

  it('gives up for now after too many losses in a row', () => {
    let { state, effects } = beginMachine({
      mode: 'staged',
      role: 'client',
      direction: 'pull',
      stage: 'initializing',
      status: 'pending',
      target: 'cleanup',
      empty: false,
    })
    for (let losses = 0; losses <= MAX_LOSSES; losses++) {
      expect(hasEnded(state)).toBe(false)
      ;({ state, effects } = stepMachine(state, { kind: 'lost', progressed: false }))
    }
    expect(state.phase).toEqual({ kind: 'interrupted', reason: 'unreachable' })
    expect(effects).toEqual([])
  })

  it('lets a server wait for records in a pull, and fail a push that is asked to go on without', () => {
    const begin = (direction: 'push' | 'pull', target: Stage): Transition =>
      stepMachine(
        beginMachine({
          mode: 'staged',
          role: 'server',
          direction,
          stage: 'queuing',
          status: 'completed',
          target,
          empty: false,
        }).state,
        { kind: 'short' },
      )
    expect(begin('pull', 'dequeuing').state.phase).toEqual({ kind: 'parked', reason: 'records' })
    expect(begin('push', 'transferring').state.phase).toEqual({ kind: 'parked', reason: 'records' })
    expect(begin('push', 'dequeuing').state.phase).toEqual({ kind: 'errored', side: 'self' })
    expect(begin('push', 'dequeuing').effects).toEqual([
      { kind: 'move', stage: 'transferring', status: 'errored' },
    ])
  })
})

type Mishap = 'none' | 'lose' | 'lose-answer' | 'kill' | 'slow'

/** A client's machine against a server that is nothing but a stage, both with mishaps. */
function simulate(from: MachineStart, mishaps: readonly Mishap[]): { end: string; finished: boolean } {
  let kept: { stage: Stage; status: StageStatus } = from
  let server: { stage: Stage; status: StageStatus } = { stage: 'initializing', status: 'pending' }
  let gone = false
  let finished = false
  let next = 0
  const chance = (): Mishap => mishaps[next++] ?? 'none'

  for (let runs = 0; runs < 200; runs++) {
    let transition = beginMachine({ ...from, ...kept })
    for (let steps = 0; steps < 2000; steps++) {
      const { state, effects } = transition
      let event: MachineEvent | undefined
      let killed = false
      for (const effect of effects) {
        const mishap = chance()
        if (mishap === 'kill') {
          killed = true
          break
        }
        event = perform(effect, mishap, state.empty)
        if (event !== undefined) break
      }
      if (killed) break
      if (hasEnded(state)) {
        if (state.phase.kind === 'done') return { end: 'done', finished }
        if (state.phase.kind !== 'interrupted') return { end: state.phase.kind, finished }
        break
      }
      if (event === undefined) throw new Error('stuck')
      transition = stepMachine(state, event)
      if (hasEnded(transition.state) && transition.state.phase.kind === 'interrupted') break
    }
  }
  return { end: 'never', finished }

  function perform(effect: Effect, mishap: Mishap, empty: boolean): MachineEvent | undefined {
    switch (effect.kind) {
      case 'move':
        kept = { stage: effect.stage, status: effect.status }
        return undefined
      case 'work':
        return mishap === 'lose' ? { kind: 'lost', progressed: false } : { kind: 'worked', empty }
      case 'sleep':
        return undefined
      case 'finish':
        finished = true
        return undefined
      case 'poll':
        if (mishap === 'lose') return { kind: 'lost', progressed: false }
        if (server.status === 'started') server = { ...server, status: 'completed' }
        return gone ? { kind: 'gone' } : { kind: 'answered', ...server, empty }
      case 'ask': {
        if (mishap === 'lose') return { kind: 'lost', progressed: false }
        if (gone) return { kind: 'gone' }
        if (stageIndex(effect.stage) >= stageIndex(server.stage)) {
          server = { stage: effect.stage, status: mishap === 'slow' ? 'started' : 'completed' }
        }
        gone = effect.ask === 'close'
        if (mishap === 'lose-answer') return { kind: 'lost', progressed: false }
        return gone
          ? { kind: 'answered', stage: 'cleanup', status: 'completed', empty }
          : { kind: 'answered', ...server, empty }
      }
    }
  }
}
