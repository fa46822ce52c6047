import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest'
import { type Cast, createCast } from './histories/cast.ts'
import { createCoverage, pairingsIn } from './histories/coverage.ts'
import { history } from './histories/generate.ts'
import type { History } from './histories/history.ts'
import { play, type Played } from './histories/play.ts'
import { QUIRKS } from './histories/quirks.ts'
import { PAIRS } from './histories/themes.ts'
import { noPython } from './network.ts'
import { countPairings } from './pairings.ts'

const COUNT = Number(process.env['MORANGO_HISTORIES'] ?? 100)
const SEED = Number(process.env['MORANGO_HISTORIES_SEED'] ?? 1)
const KEPT = join(import.meta.dirname, 'histories')
const MINUTES = 60_000

/** A history that is replayed, and the quirks that must be met in it. */
interface Kept {
  readonly about: string
  readonly meets: readonly string[]
  readonly history: History
}

const kept: readonly (readonly [name: string, kept: Kept])[] = readdirSync(KEPT)
  .filter((name) => name.endsWith('.json'))
  .toSorted()
  .map((name) => [name, JSON.parse(readFileSync(join(KEPT, name), 'utf8'))])

describe.skipIf(noPython)('the same history, twice', () => {
  let cast: Cast
  const coverage = createCoverage()

  beforeAll(async () => {
    cast = await createCast()
  })
  afterAll(async () => {
    await cast.close()
    console.log(coverage.report())
  })

  // Shrinking may end by its time limit while a history is still being played.
  let last: Promise<unknown> = Promise.resolve()

  async function playAndCount(one: History, { task }: TestContext): Promise<Played> {
    const playing = last.then(() => play(one, cast))
    last = playing.catch(() => undefined)
    const played = await playing
    task.meta.isHistory = true
    countPairings(task, pairingsIn(played.actions, played.kinds))
    return played
  }

  it.for(kept)('kept: %s', { timeout: MINUTES }, async ([, { meets, history: one }], context) => {
    const played = await playAndCount(one, context)
    expect([...played.quirks].toSorted()).toEqual([...meets].toSorted())
  })

  it('each quirk has a history of its own, and is in the documentation', () => {
    const met = new Set(kept.flatMap(([, { meets }]) => meets))
    const names = QUIRKS.map(({ name }) => name)
    expect(names.filter((name) => !met.has(name))).toEqual([])
    const documented = readFileSync(join(import.meta.dirname, '..', 'docs', 'python.md'), 'utf8')
    expect(names.filter((name) => !documented.includes(`| ${name} `))).toEqual([])
  })

  it.for(Array.from({ length: COUNT }, (_, index) => index))(
    'random: %i',
    { timeout: 4 * MINUTES },
    async (index, context) => {
      await fc.assert(
        fc.asyncProperty(history(index), async (one) => {
          try {
            coverage.add(await playAndCount(one, context))
          } catch (error) {
            const text = error instanceof Error ? error.message : String(error)
            throw new Error(`${text}\nto keep it: ${JSON.stringify(one)}`, { cause: error })
          }
        }),
        // While it shrinks what was found is not lost to the test's time limit.
        { numRuns: 1, seed: SEED + index, interruptAfterTimeLimit: 2 * MINUTES },
      )
    },
  )

  it.skipIf(COUNT < PAIRS.length)('every operation and pair of operations occurred', () => {
    expect(coverage.missing()).toEqual([])
  })
})
