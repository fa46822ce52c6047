import { describe, expect, inject, test } from 'vitest'
import { measureVsPython } from '../bench/vs-python/measure.ts'
import { formatVsPython } from '../bench/vs-python/report.ts'
import { STEPS } from '../bench/vs-python/result.ts'
import { noPython } from './network.ts'

const RECORDS = 50

describe.skipIf(noPython)('npm run bench -- --vs python', () => {
  test('measures a few records', async () => {
    const setup = inject('python')
    if (setup === undefined) throw new Error('There is no Python here')
    const options = { vs: 'python', records: RECORDS, readings: ['kindest'] } as const
    const rest = { original: undefined, json: undefined, directory: undefined }
    const result = await measureVsPython({ ...options, ...rest }, setup, () => {})

    const { kindest } = result.python
    expect(Object.keys(result.python)).toEqual(['kindest'])
    expect(kindest?.version).toMatch(/^0\.8\./)
    for (const run of [result.ours, kindest]) {
      expect(STEPS.map((step) => run?.steps[step].records)).toEqual([RECORDS, RECORDS, 0, 1])
      for (const step of STEPS) {
        const { seconds, stages, bytes, requests } = run?.steps[step] ?? {}
        const inStages = Object.values(stages ?? {}).reduce((total, value) => total + value, 0)
        expect(inStages).toBeCloseTo(seconds ?? NaN)
        expect(Object.keys(stages ?? {})).toEqual(expect.arrayContaining(['session', 'transferring']))
        expect(Math.min(bytes?.toServer ?? 0, bytes?.toClient ?? 0, requests ?? 0)).toBeGreaterThan(0)
      }
      expect(run?.peakMemoryMb.client).toBeGreaterThan(10)
      expect(run?.databaseMb.server).toBeGreaterThan(0.1)
    }
    // What the original pulls is not compressed.
    expect(kindest?.timesOurs.bytes.firstPull).toBeGreaterThan(2)
    expect(formatVsPython(result)).toContain(`${RECORDS} records pulled`)
  })
})
