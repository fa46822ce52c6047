import fc from 'fast-check'
import { changeStep, createStep, syncStep } from '../../test/property/steps.ts'
import { MODELS } from '../profile.ts'
import { FILTERS, type History, type Holder, OWNERS, type Step } from './history.ts'
import { PAIRS, type Theme, themeSteps } from './themes.ts'

/** Who is replaced by ours, and what follows for who calls whom. */
export const MIXES = [
  'all ours',
  'ours as the client',
  'ours as the server',
  'ours in the middle',
  'some',
] as const
export type Mix = (typeof MIXES)[number]

const holders: fc.Arbitrary<readonly Holder[]> = fc.constantFrom<readonly Holder[]>(
  ['all', 'all'],
  ['all', 'all', 'all'],
  ['all', 'all', 'u1'],
  ['all', 'all', 'all', 'all'],
  ['all', 'all', 'u1', 'u1'],
)

const random: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: createStep(MODELS, OWNERS) },
  { weight: 6, arbitrary: changeStep },
  { weight: 6, arbitrary: syncStep(FILTERS) },
)

function theme(index: number): fc.Arbitrary<Theme> {
  const pair = PAIRS[index % PAIRS.length]
  if (pair === undefined) throw new Error('no pairs')
  return fc
    .record({
      pair: fc.constant(pair),
      model: fc.constantFrom(...MODELS),
      owner: fc.constantFrom(...OWNERS),
      ref: fc.nat({ max: 3 }),
      first: fc.constantFrom(0, 1),
      other: fc.constant(0),
      serializes: fc.boolean(),
    })
    .map((one) => ({ ...one, other: 1 - one.first }))
}

/**
 * A history in which the pair number `index` (of {@link PAIRS}, counted round) occurs, in the mix number `index`,
 * with random steps before and after.
 */
export function history(index: number): fc.Arbitrary<History> {
  const mix = MIXES[index % MIXES.length] ?? 'some'
  return fc
    .record({
      holders,
      theme: theme(index),
      // Nothing keeps a pair of the first round from happening.
      before: index < PAIRS.length ? fc.constant([]) : fc.array(random, { maxLength: 4 }),
      after: fc.array(random, { minLength: 1, maxLength: 6 }),
      // Most applications serialize before they sync, and so keep out of the way of a quirk that ends histories.
      careful: fc.nat({ max: 9 }).map((number) => number > 1),
      some: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
    })
    .map((drawn): History => {
      const steps = [...drawn.before, ...themeSteps(drawn.theme), ...drawn.after]
      const known = steps.map((step) => settle(step, drawn.holders.length, mix))
      return {
        holders: drawn.holders,
        ours: drawn.holders.map((_, peer) => isOurs(mix, peer, drawn.some)),
        steps: [
          ...known.flatMap((step) => (drawn.careful && step.do === 'sync' ? carefully(step) : [step])),
          ...ending(drawn.holders.length).flatMap((step) =>
            carefully(settle(step, drawn.holders.length, mix)),
          ),
        ],
      }
    })
}

function isOurs(mix: Mix, peer: number, some: readonly boolean[]): boolean {
  switch (mix) {
    case 'all ours':
      return true
    case 'ours as the client':
    case 'ours as the server':
      return peer === 0
    case 'ours in the middle':
      return peer === 1
    case 'some':
      // The last one is ours when none is by chance.
      return some[peer] === true || (peer === 0 && !some.includes(true))
  }
}

type Sync = Step & { readonly do: 'sync' }

/** Peers by their number, not beyond the last; and who calls whom as the mix wants it. */
function settle<T extends Step>(step: T, count: number, mix: Mix): T {
  if (step.do !== 'sync') return { ...step, peer: step.peer % count }
  const client = step.client % count
  const server = step.server % count === client ? (client + 1) % count : step.server % count
  const swapped = { ...step, client: server, server: client }
  const same = { ...step, client, server }
  switch (mix) {
    case 'ours as the client':
      return server === 0 ? swapped : same
    case 'ours as the server':
      return client === 0 ? swapped : same
    case 'ours in the middle':
      return client === 1 || server === 1 ? same : { ...step, client, server: 1 }
    default:
      return same
  }
}

function carefully(step: Sync): Step[] {
  return [{ do: 'serialize', peer: step.client }, { do: 'serialize', peer: step.server }, step]
}

/** Enough exchanges for all to reach all. */
function ending(count: number): Sync[] {
  const others = Array.from({ length: count - 1 }, (_, index) => index + 1)
  const around = [...others, ...others.slice(0, -1).toReversed()]
  return around.map((server) => ({
    do: 'sync',
    client: server,
    server: server === 1 ? 0 : 1,
    direction: 'both',
    filter: 'all',
  }))
}
