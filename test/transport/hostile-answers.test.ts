import { describe, expect, it } from 'vitest'
import { isMorangoError } from '../../src/core/errors.ts'
import { createHttpPeer } from '../../src/transport/http/client.ts'
import type { HttpPeerOptions } from '../../src/transport/http/client.ts'
import type { Peer } from '../../src/protocol/peer.ts'
import { ID, failureOf, record } from './fake-service.ts'

const PAGE = { transferSessionId: ID, offset: 0, limit: 500 }

interface Scene {
  readonly peer: Peer
  readonly urls: string[]
}

/** A client of a server that answers as told. */
function client(
  answer: (url: string, signal: AbortSignal | null | undefined) => Response,
  options: Partial<HttpPeerOptions> = {},
): Scene {
  const urls: string[] = []
  const peer = createHttpPeer('http://peer.test/', {
    capabilities: [],
    fetch: async (input, init) => {
      urls.push(String(input))
      return answer(String(input), init?.signal)
    },
    sleep: async () => undefined,
    retries: 0,
    ...options,
  })
  return { peer, urls }
}

/** An answer without end; counts the pieces taken from it. */
function endless(
  first: string,
  more: string,
): { readonly answer: () => Response; readonly taken: () => number } {
  let taken = 0
  const answer = (): Response =>
    new Response(
      new ReadableStream(
        {
          pull(controller) {
            controller.enqueue(new TextEncoder().encode(taken++ === 0 ? first : more))
          },
        },
        { highWaterMark: 0 },
      ),
      { headers: { 'content-type': 'application/json' } },
    )
  return { answer, taken: () => taken }
}

describe('an answer without end is given up', () => {
  const calls: readonly [string, (peer: Peer) => Promise<unknown>][] = [
    ['morangoinfo', (peer) => peer.info()],
    ['a nonce', (peer) => peer.createNonce()],
    ['a transfer', (peer) => peer.transferSession(ID)],
    ['a page of records', (peer) => peer.fetchBuffers(PAGE)],
  ]
  const shapes: readonly [string, string, string][] = [
    ['lists', '[', '[],'.repeat(10_000)],
    ['nesting', '[', '['.repeat(10_000)],
    ['a string', '{"a":"', 'x'.repeat(1 << 20)],
    ['keys', '{"a":1', ',"b":1'.repeat(10_000)],
    ['blanks', ' ', ' '.repeat(1 << 20)],
  ]
  it.each(calls.flatMap(([call, make]) => shapes.map((shape) => [call, ...shape, make] as const)))(
    '%s: %s',
    async (_call, _shape, first, more, make) => {
      const { answer, taken } = endless(first, more)
      const error = await failureOf(make(client(answer).peer))
      expect(isMorangoError(error)).toBe(true)
      expect(taken()).toBeLessThan(150)
    },
  )

  it('when its caller has given up', async () => {
    const { answer } = endless(
      `{"count": 5, "results": [${JSON.stringify(record(1))}`,
      `,${JSON.stringify(record(2))}`,
    )
    const giveUp = new AbortController()
    const read = failureOf(client(answer).peer.fetchBuffers(PAGE, { signal: giveUp.signal }))
    setTimeout(() => {
      giveUp.abort()
    })
    expect(isMorangoError(await read, 'aborted')).toBe(true)
  })

  it('when it drips', async () => {
    const answer = (): Response =>
      new Response(
        new ReadableStream({
          async pull(controller) {
            await new Promise((resolve) => setTimeout(resolve, 5))
            controller.enqueue(new Uint8Array([0x20]))
          },
        }),
      )
    const error = await failureOf(client(answer, { callTimeoutMs: 50 }).peer.info())
    expect(isMorangoError(error, 'network')).toBe(true)
  })
})

describe('a record over the limit', () => {
  it('is refused by its place before it is read whole', async () => {
    const { answer, taken } = endless('{"count": 5, "results": [{"serialized": "', 'x'.repeat(1 << 20))
    const error = await failureOf(client(answer).peer.fetchBuffers(PAGE))
    expect(isMorangoError(error, 'payload-too-large')).toBe(true)
    expect(taken()).toBeLessThan(12)
  })
})

describe('a GET is sent on', () => {
  const to =
    (location: string) =>
    (url: string): Response =>
      url.includes('morangoinfo') && !url.includes('elsewhere')
        ? new Response(null, { status: 302, headers: { location } })
        : Response.json({ capabilities: [], instance_id: ID })

  it.each([
    'http://evil.test/api/elsewhere/',
    'http://peer.test:8080/elsewhere/',
    'https://peer.test.evil.test/elsewhere/',
    '//evil.test/elsewhere/',
    'http://user:pw@peer.test/elsewhere/',
    'file:///elsewhere/',
  ])('not to %s', async (location) => {
    const { peer, urls } = client(to(location))
    expect(isMorangoError(await failureOf(peer.info()), 'peer-error')).toBe(true)
    expect(urls).toHaveLength(1)
  })

  it.each(['/elsewhere/', 'http://peer.test/elsewhere/', 'https://peer.test/elsewhere/'])(
    'to %s',
    async (location) => {
      const { peer, urls } = client(to(location))
      await peer.info()
      expect(urls).toHaveLength(2)
    },
  )
})

describe("a server's words", () => {
  it.each<[string, string]>([
    ['as text', `\u001b[31m\u202Eevil\u0007${'x'.repeat(100_000)}`],
    ['as JSON', JSON.stringify({ [`\u001b[2J`]: [`\u202Eevil${'x'.repeat(100_000)}`] })],
    ['as a page', `<html><title>\u001b[31m\u202Eevil${'x'.repeat(3000)}</title>`],
  ])('%s are cut, and hold nothing that a terminal obeys', async (_, body) => {
    const error = await failureOf(client(() => new Response(body, { status: 500 })).peer.info())
    expect(isMorangoError(error, 'peer-error')).toBe(true)
    const message = error instanceof Error ? error.message : ''
    expect(message).toContain('evil')
    expect(message.length).toBeLessThan(500)
    // oxlint-disable-next-line no-control-regex
    expect(message).not.toMatch(/[\u0000-\u001f\u202a-\u202e]/)
  })
})
