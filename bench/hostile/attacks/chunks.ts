import { MAX_CHUNK_RECORDS, MAX_HISTORY, MAX_PACKED_BYTES } from '../../../src/core/limits.ts'
import { packRecords } from '../../../src/protocol/packed-records.ts'
import type { BufferRecord } from '../../../src/protocol/messages.ts'
import type { Attack } from '../attack.ts'
import { BOMBS, gzipped, zstandard } from '../bodies.ts'
import { beginPush, bytesOf, send } from '../caller.ts'
import { hostileRecord, records, withHistory } from '../records.ts'

const MIB = 1024 * 1024
const GZIP = 'application/gzip'
const PACKED = 'application/vnd.morango.packed+zstd'

type Make = (transfer: string, partition: string) => readonly BufferRecord[]

/** Chunks that are at the limits of what is taken, and a little beyond. */
export const CHUNKS: readonly Attack[] = [
  ...Object.entries(BOMBS).map(([what, make]) =>
    chunk(`chunk of ${what}, transfer known`, GZIP, () => gzipped(make(48 * MIB))),
  ),
  ...both('10,000 records, the largest chunk', (transfer, partition) =>
    records(MAX_CHUNK_RECORDS, () => hostileRecord(transfer, partition, { serialized: filler(3900) })),
  ),
  ...both('10,000 empty records', (transfer, partition) =>
    records(MAX_CHUNK_RECORDS, () => hostileRecord(transfer, partition)),
  ),
  ...both('10,000 records with 10 instances each', (transfer, partition) =>
    records(MAX_CHUNK_RECORDS, () => withHistory(hostileRecord(transfer, partition), 10)),
  ),
  ...both('100 records with 1,000 instances each', (transfer, partition) =>
    records(100, () => withHistory(hostileRecord(transfer, partition), MAX_HISTORY)),
  ),
  ...both('5 records of 8 MiB', (transfer, partition) =>
    records(5, () => hostileRecord(transfer, partition, { serialized: filler(8 * MIB - 1000) })),
  ),
  ...both('5 records of 8 MiB, one character wide', (transfer, partition) =>
    records(5, () => hostileRecord(transfer, partition, { serialized: `ж${filler(8 * MIB - 1000)}` })),
  ),
  ...both('5 records of 8 MiB, all characters wide', (transfer, partition) =>
    records(5, () => hostileRecord(transfer, partition, { serialized: 'ж'.repeat(4 * MIB - 1000) })),
  ),
  ...both('450 records of 80 kB, one character wide', (transfer, partition) =>
    records(450, () => hostileRecord(transfer, partition, { serialized: `ж${filler(80_000)}` })),
  ),
  ...both('2 records of 8 MiB, all escaped', (transfer, partition) =>
    records(2, () => hostileRecord(transfer, partition, { serialized: '\u0007'.repeat(3 * MIB) })),
  ),
  chunk('packed, millions of histories', PACKED, (transfer) =>
    zstandard(
      `{"transfer_session":"${transfer}","rare":{"0":{"history":[${'[0,1],'.repeat(3 * MIB)}[0,1]]}}}`,
    ),
  ),
  chunk('packed, millions of instances', PACKED, (transfer) =>
    zstandard(`{"transfer_session":"${transfer}","instances":[${'"",'.repeat(6 * MIB)}""]}`),
  ),
  chunk('packed, one partition of 19 MB', PACKED, (transfer) =>
    zstandard(`{"transfer_session":"${transfer}","partitions":["${filler(MAX_PACKED_BYTES - MIB)}"]}`),
  ),
  chunk('32 MiB without packing', 'application/json', (transfer, partition) =>
    bytesOf(
      JSON.stringify(records(7000, () => hostileRecord(transfer, partition, { serialized: filler(3900) }))),
    ),
  ),
  ...ended('4 records of 6 MiB of conflicting data', (transfer, partition) =>
    records(4, () =>
      hostileRecord(transfer, partition, { conflicting_serialized_data: `${filler(98)}\n`.repeat(60_000) }),
    ),
  ),
]

/** A text that packs, but not to a hundredth. */
function filler(length: number): string {
  let text = ''
  const random = (): string => crypto.randomUUID().replaceAll('-', '')
  while (text.length < length) text += random() + 'x'.repeat(Math.min(900, length))
  return text.slice(0, length)
}

function both(name: string, make: Make): Attack[] {
  return [
    chunk(`${name}, gzip`, GZIP, (...place) => gzipped(JSON.stringify(make(...place)))),
    chunk(`${name}, packed`, PACKED, (...place) => zstandard(JSON.stringify(packRecords(make(...place))))),
  ]
}

/** A chunk that is merged, too. */
function ended(name: string, make: Make): Attack[] {
  return [
    {
      name: `${name}, merged`,
      signedIn: true,
      prepare: async (target) => {
        const transfer = await beginPush(target, 4)
        const body = gzipped(JSON.stringify(make(transfer, target.attacker.prefix)))
        return async () => [
          await send(target, { path: 'buffers/', body, contentType: GZIP }),
          await send(target, { method: 'DELETE', path: `transfersessions/${transfer}/` }),
        ]
      },
    },
  ]
}

function chunk(
  name: string,
  contentType: string,
  make: (transfer: string, partition: string) => Uint8Array<ArrayBuffer>,
): Attack {
  return {
    name,
    signedIn: true,
    prepare: async (target) => {
      const transfer = await beginPush(target)
      const body = make(transfer, target.attacker.prefix)
      return async () => [await send(target, { path: 'buffers/', body, contentType })]
    },
  }
}
