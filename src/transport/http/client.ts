import { MorangoError } from '../../core/errors.ts'
import { DEFAULT_MAX_CHUNK_BYTES, DEFAULT_MAX_RECORD_BYTES } from '../../core/limits.ts'
import { throwIfAborted } from '../../protocol/abort.ts'
import { encodeBasicAuth } from '../../protocol/basic-auth.ts'
import { CAPABILITIES_HEADER } from '../../protocol/capabilities.ts'
import type { PeerCall, WireReply } from '../../protocol/exchange.ts'
import { resourcePath } from '../../protocol/paths.ts'
import { createPace } from '../../protocol/pace.ts'
import { arePackable, packRecords } from '../../protocol/packed-records.ts'
import type { BufferRecord } from '../../protocol/messages.ts'
import { createPeerCalls } from '../../protocol/peer-calls.ts'
import type { CallOptions, Peer } from '../../protocol/peer.ts'
import type { Bytes } from './bytes.ts'
import { defaultCompressor } from './compressor.ts'
import type { Compressor } from './compressor.ts'
import { fetchOnce } from './fetch-once.ts'
import type { HttpRequest } from './fetch-once.ts'
import { packingsOf } from './packing.ts'
import { waitsForWork } from './reply-limits.ts'
import { readReply } from './reply-reader.ts'
import { isGatewayStatus, mayRepeat, pauseBefore, retryAfterMs } from './retry.ts'
import { updateWithRecovery } from './update-recovery.ts'

const GZIP = 'GZIP_BUFFER_POST'
const MOST_REDIRECTS = 5
// As long as Node's own fetch waits for the beginning of an answer.
const DEFAULT_CALL_MS = 300_000
const DEFAULT_IDLE_MS = 900_000

interface Encoded {
  readonly contentType: string
  readonly body: Bytes
}

/** How to talk to a peer. */
export interface HttpPeerOptions {
  /** What this side can; sent with every request. */
  readonly capabilities: Iterable<string>
  readonly fetch?: typeof fetch | undefined
  /**
   * How long nothing may come, in ms; 15 minutes, for a stage can take minutes. Node's own fetch gives up after 300 s
   * without an answer, whatever is said here.
   */
  readonly timeoutMs?: number | undefined
  /**
   * How long a call may take that waits for no stage, in ms, beside a second for each 1,000 bytes that cross; 5
   * minutes. Of the other calls the answer may take so long from its beginning.
   */
  readonly callTimeoutMs?: number | undefined
  /** How often a call is made again that may be made again; 5. */
  readonly retries?: number | undefined
  /** Ends all calls. */
  readonly signal?: AbortSignal | undefined
  readonly userAgent?: string | undefined
  /** The largest page of records, unpacked, in bytes; 48 MiB. Other answers have lower limits of their own. */
  readonly maxReplyBytes?: number | undefined
  /** How large a record may be: its texts in UTF-8 bytes; 8 MiB. A page with a larger one is refused. */
  readonly maxRecordBytes?: number | undefined
  readonly compressor?: Compressor | undefined
  /** Whether buffers may be packed in our own way, for peers that can unpack them; true. */
  readonly packedBuffers?: boolean | undefined
  readonly sleep?: ((ms: number, signal?: AbortSignal) => Promise<void>) | undefined
  readonly random?: (() => number) | undefined
}

/**
 * A peer behind a base URL, which may have a path of its own. Calls are made again where that is harmless (see
 * `retry.ts`), after growing pauses or when the peer's `Retry-After` says. A chunk of buffers is never sent twice:
 * after `network` the caller reads `records_transferred` and goes on from there (protocol §5).
 *
 * @throws MorangoError `invalid-argument` when `url` is no http(s) URL
 */
export function createHttpPeer(url: string, options: HttpPeerOptions): Peer {
  const {
    fetch: doFetch = globalThis.fetch,
    timeoutMs: idleMs = DEFAULT_IDLE_MS,
    callTimeoutMs: totalMs = DEFAULT_CALL_MS,
    retries = 5,
    signal: peerSignal,
    userAgent = 'morango-ts',
    maxReplyBytes = DEFAULT_MAX_CHUNK_BYTES,
    maxRecordBytes = DEFAULT_MAX_RECORD_BYTES,
    compressor = defaultCompressor(),
    packedBuffers = true,
    sleep = sleepFor,
    random = Math.random,
  } = options
  const base = baseUrl(url)
  const packings = packedBuffers ? packingsOf(compressor) : []
  const capabilities = [...options.capabilities, ...packings.map(({ capability }) => capability)]
  const traffic = { sent: 0, received: 0, roundTrips: 0 }
  const ahead = new WeakMap<readonly BufferRecord[], Promise<Encoded | undefined>>()
  let theirs: ReadonlySet<string> | undefined

  async function pause(attempt: number, signal?: AbortSignal, retryAfter?: number): Promise<void> {
    const signals = bothSignals(signal)
    for (const each of signals) throwIfAborted(each)
    await sleep(
      pauseBefore(attempt, random, retryAfter),
      signals.length === 0 ? undefined : AbortSignal.any(signals),
    )
    for (const each of signals) throwIfAborted(each)
  }

  function bothSignals(signal: AbortSignal | undefined): AbortSignal[] {
    return [peerSignal, signal].filter((each) => each !== undefined)
  }

  async function exchange(call: PeerCall): Promise<WireReply> {
    throwIfAborted(peerSignal)
    const request = await encodeRequest(call)
    // Whether an attempt may have been carried out although its answer did not come.
    let uncertain = false
    for (let attempt = 0; ; attempt++) {
      let retryAfter: number | undefined
      try {
        const { headers, reply } = await send(request, call)
        retryAfter = retryAfterMs(headers)
        const outcome = { kind: 'answer', status: reply.status, retryAfterMs: retryAfter } as const
        if (attempt >= retries || !mayRepeat(call.method, outcome)) {
          // What was to be deleted is gone: by the attempt before.
          if (uncertain && request.method === 'DELETE' && reply.status === 404)
            return { status: 204, body: undefined }
          return reply
        }
        uncertain ||= isGatewayStatus(reply.status)
      } catch (error) {
        if (!(error instanceof MorangoError) || error.code !== 'network') throw error
        if (attempt >= retries || !mayRepeat(call.method, { kind: 'lost', error })) throw error
        uncertain ||= error.details.sent !== false
      }
      await pause(attempt, call.signal, retryAfter)
    }
  }

  async function send(
    request: HttpRequest,
    { method, signal: callSignal }: PeerCall,
  ): Promise<{ readonly headers: Headers; readonly reply: WireReply }> {
    let target = request
    for (let redirects = 0; ; redirects++) {
      traffic.roundTrips++
      traffic.sent += request.body?.length ?? 0
      const answer = await fetchOnce(target, {
        fetch: doFetch,
        signals: bothSignals(callSignal),
        patience: { idleMs, totalMs, waitsForWork: waitsForWork(method) },
        onReceived: (bytes) => {
          traffic.received += bytes
        },
        read: async (head, body, signal) => ({
          status: head.status,
          headers: head.headers,
          reply: await readReply(head, body, {
            method,
            packings,
            maxReplyBytes,
            records: { maxChunkBytes: maxReplyBytes, maxRecordBytes },
            pace: createPace({ signal }),
          }),
        }),
      })
      const next = redirects < MOST_REDIRECTS ? redirectOf(request, target.url, answer) : undefined
      if (next === undefined) return answer
      target = { ...request, url: next }
    }
  }

  async function encodeRequest(call: PeerCall): Promise<HttpRequest> {
    const { request } = call
    const target = new URL(resourcePath(request.resource, request.id), base)
    for (const [name, value] of Object.entries(request.query ?? {})) target.searchParams.set(name, value)
    const headers = new Headers({ accept: 'application/json', 'user-agent': userAgent })
    if (capabilities.length > 0) headers.set(CAPABILITIES_HEADER, capabilities.join(' '))
    if (request.credentials !== undefined) headers.set('authorization', encodeBasicAuth(request.credentials))
    const packed = request.records && (await encoded(request.records, { signal: call.signal }))
    const { contentType, body } = packed ?? {
      contentType: 'application/json',
      body: request.body === undefined ? undefined : toJson(request.body),
    }
    if (body !== undefined) headers.set('content-type', contentType)
    return { url: target.href, method: request.method, headers, body }
  }

  function encoded(records: readonly BufferRecord[], callOptions: CallOptions): Promise<Encoded | undefined> {
    return ahead.get(records) ?? packBuffers(records, callOptions)
  }

  /** A chunk as the peer takes it best; undefined when that is as plain JSON. */
  async function packBuffers(
    records: readonly BufferRecord[],
    callOptions: CallOptions,
  ): Promise<Encoded | undefined> {
    if (packings.length === 0 && !capabilities.includes(GZIP)) return undefined
    const can = await theirCapabilities(callOptions)
    const packing = packings.find(({ capability }) => can.has(capability))
    if (packing !== undefined && arePackable(records)) {
      return { contentType: packing.contentType, body: await packing.pack(toJson(packRecords(records))) }
    }
    if (!capabilities.includes(GZIP) || !can.has(GZIP)) return undefined
    return { contentType: 'application/gzip', body: await compressor.gzip(toJson(records)) }
  }

  async function theirCapabilities(callOptions: CallOptions): Promise<ReadonlySet<string>> {
    if (theirs !== undefined) return theirs
    return new Set((await info(callOptions)).capabilities)
  }

  const calls = createPeerCalls(exchange)
  const info: Peer['info'] = async (callOptions) => {
    const answer = await calls.info(callOptions)
    theirs = new Set(answer.capabilities)
    return answer
  }
  return {
    ...calls,
    url: base,
    traffic,
    get packs() {
      return packings.some(({ capability }) => theirs?.has(capability))
    },
    info,
    prepareBuffers: (records, callOptions = {}) => {
      const packed = packBuffers(records, callOptions)
      // Whoever sends it sees the failure.
      packed.catch(() => {})
      ahead.set(records, packed)
    },
    updateTransferSession: async (...args) =>
      await updateWithRecovery(calls, [args[0], args[1], args[2]], { retries, pause }),
  }
}

/**
 * Where a GET is sent on to: only on the same host, by no less safe a way. Another host would learn what is asked,
 * and could answer as if it were the peer.
 */
function redirectOf(
  { method }: HttpRequest,
  from: string,
  { status, headers }: { readonly status: number; readonly headers: Headers },
): string | undefined {
  const location = status >= 300 && status < 400 && method === 'GET' ? headers.get('location') : null
  const here = new URL(from)
  const there = location === null ? null : URL.parse(location, from)
  if (there === null || there.username !== '' || there.password !== '') return undefined
  const isSafer = here.protocol === 'http:' && there.protocol === 'https:' && here.hostname === there.hostname
  return there.origin === here.origin || isSafer ? there.href : undefined
}

function toJson(value: unknown): Bytes {
  return new TextEncoder().encode(JSON.stringify(value))
}

function baseUrl(url: string): string {
  const parsed = URL.parse(url)
  if (parsed === null || !/^https?:$/.test(parsed.protocol) || parsed.username !== '') {
    throw new MorangoError('invalid-argument', `"${url}" is not the URL of a peer.`, {
      hint: 'It looks like https://example.org/ or http://192.168.1.5:8080/, with no user name in it.',
    })
  }
  parsed.search = ''
  parsed.hash = ''
  if (!parsed.pathname.endsWith('/')) parsed.pathname += '/'
  return parsed.href
}

async function sleepFor(ms: number, signal?: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal?.addEventListener('abort', done, { once: true })
  })
}
