import type { TestNetwork, TestNetworkOptions } from './network.ts'

/** What a test framework gives; those of vitest, jest and `node:test` fit. */
export interface TestFramework {
  describe(name: string, define: () => void): unknown
  test(name: string, run: () => Promise<void>): unknown
}

/** One thing that must hold, whatever the database or transport. */
export interface Behaviour<Context> {
  readonly name: string
  readonly run: (context: Context) => Promise<void>
}

/** Makes a network on the databases under test, closed when the behaviour was looked at. */
export type MakeNetwork = (options?: TestNetworkOptions) => Promise<TestNetwork>

/** Fails unless both are the same as JSON, whatever the order of keys. */
export function same(actual: unknown, expected: unknown, what: string): void {
  const [is, should] = [textOf(actual), textOf(expected)]
  if (is === should) return
  throw new Error(`${what}\n  is:        ${is}\n  should be: ${should}`)
}

/** Fails unless it holds. */
export function holds(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(`Not so: ${what}`)
}

/** The error that a promise rejects with. */
export async function failure(work: Promise<unknown>, what: string): Promise<Error> {
  try {
    await work
  } catch (error) {
    if (error instanceof Error) return error
    throw error
  }
  throw new Error(`Did not fail: ${what}`)
}

function textOf(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part === 'bigint') return Number(part)
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part
    return Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
  })
}
