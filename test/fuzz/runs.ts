import fc from 'fast-check'

const TIMES = process.env['MORANGO_FUZZ_RUNS']
const SEED = process.env['MORANGO_FUZZ_SEED']

/** How long a test may take: `MORANGO_FUZZ_RUNS` may ask for hours. */
export const FUZZ_TIMEOUT: number = TIMES === undefined ? 120_000 : 7_200_000

/**
 * Looks for something that a property does not hold for. `MORANGO_FUZZ_RUNS` says how many times as many values are
 * tried, others each time; `MORANGO_FUZZ_SEED` repeats a run. What is found is told with its seed and its path.
 *
 * @param runs - how many values are tried where nobody says more
 */
export async function fuzz<T>(
  runs: number,
  values: fc.Arbitrary<T>,
  property: (value: T) => unknown,
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(values, async (value) => {
      await property(value)
    }),
    {
      numRuns: runs * Number(TIMES ?? 1),
      ...(SEED !== undefined ? { seed: Number(SEED) } : TIMES === undefined ? { seed: 1 } : {}),
      // What was found until then is told; without it a failure would end as a timeout.
      interruptAfterTimeLimit: FUZZ_TIMEOUT / 2,
    },
  )
}
