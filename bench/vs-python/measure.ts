import { join } from 'node:path'
import type { PythonSetup } from '../../interop/python-environment.ts'
import type { VsPythonOptions } from '../options.ts'
import { medianBy, spreadOf } from '../result.ts'
import { inWorkDirectory } from '../work-directory.ts'
import { ours, python } from './pairs.ts'
import { type ReadingName, READINGS } from './readings.ts'
import { type PairRun, ratiosOf, type VsPythonResult } from './result.ts'
import { preparePair, runPair } from './run-pair.ts'

/**
 * Plays the same steps with the same records between two peers of ours and between two of the original, in turn.
 *
 * @param note - told what is going on
 */
export async function measureVsPython(
  { records, readings, directory }: VsPythonOptions,
  setup: PythonSetup,
  note: (what: string) => void,
): Promise<VsPythonResult> {
  return await inWorkDirectory(directory, async (work) => {
    note('Preparing the databases')
    const preparedOurs = await preparePair(ours, join(work, 'ours'), records)
    const unchanged = python(setup, READINGS.kindest)
    const preparedPython = await preparePair(unchanged, join(work, 'python'), records)

    const oursRuns: PairRun[] = []
    const runOurs = async (): Promise<void> => {
      note(`Ours, run ${oursRuns.length + 1}`)
      oursRuns.push(await runPair(ours, preparedOurs, join(work, `ours-${oursRuns.length}`)))
    }
    const pythonRuns = new Map<ReadingName, PairRun>()
    // In turn, so that a noisy machine is noisy for both.
    for (const reading of readings) {
      // oxlint-disable-next-line no-await-in-loop
      await runOurs()
      note(`Python's, ${READINGS[reading].title}`)
      const kind = python(setup, READINGS[reading])
      // oxlint-disable-next-line no-await-in-loop
      pythonRuns.set(reading, await runPair(kind, preparedPython, join(work, reading)))
    }
    await runOurs()

    const run = medianBy(oursRuns, ({ steps }) => steps.firstPull.seconds)
    return {
      records,
      ours: run,
      oursFirstPull: spreadOf(oursRuns.map(({ steps }) => steps.firstPull.seconds)),
      python: Object.fromEntries(
        [...pythonRuns].map(([reading, figures]) => [
          reading,
          { ...figures, timesOurs: ratiosOf(figures, run) },
        ]),
      ),
    }
  })
}
