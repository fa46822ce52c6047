import { MorangoError, isMorangoError } from '../../core/errors.ts'
import { requireJsonBounds } from '../../core/json-bounds.ts'
import { MAX_MESSAGE_DEPTH } from '../../core/limits.ts'
import type { PeerMethod, WireReply } from '../../protocol/exchange.ts'
import { readJson } from '../../protocol/json-reader.ts'
import type { Pace } from '../../protocol/pace.ts'
import { quotedText } from '../../protocol/quoted-text.ts'
import { readPage } from '../../protocol/record-reader.ts'
import type { RecordLimits } from '../../protocol/record-list.ts'
import { boundUnpacking, firstBytes } from './bytes.ts'
import type { Bytes } from './bytes.ts'
import type { HttpHead } from './fetch-once.ts'
import type { Packing } from './packing.ts'
import { ERROR_BYTES, ERROR_VALUES, replyLimits } from './reply-limits.ts'

const LONGEST_ERROR_TEXT = 4096

/** How an answer is read. */
export interface ReplyOptions {
  readonly method: PeerMethod
  readonly packings: readonly Packing[]
  readonly maxReplyBytes: number
  readonly records: RecordLimits
  readonly pace: Pace
}

/**
 * Reads an answer as it comes, within the limits of its call.
 *
 * @throws MorangoError `peer-protocol` when it is too large or no page of records where one was asked for;
 * `payload-too-large` for a record beyond its limit
 */
export async function readReply(
  head: HttpHead,
  body: AsyncIterable<Bytes>,
  options: ReplyOptions,
): Promise<WireReply> {
  const { status, headers } = head
  if (status < 200 || status >= 300) return await readError(head, body)
  try {
    const unpacked = boundByHeaders(headers, body, options.records.maxRecordBytes)
    if (options.method === 'fetchBuffers') return await readRecords(head, unpacked, options)
    return { status, body: await readMessage(unpacked, options) }
  } catch (error) {
    throw replyFault(error)
  }
}

async function readRecords(
  { status, headers }: HttpHead,
  body: AsyncIterable<Bytes>,
  { packings, records: limits, pace }: ReplyOptions,
): Promise<WireReply> {
  const contentType = headers.get('content-type')
  const packing = packings.find((known) => known.contentType === contentType)
  const bound = boundUnpacking(limits.maxRecordBytes)
  const source = packing === undefined ? body : bound.outOf(packing.unpack(bound.into(body)))
  const page = await readPage({ source, packed: packing !== undefined, limits, pace })
  return { status, body: undefined, page }
}

async function readMessage(
  body: AsyncIterable<Bytes>,
  { method, maxReplyBytes, pace }: ReplyOptions,
): Promise<unknown> {
  try {
    return await readJson(body, { limits: replyLimits(method, maxReplyBytes), pace })
  } catch (error) {
    // Of a success nothing but JSON is of use; whether anything is needed is the call's to say.
    if (isMorangoError(error, 'malformed-message')) return undefined
    throw error
  }
}

/** Errors come as anything, pages of HTML among it; they are quoted, so the beginning will do. */
async function readError({ status, headers }: HttpHead, body: AsyncIterable<Bytes>): Promise<WireReply> {
  const location = status >= 300 && status < 400 ? headers.get('location') : null
  if (location !== null) return { status, body: quotedText(location) }
  const text = new TextDecoder().decode(await firstBytes(body, ERROR_BYTES))
  try {
    requireJsonBounds(text, { depth: MAX_MESSAGE_DEPTH, values: ERROR_VALUES })
    return { status, body: text === '' ? undefined : JSON.parse(text) }
  } catch {
    return { status, body: text.slice(0, LONGEST_ERROR_TEXT) }
  }
}

/** fetch unpacks by itself; how much that may become is known where the peer told the packed size. */
function boundByHeaders(headers: Headers, body: AsyncIterable<Bytes>, free: number): AsyncIterable<Bytes> {
  const told = headers.get('content-encoding') === null ? null : headers.get('content-length')
  if (told === null || !/^\d{1,15}$/.test(told)) return body
  return boundUnpacking(free, Number(told)).outOf(body)
}

function replyFault(error: unknown): unknown {
  if (isMorangoError(error, 'malformed-message')) {
    return new MorangoError('peer-protocol', "The peer's answer cannot be read.", { cause: error })
  }
  if (!isMorangoError(error, 'payload-too-large')) return error
  const { id, index } = error.details
  if (id === undefined && index === undefined) {
    return new MorangoError('peer-protocol', `The peer's answer is too large: ${error.message}`, {
      cause: error,
    })
  }
  return new MorangoError('payload-too-large', `The peer sends what is too large: ${error.message}`, {
    hint: 'The record has to become smaller at the peer, or the limit larger here: the option maxRecordBytes.',
    cause: error,
    details: error.details,
  })
}
