import type { BufferRecord } from '../session/ports.ts'
import { decodeReceivedRecords } from './buffer-record.ts'
import { arePackable, packRecords, type PackedRecords } from './packed-records.ts'

/** A slice of a transfer's outgoing records (protocol §4). */
export interface BufferPage {
  /** The transfer's total; undefined where it was not told (answers without pages). */
  readonly count: number | undefined
  readonly records: readonly BufferRecord[]
}

/** A page as a server sends it. */
export interface WireBufferPage {
  readonly count: number
  readonly next: string | null
  readonly previous: string | null
  readonly results: readonly BufferRecord[]
}

/** Where a page lies, and where it was asked for. */
export interface PagePlace {
  /** The absolute URL of the request, where there is one: links are made from it. */
  readonly url: string | undefined
  readonly offset: number
  readonly limit: number
}

/** The page in its wire form, with the original's links (protocol §4: `previous` omits an offset of 0). */
export function encodeBufferPage(page: BufferPage, { url, offset, limit }: PagePlace): WireBufferPage {
  const shown = page.records.length
  const count = page.count ?? offset + shown
  const next = shown > 0 && offset + shown < count ? offset + shown : undefined
  const previous = offset > 0 ? Math.max(0, offset - limit) : undefined
  return {
    count,
    next: url === undefined || next === undefined ? null : pageLink(url, limit, next),
    previous: url === undefined || previous === undefined ? null : pageLink(url, limit, previous),
    results: page.records,
  }
}

/**
 * Reads an answer: a page, or the plain list of a server that does not page.
 *
 * @throws MorangoError `peer-protocol`
 */
export function decodeBufferPage(value: unknown): BufferPage {
  const call = 'GET buffers/'
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { count: undefined, records: decodeReceivedRecords(value, call) }
  }
  const page: { readonly count?: unknown; readonly results?: unknown } = value
  return {
    count: typeof page.count === 'number' ? page.count : undefined,
    records: decodeReceivedRecords(page.results, call),
  }
}

/** A page as {@link packPage} makes it. */
interface PackedPage extends PackedRecords {
  readonly count: number
}

/** A page of records in the packed form; undefined for anything else, and for a page without any. */
export function packPage(body: unknown): PackedPage | undefined {
  if (!isWirePage(body) || !arePackable(body.results)) return undefined
  return { count: body.count, ...packRecords(body.results) }
}

function isWirePage(body: unknown): body is WireBufferPage {
  return typeof body === 'object' && body !== null && 'results' in body && 'count' in body
}

function pageLink(requestUrl: string, limit: number, offset: number): string {
  const url = new URL(requestUrl)
  url.searchParams.set('limit', String(limit))
  if (offset === 0) url.searchParams.delete('offset')
  else url.searchParams.set('offset', String(offset))
  url.searchParams.sort()
  return url.href
}
