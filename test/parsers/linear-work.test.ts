import { describe, expect, it } from 'vitest'
import { PARSERS } from './parsers.ts'
import { SHAPES } from './shapes.ts'

const [SMALL, LARGE] = [50_000, 100_000] as const
const MOST_RATIO = 2.5
/** So little time says nothing: a clock, a collection of garbage and other processes weigh more. */
const NOTHING_MS = 12
const TRIES = 8

function once(parse: (text: string) => unknown, text: string): number {
  const begun = performance.now()
  try {
    parse(text)
  } catch {
    // Refusing is what most do.
  }
  return performance.now() - begun
}

const texts = Object.entries(SHAPES).map(([name, shape]) => [name, shape(SMALL), shape(LARGE)] as const)

/** Whether twice the text takes far more than twice the time, each time it is tried. */
function excess(parse: (text: string) => unknown, small: string, large: string): string | undefined {
  let [few, many] = [Infinity, Infinity]
  for (let tries = 0; tries < TRIES; tries++) {
    many = Math.min(many, once(parse, large))
    if (many <= NOTHING_MS) return undefined
    few = Math.min(few, once(parse, small))
    if (many <= few * MOST_RATIO) return undefined
  }
  return `${few.toFixed(1)} ms, and ${many.toFixed(1)} ms for twice the text`
}

describe('twice the text of a peer is twice the work for', () => {
  it.each(Object.entries(PARSERS))('%s', (_, parse) => {
    const found = texts.flatMap(([name, small, large]) => {
      const fault = excess(parse, small, large)
      return fault === undefined ? [] : [`${name}: ${fault}`]
    })
    expect(found).toEqual([])
  })

  it('nothing that takes time by the square', () => {
    const pattern = (text: string): boolean => /0+$/.test(text)
    expect(excess(pattern, `${'0'.repeat(10_000)}x`, `${'0'.repeat(20_000)}x`)).toBeDefined()
  })
})
