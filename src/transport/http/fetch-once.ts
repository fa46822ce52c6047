import { MorangoError } from '../../core/errors.ts'
import { abortedError, unlessAborted } from '../../protocol/abort.ts'
import { piecesOf } from './bytes.ts'
import type { Bytes } from './bytes.ts'
import { startPatience } from './patience.ts'
import type { Patience, PatienceLimits } from './patience.ts'

/** A request in full. */
export interface HttpRequest {
  readonly url: string
  readonly method: string
  readonly headers: Headers
  readonly body: Bytes | undefined
}

/** The beginning of an answer. */
export interface HttpHead {
  readonly status: number
  readonly headers: Headers
}

export interface FetchOnceOptions<T> {
  readonly fetch: typeof fetch
  readonly signals: readonly AbortSignal[]
  readonly patience: PatienceLimits
  /** Bytes that came, as on the wire as far as that can be told. */
  readonly onReceived: (bytes: number) => void
  /** Makes something of the answer as it comes. Its body is unpacked; a failure of it is a `network` error. */
  readonly read: (head: HttpHead, body: AsyncIterable<Bytes>, signal: AbortSignal) => Promise<T>
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
 * One request and its answer, redirects not followed.
 *
 * @throws MorangoError `aborted`; `network` with `sent` in its details, false if the request surely never left;
 * whatever `read` throws
 */
export async function fetchOnce<T>(request: HttpRequest, options: FetchOnceOptions<T>): Promise<T> {
  const over = new AbortController()
  const patience = startPatience(options.patience, () => {
    over.abort()
  })
  patience.progress(request.body?.length ?? 0)
  const signal = AbortSignal.any([...options.signals, over.signal])
  try {
    // Not every fetch that may be given here looks at its signal.
    return await unlessAborted(fetchAndRead(request, options, signal, patience), signal)
  } catch (error) {
    const aborted = options.signals.find((each) => each.aborted)
    if (aborted !== undefined) throw abortedError(aborted)
    if (error instanceof MorangoError && !over.signal.aborted) throw error
    throw networkError(request.url, error, over.signal.aborted)
  } finally {
    patience.stop()
  }
}

async function fetchAndRead<T>(
  request: HttpRequest,
  options: FetchOnceOptions<T>,
  signal: AbortSignal,
  patience: Patience,
): Promise<T> {
  const response = await options.fetch(request.url, {
    method: request.method,
    headers: request.headers,
    redirect: 'manual',
    signal,
    ...(request.body !== undefined && { body: request.body }),
  })
  patience.answered()
  let size = 0
  const body = bodyOf(response, request.url, (bytes) => {
    size += bytes
    patience.progress(bytes)
  })
  try {
    return await options.read({ status: response.status, headers: response.headers }, body, signal)
  } finally {
    options.onReceived(wireSize(response.headers, size))
    // What was not read is of no interest, and must not hold the connection.
    body.return(undefined).catch(() => undefined)
  }
}

async function* bodyOf(
  response: Response,
  url: string,
  onBytes: (bytes: number) => void,
): AsyncGenerator<Bytes, undefined> {
  if (response.body === null) return undefined
  const pieces = piecesOf(response.body)
  try {
    for (;;) {
      let piece: IteratorResult<Bytes, undefined>
      try {
        // oxlint-disable-next-line no-await-in-loop
        piece = await pieces.next()
      } catch (error) {
        // Now, or it would be taken for what is made of the bytes.
        throw networkError(url, error, false)
      }
      if (piece.done === true) return undefined
      onBytes(piece.value.length)
      yield piece.value
    }
  } finally {
    await pieces.return(undefined)
  }
}

/** fetch unpacks what it hands over, but leaves the headers: the packed size is known where the peer told it. */
function wireSize(headers: Headers, unpacked: number): number {
  const told = headers.get('content-encoding') === null ? null : headers.get('content-length')
  return told === null || !/^\d{1,15}$/.test(told) ? unpacked : Number(told)
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
