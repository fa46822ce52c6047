import fc from 'fast-check'
import { it } from 'vitest'
import { STAGES } from '../../src/core/stages.ts'
import type { Fault } from '../../src/testing/index.ts'
import { DATABASE } from '../databases/index.ts'
import { changeStep, createStep, restartStep, syncStep } from './steps.ts'
import { type Holder, type History, MODELS, OWNERS, type Step, World } from './world.ts'

const RUNS = process.env['MORANGO_PROPERTY_RUNS']
const SEED = process.env['MORANGO_PROPERTY_SEED']
const DEFAULT_RUNS = DATABASE === 'sqlite' ? 25 : 6

const fault: fc.Arbitrary<Fault> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('lose-request' as const, 'lose-answer' as const, 'repeat' as const),
    nth: fc.integer({ min: 1, max: 25 }),
  }),
  fc.record({
    kind: fc.constantFrom('lose-request' as const, 'lose-answer' as const, 'repeat' as const),
    call: fc.constantFrom('sendBuffers' as const, 'fetchBuffers' as const, 'updateTransferSession' as const),
    nth: fc.integer({ min: 1, max: 4 }),
  }),
  fc.record({
    kind: fc.constant('kill' as const),
    side: fc.constantFrom('client' as const, 'server' as const),
    statements: fc.nat({ max: 150 }),
  }),
  fc.record({
    kind: fc.constant('kill' as const),
    side: fc.constantFrom('client' as const, 'server' as const),
    stage: fc.constantFrom(...STAGES),
    statements: fc.nat({ max: 30 }),
  }),
)

const FILTERS = ['all', 'u1', 'u2', 'u1 notes', 'u1 and u2'] as const

const sync: fc.Arbitrary<Step & { do: 'sync' }> = fc
  .tuple(
    syncStep(FILTERS),
    fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, fc.array(fault, { minLength: 1, maxLength: 2 })),
  )
  .map(([one, faults]) => ({ ...one, faults }))

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: createStep(MODELS, OWNERS) },
  { weight: 6, arbitrary: changeStep },
  { weight: 1, arbitrary: restartStep },
  { weight: 9, arbitrary: sync },
)

/** A sync that is interrupted, what happens meanwhile, and the same sync again. */
const interrupted: fc.Arbitrary<Step[]> = fc
  .tuple(sync, fault, fc.array(step, { maxLength: 4 }))
  .map(([begun, cause, meanwhile]) => [
    { ...begun, faults: [...begun.faults, cause] },
    ...meanwhile,
    { ...begun, faults: [] },
  ])

const steps: fc.Arbitrary<Step[]> = fc
  .array(
    fc.oneof({ weight: 4, arbitrary: step.map((one) => [one]) }, { weight: 1, arbitrary: interrupted }),
    { minLength: 4, maxLength: 24, size: 'max' },
  )
  .map((parts) => parts.flat())

const holders: fc.Arbitrary<readonly Holder[]> = fc.constantFrom<readonly Holder[]>(
  ['all', 'all', 'all'],
  ['all', 'all', 'u1'],
  ['all', 'u1', 'u1'],
  ['all', 'all', 'u1', 'u2'],
  ['all', 'all', 'all', 'u1', 'u1'],
)

const history: fc.Arbitrary<History> = fc
  .record({
    holders,
    steps,
    format: fc.constantFrom('v2', 'v2', 'v2-staged', 'v1', 'bundled'),
  })
  .map((one) => (one.format.startsWith('v2') ? one : withoutSubsets(one)))

/**
 * The older format of counters cannot say what a peer has of a part of the filter: what it got under a narrower
 * filter it does not pass on under a wider one.
 */
function withoutSubsets({ holders: who, steps: story, format }: History): History {
  return {
    format,
    holders: who.map(() => 'all'),
    steps: story.map((one) => (one.do === 'sync' ? { ...one, filter: 'all' } : one)),
  }
}

// oxlint-disable-next-line vitest/expect-expect -- fast-check and the world throw
it(
  'any history ends with equal peers, and nothing lost, brought back or let out on the way',
  async () => {
    await fc.assert(
      fc.asyncProperty(history, async ({ holders: who, steps: story, format }) => {
        const world = await World.create({ holders: who, format }, 'history')
        try {
          await world.run(story)
          await world.end()
        } catch (error) {
          const told = [`${format}: ${who.join(', ')}`, ...world.log].join('\n')
          throw new Error(`${error instanceof Error ? error.message : String(error)}\n${told}`, {
            cause: error,
          })
        }
      }),
      {
        numRuns: RUNS === undefined ? DEFAULT_RUNS : Number(RUNS),
        ...(SEED !== undefined ? { seed: Number(SEED) } : RUNS === undefined ? { seed: 1 } : {}),
        // What was found until then is told; without it a failure would end as a timeout.
        interruptAfterTimeLimit: RUNS === undefined ? 60_000 : 7_000_000,
      },
    )
  },
  RUNS === undefined ? 120_000 : 7_200_000,
)
