import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MorangoError } from '../../src/core/errors.ts'
import { decodeRequest } from '../../src/protocol/decode.ts'
import type { PeerMethod, WireReply } from '../../src/protocol/exchange.ts'
import {
  certificateChainSchema,
  certificateQuerySchema,
  encodeCertificateChain,
  encodeSyncSessionRequest,
  signingRequestSchema,
  syncSessionRequestSchema,
  transferSessionPatchSchema,
  transferSessionRequestSchema,
} from '../../src/protocol/messages.ts'
import { createPeerCalls } from '../../src/protocol/peer-calls.ts'
import type { Peer } from '../../src/protocol/peer.ts'
import { createHttpPeer } from '../../src/transport/http/client.ts'
import { ID, signingRequest, syncSessionRequest } from '../transport/fake-service.ts'
import { hostileText, hostileValue } from './hostile.ts'
import { applyByteEdits, mutatedJson, mutatedValue, textEdits } from './mutate.ts'
import { FUZZ_TIMEOUT, fuzz } from './runs.ts'
import { ANSWERS, PACKED, RECORDED, RECORDS, REQUESTS } from './valid.ts'

const RUNS = 500

/** A message is read, and what was read stays itself when it is sent on; or it is refused by an error of ours. */
function request<T>(
  schema: Parameters<typeof decodeRequest<T>>[0],
  valid: unknown,
  encode: (message: T) => unknown = (message) => message,
): Promise<void> {
  return fuzz(RUNS, mutatedValue([valid, valid, ...RECORDED]), (value) => {
    let message: T
    try {
      message = decodeRequest(schema, value)
    } catch (error) {
      expect(error).toMatchObject({ name: 'MorangoError', code: 'malformed-message' })
      expect(Object.keys(Object(error).details.fields)).not.toEqual([])
      return
    }
    expect(decodeRequest(schema, JSON.parse(JSON.stringify(encode(message))))).toEqual(message)
  })
}

const QUERY = { primary_partition: ID, ancestors_of: ID.toUpperCase(), profile: 'facilitydata' }

describe('a request is read, or refused as malformed', { timeout: FUZZ_TIMEOUT }, () => {
  it('for certificates', () =>
    request(certificateQuerySchema, QUERY, (query) => ({
      primary_partition: query.primaryPartition,
      ancestors_of: query.ancestorsOf,
      profile: query.profile,
    })))
  it('for a signature', () => request(signingRequestSchema, REQUESTS['certificates']))
  it('with a chain', () =>
    request(certificateChainSchema, REQUESTS['certificatechain'], encodeCertificateChain))
  it('for a sync session', () =>
    request(syncSessionRequestSchema, REQUESTS['syncsessions'], encodeSyncSessionRequest))
  it('for a transfer', () => request(transferSessionRequestSchema, REQUESTS['transfersessions']))
  it('for a change of a transfer', () => request(transferSessionPatchSchema, REQUESTS['patch']))
})

type Calls = Omit<Peer, 'url' | 'traffic'>

const CALLS: Readonly<Record<PeerMethod, (peer: Calls) => Promise<unknown>>> = {
  info: (peer) => peer.info(),
  createNonce: (peer) => peer.createNonce(),
  certificates: (peer) => peer.certificates({ primaryPartition: ID }),
  requestCertificate: (peer) => peer.requestCertificate(signingRequest(), { username: 'a', password: 'b' }),
  publicKey: (peer) => peer.publicKey(),
  pushCertificateChain: (peer) => peer.pushCertificateChain([]),
  createSyncSession: (peer) => peer.createSyncSession(syncSessionRequest()),
  syncSession: (peer) => peer.syncSession(ID),
  closeSyncSession: (peer) => peer.closeSyncSession(ID),
  createTransferSession: (peer) =>
    peer.createTransferSession({ id: ID, filter: '', push: false, sync_session_id: ID, client_fsic: '{}' }),
  transferSession: (peer) => peer.transferSession(ID),
  updateTransferSession: (peer) => peer.updateTransferSession(ID, { transfer_stage: 'queuing' }),
  closeTransferSession: (peer) => peer.closeTransferSession(ID),
  sendBuffers: (peer) => peer.sendBuffers(RECORDS),
  fetchBuffers: (peer) => peer.fetchBuffers({ transferSessionId: ID, offset: 0, limit: 500 }),
}

const calls = Object.entries(CALLS)
const status = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(200, 201) },
  { weight: 1, arbitrary: fc.constantFrom(204, 301, 400, 401, 403, 404, 429, 500, 503) },
)

async function settled(answer: Promise<unknown>): Promise<void> {
  try {
    await answer
  } catch (error) {
    // Told with its stack, which says where it comes from.
    if (!(error instanceof MorangoError)) throw error
  }
}

describe('an answer is read, or the call fails by an error of ours', { timeout: FUZZ_TIMEOUT }, () => {
  it.each(calls)('of %s', async (name, call) => {
    const valid = new Map<string, unknown>(Object.entries(ANSWERS)).get(name)
    const others = [valid, valid, valid, ...Object.values(ANSWERS)]
    await fuzz(150, fc.tuple(status, mutatedValue(others)), async ([code, body]) => {
      const reply: WireReply = { status: code, body }
      await settled(call(createPeerCalls(async () => reply)))
    })
  })

  const contentType = fc.oneof(
    { weight: 5, arbitrary: fc.constant('application/json') },
    {
      weight: 2,
      arbitrary: fc.constantFrom(
        'application/vnd.morango.packed+gzip',
        'application/vnd.morango.packed+zstd',
        'text/html',
      ),
    },
  )
  const header = fc.tuple(
    fc.constantFrom('location', 'retry-after', 'content-encoding', 'content-length', 'date', 'x-morango'),
    fc.oneof(hostileText, fc.constantFrom('gzip', '5', '0', 'http://peer.test/other', '//evil.test/')),
  )
  const answer = fc.record({
    code: status,
    text: fc.oneof(
      mutatedJson([...Object.values(ANSWERS), ...PACKED]),
      hostileValue.map((value) => JSON.stringify(value)),
    ),
    edits: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, textEdits([])),
    contentType,
    headers: fc.array(header, { maxLength: 2 }),
  })

  it.each(calls)('of %s, over HTTP', async (_, call) => {
    await fuzz(80, answer, async ({ code, text, edits, contentType: type, headers }) => {
      const peer = createHttpPeer('http://peer.test/', {
        capabilities: ['GZIP_BUFFER_POST'],
        fetch: async () =>
          response(code, applyByteEdits(new TextEncoder().encode(text), edits), type, headers),
        sleep: async () => undefined,
        retries: 1,
      })
      await settled(call(peer))
    })
  })
})

function response(
  code: number,
  body: Uint8Array<ArrayBuffer>,
  contentType: string,
  more: readonly (readonly [string, string])[],
): Response {
  const headers = new Headers({ 'content-type': contentType })
  for (const [name, text] of more) {
    try {
      headers.set(name, text)
    } catch {
      // No header can have this text.
    }
  }
  return new Response(code === 204 ? null : body, { status: code, headers })
}
