import { describe, expect, it } from 'vitest'
import { PARSERS } from './parsers.ts'
import { SHAPES } from './shapes.ts'

/** Characters of the texts that are compared: each pair is two doublings apart, so that noise weighs half as much. */
const PAIRS = [
  [12_500, 50_000],
  [25_000, 100_000],
] as const
/** For each doubling 2.5 times the work: linear work takes 2, a sort a little more, quadratic work 4. */
const MOST_RATIO = 2.5 ** 2
/** So little time says nothing: a clock, a collection of garbage and other processes weigh more. */
const NOTHING_MS = 12
const TRIES = 25

/** The time that the processor spends on it, in ms. What others do meanwhile is not in it. */
function once(parse: (text: string) => unknown, text: string): number {
  const begun = process.threadCpuUsage()
  try {
    parse(text)
  } catch {
    // Refusing is what most do.
  }
  const { user, system } = process.threadCpuUsage(begun)
  return (user + system) / 1000
}

const texts = Object.entries(SHAPES).map(
  ([name, shape]) => [name, PAIRS.map((pair) => pair.map((size) => shape(size)))] as const,
)

/** Says so if four times the text takes far more than four times the work, each time it is tried. */
function excess(
  parse: (text: string) => unknown,
  [small = '', large = '']: readonly string[],
): string | undefined {
  let [few, many] = [Infinity, Infinity]
  for (let tries = 0; tries < TRIES; tries++) {
    many = Math.min(many, once(parse, large))
    if (many <= NOTHING_MS) return undefined
    few = Math.min(few, once(parse, small))
    if (many <= few * MOST_RATIO) return undefined
  }
  return `${few.toFixed(1)} ms for ${small.length} characters, and ${many.toFixed(1)} ms for ${large.length}`
}

describe('twice the text of a peer is twice the work for', () => {
  it.each(Object.entries(PARSERS))('%s', (_, parse) => {
    const found = texts.flatMap(([name, pairs]) =>
      pairs.flatMap((pair) => {
        const fault = excess(parse, pair)
        return fault === undefined ? [] : [`${name}: ${fault}`]
      }),
    )
    expect(found).toEqual([])
  })

  it('nothing that takes time by the square', () => {
    const pattern = (text: string): boolean => /0+$/.test(text)
    expect(excess(pattern, [`${'0'.repeat(2500)}x`, `${'0'.repeat(10_000)}x`])).toBeDefined()
  })
})
