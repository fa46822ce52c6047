import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { MorangoError } from '../../src/core/errors.ts'
import type { Service } from '../../src/protocol/peer.ts'
import { createRoutes } from '../../src/transport/http/server.ts'
import { zlibCompressor } from '../../src/node/zlib-compressor.ts'
import { ID, createFakeService, record } from './fake-service.ts'
import type { FakeService } from './fake-service.ts'

const BUFFERS = 'http://peer.test/api/morango/v1/buffers/'

interface Scene {
  readonly service: FakeService
  readonly asked: string[]
  readonly post: (
    body: string | Uint8Array<ArrayBuffer> | ReadableStream,
    contentType?: string,
    query?: string,
  ) => Promise<Response>
}

/** A server that knows the transfers named. */
function serving(known: readonly string[] = [ID]): Scene {
  const fake = createFakeService()
  const asked: string[] = []
  const service: Service = {
    ...fake,
    admitBuffers: async (id) => {
      asked.push(id)
      if (!known.includes(id)) throw new MorangoError('unknown-session', 'No such transfer')
    },
  }
  const app = createRoutes(service, { compressor: zlibCompressor, onError: () => undefined })
  const post: Scene['post'] = async (body, contentType = 'application/json', query = '') =>
    await app.request(BUFFERS + query, {
      method: 'POST',
      body,
      duplex: 'half',
      headers: { 'content-type': contentType },
    })
  return { service: fake, asked, post }
}

/** A body that counts the pieces taken from it. */
function counted(pieces: Iterable<string>): { readonly body: ReadableStream; readonly taken: () => number } {
  const iterator = pieces[Symbol.iterator]()
  let taken = 0
  const body = new ReadableStream(
    {
      pull(controller) {
        const next = iterator.next()
        if (next.done === true) controller.close()
        else {
          taken++
          controller.enqueue(new TextEncoder().encode(next.value))
        }
      },
    },
    { highWaterMark: 0 },
  )
  return { body, taken: () => taken }
}

function* endless(first: string, more: string): Generator<string> {
  yield first
  for (let count = 0; count < 10_000; count++) yield more
}

describe('a chunk is read for a transfer that is there alone', () => {
  it('which its query names before the body is read', async () => {
    const { post, asked, service } = serving([])
    const { body, taken } = counted(endless('[', '[],'))
    const response = await post(body, 'application/json', `?transfer_session_id=${ID}`)
    expect([response.status, taken(), asked, service.calls]).toEqual([400, 0, [ID], []])
  })

  it('which else its first record names, and no more is read', async () => {
    const { post, asked, service } = serving([])
    const { body, taken } = counted(endless(`[${JSON.stringify(record(1))},`, '[],'.repeat(1000)))
    const response = await post(body)
    expect([response.status, asked, service.calls]).toEqual([400, [ID], []])
    expect(taken()).toBeLessThan(10)
  })

  it('and not for another one than the query names', async () => {
    const { post, service } = serving(['d'.repeat(32)])
    const body = JSON.stringify([record(1)])
    const response = await post(body, 'application/json', `?transfer_session_id=${'d'.repeat(32)}`)
    expect([response.status, service.calls]).toEqual([400, []])
  })

  it('also as the original sends it, without a query', async () => {
    const { post, service, asked } = serving()
    const response = await post(gzipSync(JSON.stringify([record(1), record(2)])), 'application/gzip')
    expect([response.status, asked]).toEqual([201, [ID]])
    expect(service.calls).toEqual([
      expect.objectContaining({ name: 'receiveBuffers', args: [[record(1), record(2)]] }),
    ])
  })
})

const FIRST = JSON.stringify(record(1))

describe('a chunk is refused before much is made of it', () => {
  it.each<[what: string, text: string, status: number]>([
    ['millions of empty lists', `[${FIRST},${'[],'.repeat(3_000_000)}[]]`, 400],
    ['millions of empty lists alone', `[${'[],'.repeat(3_000_000)}[]]`, 400],
    ['lists in lists', '['.repeat(1_000_000), 400],
    ['objects in objects', '{"a":'.repeat(1_000_000), 400],
    ['many keys', `{${keys(300_000)}}`, 400],
    ['many keys in a record', `[{${keys(300_000)}}]`, 400],
    ['many keys in a member', `{"a":{${keys(300_000)}}}`, 400],
    ['many entries of a history', JSON.stringify([record(1, { rmcb_list: Array(5000).fill({}) })]), 400],
    ['more records than a chunk has', `[${Array(10_001).fill(FIRST).join(',')}]`, 413],
    ['a record larger than any', JSON.stringify([record(1, { serialized: 'x'.repeat(9 << 20) })]), 413],
    ['a number of many digits', `[${'1'.repeat(1_000_000)}]`, 400],
  ])('%s', async (_, text, status) => {
    const { post, service } = serving()
    for (const [body, type] of [
      [text, 'application/json'],
      [gzipSync(text), 'application/gzip'],
    ] as const) {
      const before = process.memoryUsage().rss
      // oxlint-disable-next-line no-await-in-loop
      const response = await post(body, type)
      // Gzip that becomes a hundred times as much is refused for that.
      expect([status, 413]).toContain(response.status)
      expect(process.memoryUsage().rss - before).toBeLessThan(200 << 20)
    }
    expect(service.calls).toEqual([])
  })

  it('a record over its limit is not read to its end', async () => {
    const { post } = serving()
    const { body, taken } = counted(endless('[{"serialized":"', 'x'.repeat(1 << 20)))
    const response = await post(body)
    expect([response.status, await response.json()]).toEqual([
      413,
      { detail: expect.stringContaining('Record 0 of the message is larger') },
    ])
    expect(taken()).toBeLessThan(12)
  })

  it('whose record is over the limit of the service alone', async () => {
    const body = JSON.stringify([record(1, { serialized: 'x'.repeat(10 << 20) })])
    for (const [maxRecordBytes, status] of [
      [undefined, 413],
      [1000, 413],
      [11 << 20, 201],
    ] as const) {
      const service: Service = { ...createFakeService(), maxRecordBytes }
      // oxlint-disable-next-line no-await-in-loop
      const response = await createRoutes(service).request(BUFFERS, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json' },
      })
      expect([maxRecordBytes, response.status]).toEqual([maxRecordBytes, status])
    }
  })

  it.each(['\0', '\uD800'])('texts that no database keeps (%j)', async (stray) => {
    const { post, service } = serving()
    for (const field of [
      'serialized',
      'conflicting_serialized_data',
      'source_id',
      'partition',
      '_self_ref_fk',
    ]) {
      // oxlint-disable-next-line no-await-in-loop
      const response = await post(JSON.stringify([record(1, { [field]: `a${stray}` })]))
      expect([field, response.status]).toEqual([field, 400])
    }
    expect(service.calls).toEqual([])
  })
})

function keys(count: number): string {
  return Array.from({ length: count }, (_, n) => `"k${n}":1`).join(',')
}

describe('while a large chunk is read', () => {
  it('others have their turn', async () => {
    const { post } = serving()
    const text = `[${Array.from({ length: 10_000 }, (_, n) => JSON.stringify(record(n))).join(',')}]`
    let turns = 0
    let reading = true
    const turn = (): void => {
      turns++
      if (reading) setTimeout(turn)
    }
    setTimeout(turn)
    const response = await post(text)
    reading = false
    expect(response.status).toBe(201)
    expect(turns).toBeGreaterThan(2)
  })
})
