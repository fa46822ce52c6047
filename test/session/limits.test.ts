import { expect, onTestFinished, test } from 'vitest'
import type { MorangoOptions, SyncReport } from '../../src/index.ts'
import { createHttpPair, type Pair } from './http-pair.ts'

const names = (tag: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${tag} ${String(index).padStart(4, '0')}`)

async function pairOf(options?: Parameters<typeof createHttpPair>[0]): Promise<Pair> {
  const pair = await createHttpPair(options)
  onTestFinished(() => pair.close())
  return pair
}

/** Syncs with the same limits until one is not parked. */
async function syncUntilDone(
  { client, url, filter }: Pair,
  limits: { readonly maxBytes?: number; readonly maxSeconds?: number },
  direction: 'both' | 'pull' | 'push' = 'both',
): Promise<SyncReport[]> {
  const reports: SyncReport[] = []
  for (let round = 0; round < 60; round++) {
    const report = await client.morango.sync(url, { filter, direction, ...limits })
    reports.push(report)
    if (report.parked === undefined) return reports
  }
  throw new Error('It does not end')
}

const crossed = (reports: readonly SyncReport[]): number =>
  reports.reduce((sum, { bytes }) => sum + bytes.sent + bytes.received, 0)

const WAYS: readonly [string, Partial<MorangoOptions>, number, number][] = [
  ['with asynchronous operations', {}, 600, 12_000],
  ['without', { withoutCapabilities: ['ASYNC_OPERATIONS'] }, 600, 12_000],
  ['as with the original', { withoutCapabilities: ['PACKED_BUFFERS', 'GZIP_BUFFER_POST'] }, 120, 11_000],
]

test.each(WAYS)(
  'limited by bytes, repeated syncs end with everything, %s',
  async (_way, options, count, maxBytes) => {
    for (const direction of ['pull', 'push'] as const) {
      const [whole, parts] = [
        await pairOf({ client: options, server: options }),
        await pairOf({ client: options, server: options }),
      ]
      for (const { client, server } of [whole, parts]) {
        await (direction === 'pull' ? server : client).add(...names('Place', count))
      }
      const one = await syncUntilDone(whole, {}, direction)
      const reports = await syncUntilDone(parts, { maxBytes }, direction)
      expect(one).toHaveLength(1)
      expect(reports.length).toBeGreaterThan(1)
      for (const { parked, transfers } of reports.slice(0, -1)) {
        expect(parked).toMatchObject({ limit: 'bytes', direction, recordsTotal: count })
        expect(transfers).toMatchObject([{ parked: true }])
      }
      for (const { bytes } of reports) expect(bytes.sent + bytes.received).toBeLessThan(maxBytes * 1.3)
      const counts = reports.map(({ parked }) => parked?.recordsTransferred ?? count)
      expect(counts).toEqual(counts.toSorted((a, b) => a - b))
      expect(await parts.client.names()).toEqual(names('Place', count))
      expect(await parts.server.names()).toEqual(names('Place', count))
      // What more it takes is the requests around the records and smaller chunks, which compress less well: were a
      // chunk sent twice, or fetched and dropped, each sync would cost one more.
      expect(crossed(reports)).toBeLessThan(crossed(one) * 1.6 + reports.length * 6_000)
      expect(await parts.client.morango.sync(parts.url, { filter: parts.filter })).toMatchObject({
        parked: undefined,
        pulled: 0,
        pushed: 0,
      })
    }
  },
)

test('no record crosses twice', async () => {
  const seen: string[] = []
  const fetchCounting: typeof fetch = async (input, init) => {
    const url = String(input instanceof Request ? input.url : input)
    const offset = /buffers\/.*offset=(\d+)/u.exec(url)?.[1]
    const limit = /buffers\/.*limit=(\d+)/u.exec(url)?.[1]
    if (limit !== undefined) seen.push(`${offset ?? '0'}+${limit}`)
    return await fetch(input, init)
  }
  const pair = await pairOf({ client: { fetch: fetchCounting } })
  await pair.server.add(...names('There', 300))
  await syncUntilDone(pair, { maxBytes: 20_000 }, 'pull')
  let next = 0
  for (const page of seen) {
    const [offset, limit] = page.split('+').map(Number)
    expect(offset).toBe(next)
    next += limit ?? 0
  }
  expect(next).toBeGreaterThanOrEqual(300)
})

test('limited by time, it parks between chunks and before merging, and goes on', async () => {
  let now = Date.UTC(2026, 0, 1)
  const clock = { now: (): Date => new Date((now += 40)) }
  const pair = await pairOf({ client: { clock, chunkSize: 50 } })
  await pair.server.add(...names('There', 300))
  await pair.client.add(...names('Here', 300))
  const reports = await syncUntilDone(pair, { maxSeconds: 1 })
  expect(reports.length).toBeGreaterThan(3)
  expect(new Set(reports.slice(0, -1).map(({ parked }) => parked?.limit))).toEqual(new Set(['seconds']))
  expect(new Set(reports.slice(0, -1).map(({ parked }) => parked?.direction))).toEqual(
    new Set(['pull', 'push']),
  )
  expect(await pair.client.names()).toEqual(await pair.server.names())
  expect(await pair.client.names()).toHaveLength(600)
})

test('with a limit that is too small for anything, each sync moves a chunk all the same', async () => {
  const pair = await pairOf({ client: { chunkSize: 2 } })
  await pair.server.add(...names('There', 5))
  await pair.client.add(...names('Here', 2))
  const reports = await syncUntilDone(pair, { maxBytes: 1 })
  expect(reports.map(({ parked }) => parked?.recordsTransferred)).toContain(1)
  expect(await pair.client.names()).toEqual(await pair.server.names())
})
