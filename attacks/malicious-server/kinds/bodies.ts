import type { ServerResponse } from 'node:http'
import type { Attempt, Kind } from '../attempt.ts'
import { type Answer, instead, json, type RawAnswer } from '../layer.ts'
import { BLANKS } from '../bombs.ts'

const MB = 1024 * 1024
const JSON_TYPE = { 'content-type': 'application/json' }

/** An answer that goes on as long as the client takes it. */
function endless(
  first: string,
  piece: string,
  headers: Readonly<Record<string, string>> = JSON_TYPE,
): RawAnswer {
  return {
    raw: (response) => {
      response.writeHead(200, headers)
      response.write(first)
      const more = (): void => {
        while (!response.destroyed && response.write(piece));
      }
      response.on('drain', more)
      more()
    },
  }
}

/** An answer that is cut off. */
function cut(response: ServerResponse): void {
  response.writeHead(200, { ...JSON_TYPE, 'content-length': '1000' })
  response.write('{"id": "', () => response.destroy())
}

/** An answer that comes byte by byte. */
function drip(response: ServerResponse): void {
  response.writeHead(200, JSON_TYPE)
  const timer = setInterval(() => response.write(' '), 5)
  response.on('close', () => clearInterval(timer))
}

const text = (body: string | Uint8Array, headers: Readonly<Record<string, string>> = JSON_TYPE): Answer => ({
  status: 200,
  headers,
  body,
})

interface Shape {
  readonly what: string
  readonly answer: Answer | RawAnswer
  readonly client?: Attempt['client']
}

const SHAPES: readonly Shape[] = [
  { what: 'a page of HTML', answer: text('<html><title>Log in</title>', { 'content-type': 'text/html' }) },
  { what: 'nothing', answer: text('') },
  { what: 'null', answer: json(null) },
  { what: 'a number', answer: json(7) },
  { what: 'a list of lists without end', answer: endless('[', '[],'.repeat(10_000)) },
  { what: 'nesting without end', answer: endless('', '['.repeat(10_000)) },
  { what: 'a text without end', answer: endless('{"id": "', 'x'.repeat(MB)) },
  { what: 'members without end', answer: endless('{"a": 1', ', "b": 1'.repeat(10_000)) },
  { what: 'blanks without end', answer: endless('', ' '.repeat(MB)) },
  { what: 'a gzip bomb', answer: text(BLANKS, { ...JSON_TYPE, 'content-encoding': 'gzip' }) },
  { what: 'gzip that is none', answer: text('nonsense', { ...JSON_TYPE, 'content-encoding': 'gzip' }) },
  { what: 'bytes that are no text', answer: text(Buffer.from([0xff, 0xfe, 0x00, 0xd8]), JSON_TYPE) },
  { what: 'an answer that is cut off', answer: { raw: cut } },
  { what: 'a line that is hung up', answer: { raw: (response) => response.destroy() } },
  { what: 'an answer that drips', answer: { raw: drip }, client: { callTimeoutMs: 20, retries: 0 } },
  { what: 'no answer', answer: { raw: () => {} }, client: { timeoutMs: 20, retries: 0 } },
  { what: 'not found', answer: { status: 404, headers: {}, body: '' } },
  { what: 'an error of its own', answer: { status: 500, headers: {}, body: '' } },
  {
    what: 'an error without end',
    answer: {
      raw: (response) => {
        response.statusCode = 500
        const more = (): void => {
          while (!response.destroyed && response.write('x'.repeat(MB)));
        }
        response.on('drain', more)
        more()
      },
    },
  },
  {
    what: 'a wait of thirty years',
    answer: { status: 429, headers: { 'retry-after': '999999999' }, body: '' },
  },
  {
    what: 'a wait that is no number',
    answer: { status: 503, headers: { 'retry-after': '-1e999' }, body: '' },
  },
  { what: 'a way in a circle', answer: { status: 302, headers: { location: '?again' }, body: '' } },
]

/** The calls of a sync, in their order, and whether a session is open then. */
const CALLS = [
  ['GET morangoinfo', false],
  ['POST nonces', false],
  ['GET certificates', false],
  ['POST syncsessions', false],
  ['POST transfersessions', true],
  ['GET buffers', true],
  ['PATCH transfersessions', true],
] as const

/** All of these calls; of the others every third, each time others. */
const ALL_SHAPES: ReadonlySet<string> = new Set(['GET morangoinfo', 'GET buffers'])

const attempts: readonly Attempt[] = CALLS.flatMap(([call, opens], place) =>
  SHAPES.filter((_, at) => ALL_SHAPES.has(call) || at % 3 === place % 3).map(
    ({ what, answer, client }): Attempt => ({
      name: `${what}, to ${call}`,
      outcome: {
        fails: ['peer-protocol', 'peer-error', 'network', 'unknown-certificate', 'transfer-errored'],
      },
      opens,
      // A call that may be made again is, six times; and what can be lost on the way is tried eight times.
      requests: 250,
      bytes: 256 * MB,
      tamper: () => instead(call, answer),
      ...(client !== undefined && { client }),
    }),
  ),
)

const elsewhere: readonly Attempt[] = CALLS.flatMap(([call, opens], place) =>
  [301, 307, 308].slice(place % 3, (place % 3) + 1).map((status): Attempt => ({
    name: `a way elsewhere by ${status}, to ${call}`,
    outcome: { fails: ['peer-protocol', 'peer-error'] },
    opens,
    tamper: (scene) => instead(call, { status, headers: { location: scene.elsewhere }, body: '' }),
  })),
)

const closing: readonly Attempt[] = SHAPES.filter((_, at) => at % 3 === 1).map(
  ({ what, answer, client }): Attempt => ({
    name: `${what}, to DELETE syncsessions: all is done by then`,
    outcome: 'harmless',
    requests: 100,
    bytes: 64 * MB,
    tamper: () => instead('DELETE syncsessions', answer),
    ...(client !== undefined && { client }),
  }),
)

/** Answers of any form. */
export const bodies: Kind = { kind: 'answers', wire: true, attempts: [...attempts, ...elsewhere, ...closing] }
