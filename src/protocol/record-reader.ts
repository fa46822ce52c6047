import { isHexUuid } from '../core/ids.ts'
import {
  MAX_CHUNK_HISTORY,
  MAX_CHUNK_RECORDS,
  MAX_HISTORY,
  MAX_MESSAGE_DEPTH,
  MAX_PACKED_BYTES,
} from '../core/limits.ts'
import type { BufferPage } from './buffer-page.ts'
import { WHOLE, malformedMessage, unexpectedReply } from './decode.ts'
import { FIELD_MESSAGES } from './fields.ts'
import { readJson } from './json-reader.ts'
import type { JsonLimits } from './json-reader.ts'
import type { BufferRecord } from './messages.ts'
import { unpackRecords } from './packed-records.ts'
import { createPace } from './pace.ts'
import type { Pace } from './pace.ts'
import { RecordList } from './record-list.ts'
import type { RecordLimits } from './record-list.ts'

/** A chunk or page of records as it comes. */
export interface IncomingRecords {
  /** The unpacked bytes of its JSON. */
  readonly source: AsyncIterable<Uint8Array>
  /** Whether it is in the packed form. */
  readonly packed: boolean
  readonly limits: RecordLimits
  readonly pace?: Pace | undefined
}

/** Keys, history and the other small texts of a record, beside those that its size counts. */
const RECORD_OVERHEAD = 1024 * 1024
/** JSON in a string has an escape at every second character, at most. */
const ESCAPED = 2
const VALUES_PER_ENTRY = 5
const VALUES_PER_RECORD = 20

/**
 * Reads the chunk that a client sends (protocol §4) as it comes. As soon as the first record tells which transfer it
 * is for, `admit` is asked, and nothing more is read unless that resolves.
 *
 * @param admitted - a transfer that was admitted before
 * @throws MorangoError `malformed-message`, `payload-too-large`; whatever `admit` rejects with
 */
export async function readChunk(
  { source, packed, limits, pace = createPace() }: IncomingRecords,
  admit: (transferSessionId: string) => Promise<void>,
  admitted?: string,
): Promise<BufferRecord[]> {
  const list = new RecordList(limits, malformedMessage)
  let named: unknown
  const admitNamed = async (): Promise<void> => {
    if (!isHexUuid(named)) throw malformedMessage({ transfer_session: [FIELD_MESSAGES.hexUuid] })
    if (named !== admitted) await admit(named)
  }
  const value = await readJson(source, {
    limits: jsonLimits(limits, packed),
    pace,
    onElement: (element, index, key) => {
      if (packed) return element
      if (key !== undefined) {
        if (index >= MAX_HISTORY) throw malformedMessage({ [WHOLE]: [FIELD_MESSAGES.list] })
        return element
      }
      list.add(element, index)
      named ??= list.records[0]?.transfer_session
      return undefined
    },
    onMember: (key, member) => {
      if (key === 'transfer_session') named = member
    },
    // A record alone, as the original takes it, has its lists inside.
    onFirst: async () => {
      if (packed || named !== undefined) await admitNamed()
    },
  })
  if (packed) {
    await unpackRecords(value, (record, place) => list.add(record, place), malformedMessage, pace)
  } else if (!Array.isArray(value)) {
    if (typeof value !== 'object' || value === null)
      throw malformedMessage({ [WHOLE]: [FIELD_MESSAGES.list] })
    list.add(value, 0)
  }
  return list.records
}

/**
 * Reads the page that a server answers, or the plain list of one that does not page (protocol §4), as it comes.
 *
 * @throws MorangoError `peer-protocol`, `payload-too-large`
 */
export async function readPage({
  source,
  packed,
  limits,
  pace = createPace(),
}: IncomingRecords): Promise<BufferPage> {
  const call = 'GET buffers/'
  const list = new RecordList(limits, (problems) => unexpectedReply(call, problems))
  let count: number | undefined
  let found = false
  const value = await readJson(source, {
    limits: jsonLimits(limits, packed),
    pace,
    onElement: (element, index, key) => {
      if (packed || (key !== undefined && key !== 'results')) return element
      list.add(element, index)
      return undefined
    },
    onMember: (key, member) => {
      if (key === 'count' && typeof member === 'number') count = member
    },
  })
  if (packed) {
    const failure = (problems: Parameters<typeof unexpectedReply>[1]): Error =>
      unexpectedReply(call, problems)
    if (count === undefined) throw failure({ count: [FIELD_MESSAGES.required] })
    await unpackRecords(value, (record, place) => list.add(record, place), failure, pace)
    found = true
  } else {
    found = Array.isArray(value) || (isObject(value) && Array.isArray(value.results))
  }
  if (!found) throw unexpectedReply(call, { [WHOLE]: [FIELD_MESSAGES.list] })
  return { count, records: list.records }
}

function jsonLimits({ maxChunkBytes, maxRecordBytes }: RecordLimits, packed: boolean): JsonLimits {
  return {
    bytes: packed ? Math.min(maxChunkBytes, MAX_PACKED_BYTES) : maxChunkBytes,
    values: MAX_CHUNK_RECORDS * VALUES_PER_RECORD + MAX_CHUNK_HISTORY * VALUES_PER_ENTRY,
    depth: MAX_MESSAGE_DEPTH,
    element: {
      textBytes: maxRecordBytes + RECORD_OVERHEAD,
      bytes: (maxRecordBytes + RECORD_OVERHEAD) * ESCAPED,
      values: MAX_HISTORY * VALUES_PER_ENTRY + VALUES_PER_RECORD,
    },
  }
}

function isObject(value: unknown): value is { readonly results?: unknown } {
  return typeof value === 'object' && value !== null
}
