import { createServer } from 'node:http'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { readOptions } from '../../bench/options.ts'
import { formatVsPython } from '../../bench/vs-python/report.ts'
import { type PairRun, ratiosOf, type StepFigures } from '../../bench/vs-python/result.ts'
import { seenSeconds, toldSeconds } from '../../bench/vs-python/stages.ts'
import { type Exchange, startWire } from '../../bench/vs-python/wire.ts'

describe('the options of --vs python', () => {
  it('takes all readings of 10,000 records by default', () => {
    expect(readOptions(['--vs', 'python'])).toMatchObject({
      records: 10_000,
      readings: ['as-is', 'no-sleeps', 'kindest'],
    })
  })

  it('takes the readings asked for, in the order of the report', () => {
    const options = readOptions(['--vs', 'python', '--readings', 'kindest,no-sleeps'])
    expect(options).toMatchObject({ readings: ['no-sleeps', 'kindest'] })
  })

  it.each([
    [['--vs', 'ruby'], '--vs is plain-copy or python'],
    [
      ['--vs', 'python', '--readings', 'kind'],
      '--readings: there is no kind, only as-is, no-sleeps, kindest',
    ],
    [['--vs', 'python', '--readings', ''], '--readings: there is no empty reading'],
    [['--vs', 'python', '--records', 'all'], '--records is a whole number from 10'],
    [['--vs', 'python', '--records', '9'], '--records is a whole number from 10'],
    [['--vs', 'python', '--direction', 'push'], '--direction does not go with --vs python'],
    [['--vs', 'python', '--repeat', '2'], '--repeat does not go with --vs python'],
    [['--readings', 'kindest'], '--readings goes with --vs python only'],
  ])('refuses %j', (args, message) => {
    expect(() => readOptions(args)).toThrow(message)
  })
})

describe('the stages seen on the wire', () => {
  /** One after the other, each of a second, with `before` seconds of silence before it. */
  function play(...calls: readonly (readonly [before: number, call: string])[]): Exchange[] {
    let now = 0
    return calls.map(([before, call]) => {
      const [method = '', path = '', stage] = call.split(' ')
      const start = now + before * 1000
      now = start + 1000
      return { method, path, stage, start, end: now }
    })
  }

  it('counts the silence before a request for a stage to that stage', () => {
    const exchanges = play(
      [0, 'POST syncsessions/'],
      [2, 'POST transfersessions/'],
      [3, 'GET transfersessions/1/'],
      [0, 'PATCH transfersessions/1/ serializing'],
      [0, 'GET buffers/'],
      [0, 'PATCH transfersessions/1/ transferring'],
      [4, 'DELETE transfersessions/1/'],
      [0, 'DELETE syncsessions/1/'],
    )
    expect(seenSeconds(exchanges, { start: 0, end: 18_000 })).toEqual({
      session: 1 + 1 + 1,
      'until queued': 2 + 1 + 3 + 1 + 1,
      transferring: 1 + 1,
      cleanup: 4 + 1,
    })
  })

  it('counts waiting for the server to the stage that it is in', () => {
    const exchanges = play(
      [0, 'POST transfersessions/'],
      [0, 'PATCH transfersessions/1/ dequeuing'],
      [1, 'GET transfersessions/1/'],
      [2, 'GET transfersessions/1/'],
      [5, 'GET transfersessions/1/'],
      [0, 'PATCH transfersessions/1/ deserializing'],
    )
    expect(seenSeconds(exchanges, { start: 0, end: 14_000 })).toEqual({
      session: 0,
      'until queued': 1,
      dequeuing: 1 + 2 + 3,
      deserializing: 5 + 1 + 1,
    })
  })

  it('adds up what a client tells, and calls the rest the session', () => {
    const transfer = { push: false, total: 0, transferred: 0 }
    const told = [
      { ...transfer, stages: { serializing: 250 } },
      { ...transfer, stages: { queuing: 500, cleanup: 250 } },
    ]
    expect(toldSeconds(told, 3)).toMatchObject({ session: 2, 'until queued': 0.75, cleanup: 0.25 })
    expect(toldSeconds([transfer], 3)).toBeUndefined()
  })
})

describe('the wire', () => {
  it('passes everything on, counts its bytes, and sees which stage a PATCH asks for', async () => {
    const server = createServer((request, response) => {
      let length = 0
      request.on('data', (data: Buffer) => (length += data.length))
      request.on('end', () => response.end(`${request.method} ${length}`))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('No port')
    const wire = await startWire(`http://127.0.0.1:${address.port}/`)
    try {
      const base = `${wire.url}api/morango/v1/`
      const body = JSON.stringify({ transfer_stage: 'queuing', records_total: 3 })
      const big = 'x'.repeat(3_000_000)
      const answers = [
        await (await fetch(`${base}transfersessions/1/`, { method: 'PATCH', body })).text(),
        await (await fetch(`${base}buffers/?limit=5`, { method: 'POST', body: big })).text(),
      ]
      expect(answers).toEqual([`PATCH ${body.length}`, 'POST 3000000'])
      const { exchanges, bytes } = wire.take()
      expect(exchanges).toMatchObject([
        { method: 'PATCH', path: 'transfersessions/1/', stage: 'queuing' },
        { method: 'POST', path: 'buffers/', stage: undefined },
      ])
      expect(bytes.toServer).toBeGreaterThan(3_000_000 + body.length)
      expect(bytes.toServer).toBeLessThan(3_002_000)
      expect(bytes.toClient).toBeGreaterThan(100)
      expect(wire.take()).toEqual({ exchanges: [], bytes: { toServer: 0, toClient: 0 } })
    } finally {
      await wire.close()
      server.closeAllConnections()
      server.close()
    }
  })
})

describe('the report', () => {
  const step = (seconds: number, records: number): StepFigures => ({
    records,
    seconds,
    stages: { session: seconds },
    requests: 10,
    bytes: { toServer: 1000 * seconds, toClient: 0 },
    bytesPerRecord: records === 0 ? undefined : (1000 * seconds) / records,
  })
  const runOf = (factor: number): PairRun => ({
    version: '0.8.15',
    steps: {
      firstPull: step(2 * factor, 10_000),
      firstPush: step(3 * factor, 10_000),
      nothingToDo: step(0.1 * factor, 0),
      onePercent: step(0.2 * factor, 100),
    },
    peakMemoryMb: { client: 100 * factor, server: 80 * factor },
    databaseMb: { client: 10 * factor, server: 9 * factor },
  })

  it('says how many times ours a figure is, in 80 columns', () => {
    const ours = runOf(1)
    const python = Object.fromEntries(
      Object.entries({ 'as-is': runOf(60), kindest: runOf(7) }).map(([reading, run]) => [
        reading,
        { ...run, timesOurs: ratiosOf(run, ours) },
      ]),
    )
    const table = formatVsPython({
      records: 10_000,
      ours,
      oursFirstPull: { min: 1.9, median: 2, max: 2.1 },
      python,
    })
    expect(table).toContain("Python's 0.8.15 (as it is; kindest)")
    expect(table).toContain('120.000 ×60')
    expect(table).toMatch(/First pull, against as it is +×60\.0 +at least ×50/)
    expect(table).toMatch(/First pull, against kindest +×7\.0 +at least ×12/)
    expect(table).not.toContain('no sleeps')
    expect(Math.max(...table.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80)
  })
})
