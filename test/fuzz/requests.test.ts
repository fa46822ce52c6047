import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { zlibCompressor } from '../../src/node/zlib-compressor.ts'
import { createRoutes } from '../../src/transport/http/server.ts'
import { ID, OTHER, createFakeService } from '../transport/fake-service.ts'
import { hostileText, hostileValue } from './hostile.ts'
import { applyByteEdits, applyTextEdits, mutatedJson, textEdits } from './mutate.ts'
import { FUZZ_TIMEOUT, fuzz } from './runs.ts'
import { PACKED, RECORDED, REQUESTS } from './valid.ts'

const API = '/api/morango/v1/'
const RESOURCES = [
  'morangoinfo',
  'nonces',
  'certificates',
  'publickey',
  'certificatechain',
  'syncsessions',
  'transfersessions',
  'buffers',
] as const

const none = { weight: 4, arbitrary: fc.constant([]) } as const

const path = fc
  .tuple(
    fc.constantFrom(...RESOURCES),
    fc.constantFrom('', `${ID}/`, '1/', ID, `${ID}/x/`, '%00/', '%ff/', '%/'),
    fc.oneof(none, textEdits([])),
  )
  .map(([resource, id, edits]) => applyTextEdits(`${API}${resource}/${id}`, edits))

const query = fc
  .tuple(
    fc.constantFrom(
      '',
      `?transfer_session_id=${ID}`,
      `?transfer_session_id=${ID}&limit=2&offset=1`,
      `?primary_partition=${ID}&ancestors_of=${OTHER}&profile=x`,
    ),
    fc.oneof(none, textEdits([])),
  )
  .map(([text, edits]) => applyTextEdits(text, edits))

const contentType = fc.constantFrom(
  'application/json',
  'application/json',
  'application/json',
  'application/gzip',
  'application/vnd.morango.packed+gzip',
  'application/x-www-form-urlencoded',
  'text/plain',
  '',
)

const header = fc.tuple(
  fc.constantFrom(
    'host',
    'origin',
    'sec-fetch-site',
    'authorization',
    'accept-encoding',
    'x-morango-capabilities',
    'content-length',
    'x-http-method-override',
  ),
  fc.oneof(hostileText, fc.constantFrom('Basic YW5hOnNlY3JldA==', 'gzip;q=x', 'PACKED_BUFFERS', 'null')),
)

const request = fc.record({
  method: fc.constantFrom('GET', 'POST', 'POST', 'POST', 'PATCH', 'DELETE', 'PUT', 'HEAD', 'OPTIONS'),
  path,
  query,
  contentType,
  body: fc.oneof(
    mutatedJson([...Object.values(REQUESTS), ...PACKED, ...RECORDED]),
    hostileValue.map((value) => JSON.stringify(value)),
    hostileText,
  ),
  edits: fc.oneof(none, textEdits(['\u001f\u008b'])),
  headers: fc.array(header, { maxLength: 2 }),
})

it(
  'whatever a client sends is no failure of the server',
  async () => {
    const service = createFakeService()
    const failures: unknown[] = []
    const app = createRoutes(service, {
      compressor: zlibCompressor,
      onError: (error) => failures.push(error),
      hosts: ['localhost', 'peer.test'],
    })
    await fuzz(2000, request, async ({ method, path: place, query: asked, headers, ...rest }) => {
      failures.length = 0
      const text = new TextEncoder().encode(rest.body)
      const isPacked = rest.contentType.includes('gzip')
      const body = applyByteEdits(isPacked ? gzipSync(text) : text, rest.edits)
      const url = new URL('http://localhost')
      url.pathname = place
      url.search = asked
      const response = await app.request(url.href, {
        method,
        headers: headersOf([['content-type', rest.contentType], ...headers]),
        ...(method !== 'GET' && method !== 'HEAD' && { body }),
      })
      await response.arrayBuffer()
      expect([response.status, ...failures.map(told)]).toEqual([response.status])
      expect(response.status).toBeLessThan(500)
    })
  },
  FUZZ_TIMEOUT,
)

function headersOf(entries: readonly (readonly [string, string])[]): Headers {
  const headers = new Headers()
  for (const [name, text] of entries) {
    try {
      headers.set(name, text)
    } catch {
      // No header can have this text.
    }
  }
  return headers
}

function told(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
