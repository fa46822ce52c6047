import { gzipSync, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MorangoError } from '../../src/core/errors.ts'
import { zlibCompressor } from '../../src/node/zlib-compressor.ts'
import { decodeBufferPage, encodeBufferPage } from '../../src/protocol/buffer-page.ts'
import { decodeBufferRecords, isBufferRecord } from '../../src/protocol/buffer-record.ts'
import type { BufferRecord } from '../../src/protocol/messages.ts'
import { arePackable, packRecords } from '../../src/protocol/packed-records.ts'
import { readChunk, readPage } from '../../src/protocol/record-reader.ts'
import type { Bytes } from '../../src/transport/http/bytes.ts'
import { webCompressor } from '../../src/transport/http/compressor.ts'
import { applyByteEdits, mutatedJson, mutatedValue, textEdits } from './mutate.ts'
import { FUZZ_TIMEOUT, fuzz } from './runs.ts'
import { ANSWERS, PACKED, RECORDS } from './valid.ts'

const RUNS = 500
const limits = { maxChunkBytes: 1 << 20, maxRecordBytes: 1 << 18 }

async function* once(bytes: Uint8Array<ArrayBuffer>): AsyncGenerator<Uint8Array<ArrayBuffer>, undefined> {
  yield bytes
  return undefined
}

/** What is read; undefined where it is refused, which only an error of ours may do. */
async function read<T>(parse: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await parse()
  } catch (error) {
    if (error instanceof MorangoError) return undefined
    throw error
  }
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text)
}

const admit = async (): Promise<void> => undefined

/** All are records, and stay what they are on the ways that lead to a peer. */
async function expectRecords(records: readonly BufferRecord[]): Promise<void> {
  expect(records.every((record) => isBufferRecord(record))).toBe(true)
  expect(decodeBufferRecords(JSON.parse(JSON.stringify(records)))).toEqual(records)
  if (!arePackable(records)) return
  const packed = JSON.stringify(packRecords(records))
  expect(await readChunk({ source: once(bytesOf(packed)), packed: true, limits }, admit)).toEqual(records)
}

describe('records of a peer are records, or refused', { timeout: FUZZ_TIMEOUT }, () => {
  it('in a chunk', () =>
    fuzz(RUNS, mutatedJson([RECORDS, RECORDS.slice(0, 1), RECORDS[0]]), async (text) => {
      const source = once(bytesOf(text))
      const records = await read(() => readChunk({ source, packed: false, limits }, admit))
      if (records !== undefined) await expectRecords(records)
    }))

  it('in a packed chunk', () =>
    fuzz(RUNS, mutatedJson(PACKED), async (text) => {
      const source = once(bytesOf(text))
      const records = await read(() => readChunk({ source, packed: true, limits }, admit))
      if (records !== undefined) await expectRecords(records)
    }))

  it('in a page', () =>
    fuzz(RUNS, mutatedJson([ANSWERS.fetchBuffers, RECORDS, ...PACKED]), async (text) => {
      for (const packed of [false, true]) {
        const page = await read(() => readPage({ source: once(bytesOf(text)), packed, limits }))
        if (page === undefined) continue
        await expectRecords(page.records)
        const place = { url: undefined, offset: 0, limit: 5 }
        const again = decodeBufferPage(JSON.parse(JSON.stringify(encodeBufferPage(page, place))))
        expect(again.records).toEqual(page.records)
      }
    }))

  it('in a message', () =>
    fuzz(RUNS, mutatedValue([RECORDS, RECORDS[0], ANSWERS.fetchBuffers]), async (value) => {
      const records = await read(() => decodeBufferRecords(value))
      if (records !== undefined) await expectRecords(records)
      const page = await read(() => decodeBufferPage(value))
      if (page !== undefined) await expectRecords(page.records)
    }))
})

describe('what is packed is unpacked, or refused', { timeout: FUZZ_TIMEOUT }, () => {
  const text = JSON.stringify(RECORDS)
  const whole = bytesOf(text)
  const packed = [gzipSync(text), gzipSync(text, { level: 0 }), gzipSync('')].map((bytes) =>
    Uint8Array.from(bytes),
  )
  const zstd = [zstdCompressSync(text), zstdCompressSync('')].map((bytes) => Uint8Array.from(bytes))
  const byZstd = zlibCompressor.zstd
  const ways: readonly [
    string,
    readonly Bytes[],
    (bytes: AsyncIterable<Bytes>) => AsyncIterable<Uint8Array>,
  ][] = [
    ['gzip of Node', packed, (bytes) => zlibCompressor.gunzip(bytes)],
    ['gzip of the Web', packed, (bytes) => webCompressor.gunzip(bytes)],
    ['zstd', zstd, (bytes) => byZstd?.unpack(bytes) ?? once(whole)],
  ]

  it.each(ways)('%s', async (_, valid, unpack) => {
    const unpacked: Uint8Array[] = []
    for await (const piece of unpack(once(valid[0] ?? whole))) unpacked.push(piece)
    expect(Buffer.concat(unpacked)).toEqual(Buffer.from(whole))
    await fuzz(
      150,
      fc.tuple(fc.constantFrom(...valid), textEdits(['\u001f\u008b'])),
      async ([bytes, edits]) => {
        const changed = applyByteEdits(bytes, edits)
        await read(() =>
          readChunk({ source: unpack(once(changed)), packed: false, limits }, admit).then(expectRecords),
        )
      },
    )
  })
})
