import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'

const RECORDS = 300
const bench = new URL('../../bench/index.ts', import.meta.url).pathname
const run = async (...args: string[]): Promise<string> =>
  (await promisify(execFile)(process.execPath, ['--no-warnings', bench, ...args])).stdout

const amount = z.number().positive()
const sync = z.object({
  records: amount,
  seconds: amount,
  stages: z.partialRecord(
    z.enum(['until queued', 'transferring', 'dequeuing', 'deserializing', 'cleanup']),
    z.number().nonnegative(),
  ),
  bytes: amount,
  roundTrips: amount,
})
const resultSchema = z.object({
  records: z.literal(RECORDS),
  plainCopySeconds: amount,
  firstSync: sync.extend({ ratioToPlainCopy: amount }),
  nothingToDo: z.object({ milliseconds: amount, roundTrips: amount.max(15), bytes: amount }),
  onePercent: sync,
  peakMemoryMb: z.object({ client: amount, server: amount }),
  longestAnswerSeconds: amount,
  databaseMb: z.object({ client: amount, server: amount }),
})

describe('npm run bench', () => {
  let directory = ''
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'morango-bench-test-'))
  })
  afterAll(async () => await rm(directory, { recursive: true, force: true }))

  it('measures a few records', async () => {
    const json = join(directory, 'result.json')
    const options = ['--records', String(RECORDS), '--plain-copies', '1', '--directory', directory]
    const table = await run(...options, '--json', json)

    const result = resultSchema.parse(JSON.parse(await readFile(json, 'utf8')))
    expect(result.firstSync.records).toBe(RECORDS)
    expect(Object.keys(result.firstSync.stages)).toContain('transferring')
    expect(table).toContain(`${RECORDS} records, pull`)
    expect(Math.max(...table.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80)
  })

  it('says what is wrong with an option', async () => {
    await expect(run('--direction', 'up')).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('--direction is pull or push'),
    })
  })
})
