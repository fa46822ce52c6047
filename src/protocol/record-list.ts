import { MorangoError } from '../core/errors.ts'
import { MAX_CHUNK_HISTORY, MAX_CHUNK_RECORDS } from '../core/limits.ts'
import type { BufferRecord } from '../session/ports.ts'
import { readRecord } from './buffer-record.ts'
import type { RecordFailure } from './buffer-record.ts'
import { bytesOf } from './text-length.ts'

/** How much may come in one chunk or page. */
export interface RecordLimits {
  /** All texts of a chunk, in unpacked bytes. */
  readonly maxChunkBytes: number
  /** The texts of one record in UTF-8 bytes. */
  readonly maxRecordBytes: number
}

/** The records of one chunk or page, each checked as it comes, with what bounds them together. */
export class RecordList {
  readonly records: BufferRecord[] = []
  readonly #limits: RecordLimits
  readonly #failure: RecordFailure
  #history = 0
  #units = 0
  #memory = 0

  /** @param failure - makes the error for a record that is none */
  constructor(limits: RecordLimits, failure: RecordFailure) {
    this.#limits = limits
    this.#failure = failure
  }

  /** @throws what `failure` makes; MorangoError `payload-too-large` */
  add(value: unknown, index: number): void {
    const record = readRecord(value, index, this.#failure)
    this.records.push(record)
    this.#history += record.rmcb_list.length
    if (this.records.length > MAX_CHUNK_RECORDS || this.#history > MAX_CHUNK_HISTORY) {
      throw chunkTooLarge(
        `The chunk has more than ${MAX_CHUNK_RECORDS} records or ${MAX_CHUNK_HISTORY} entries of histories.`,
      )
    }
    this.#requireSize(record)
  }

  #requireSize(record: BufferRecord): void {
    const { serialized, conflicting_serialized_data: conflicting, model_uuid: id, model_name: model } = record
    const { maxChunkBytes, maxRecordBytes } = this.#limits
    this.#units += serialized.length + conflicting.length
    this.#memory += memoryOf(serialized) + memoryOf(conflicting)
    if (this.#units > maxChunkBytes || this.#memory > maxChunkBytes * MEMORY_FACTOR) {
      throw chunkTooLarge(`The chunk unpacks to more than ${maxChunkBytes} bytes.`)
    }
    if (bytesOf([serialized, conflicting], maxRecordBytes) <= maxRecordBytes) return
    throw new MorangoError(
      'payload-too-large',
      `Record ${id} of ${model} is larger than ${maxRecordBytes} bytes.`,
      { details: { id, model, limit: maxRecordBytes } },
    )
  }
}

/** A text with one character beyond Latin takes two bytes for each. Honest texts of that kind are no ASCII besides. */
const MEMORY_FACTOR = 1.5

// oxlint-disable-next-line no-control-regex
const WIDE = /[^\u0000-\u00ff]/

function memoryOf(text: string): number {
  return WIDE.test(text) ? text.length * 2 : text.length
}

function chunkTooLarge(message: string): MorangoError {
  return new MorangoError('payload-too-large', message)
}
