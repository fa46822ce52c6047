import { MorangoError } from '../../core/errors.ts'
import { abortedError, unlessAborted } from '../../protocol/abort.ts'
import { collectBytes } from './bytes.ts'
import type { Bytes } from './bytes.ts'

/** A request in full. */
export interface HttpRequest {
  readonly url: string
  readonly method: string
  readonly headers: Headers
  readonly body: Bytes | undefined
}

/** An answer in full. */
export interface HttpReply {
  readonly status: number
  readonly headers: Headers
  /** Unpacked. */
  readonly body: Bytes
}

export interface FetchOnceOptions {
  readonly fetch: typeof fetch
  readonly signals: readonly AbortSignal[]
  /** How long nothing may come: no answer, or no next piece of it. */
  readonly idleTimeoutMs: number | undefined
  readonly maxReplyBytes: number
  /** Bytes that came, as on the wire as far as that can be told. */
  readonly onReceived: (bytes: number) => void
}

/** What says that a request never left, in Node. */
const UNSENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
])

/**
 * One request and its whole answer, redirects not followed.
 *
 * @throws MorangoError `aborted`; `peer-protocol` when the answer is too large; `network` with `sent` in its details,
 * false if the request surely never left
 */
export async function fetchOnce(request: HttpRequest, options: FetchOnceOptions): Promise<HttpReply> {
  const idle = new AbortController()
  const timer = idleTimer(options.idleTimeoutMs, () => {
    idle.abort()
  })
  const signal = AbortSignal.any([...options.signals, idle.signal])
  try {
    // Not every fetch that may be given here looks at its signal.
    return await unlessAborted(fetchAll(request, options, signal, timer.restart), signal)
  } catch (error) {
    const aborted = options.signals.find((each) => each.aborted)
    if (aborted !== undefined) throw abortedError(aborted)
    if (error instanceof MorangoError && !idle.signal.aborted) throw error
    throw networkError(request.url, error, idle.signal.aborted)
  } finally {
    timer.stop()
  }
}

async function fetchAll(
  request: HttpRequest,
  options: FetchOnceOptions,
  signal: AbortSignal,
  onPiece: () => void,
): Promise<HttpReply> {
  const response = await options.fetch(request.url, {
    method: request.method,
    headers: request.headers,
    redirect: 'manual',
    signal,
    ...(request.body !== undefined && { body: request.body }),
  })
  onPiece()
  const body = await readBody(response, options.maxReplyBytes, onPiece)
  options.onReceived(wireSize(response.headers, body.length))
  return { status: response.status, headers: response.headers, body }
}

async function readBody(response: Response, limit: number, onPiece: () => void): Promise<Bytes> {
  if (response.body === null) return new Uint8Array()
  try {
    return await collectBytes(response.body, limit, onPiece)
  } catch (error) {
    if (!(error instanceof MorangoError)) throw error
    throw new MorangoError('peer-protocol', `The peer's answer is larger than ${limit} bytes.`, {
      cause: error,
    })
  }
}

/** fetch unpacks what it hands over, but leaves the headers: the packed size is known where the peer told it. */
function wireSize(headers: Headers, unpacked: number): number {
  const told = headers.get('content-encoding') === null ? null : headers.get('content-length')
  return told === null || !/^\d+$/.test(told) ? unpacked : Number(told)
}

function networkError(url: string, cause: unknown, timedOut: boolean): MorangoError {
  const code = causeCode(cause)
  const timeout = timedOut || code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT'
  const reason = timeout
    ? 'did not answer in time'
    : `cannot be reached${code === undefined ? '' : ` (${code})`}`
  return new MorangoError('network', `The peer at ${new URL(url).host} ${reason}.`, {
    hint: timeout ? 'The peer may still be at work on it.' : 'Check the URL and the connection.',
    cause,
    details: {
      sent: timeout || code === undefined || !UNSENT.has(code),
      timeout,
      ...(code !== undefined && { code }),
    },
  })
}

function causeCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  const own: unknown = Reflect.get(error, 'code')
  return typeof own === 'string' ? own : causeCode(error.cause)
}

function idleTimer(ms: number | undefined, onIdle: () => void): { restart: () => void; stop: () => void } {
  let timer: ReturnType<typeof setTimeout> | undefined
  const stop = (): void => {
    clearTimeout(timer)
  }
  const restart = (): void => {
    stop()
    if (ms !== undefined) timer = setTimeout(onIdle, ms)
  }
  restart()
  return { restart, stop }
}
