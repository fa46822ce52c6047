import type { Kysely } from 'kysely'
import type { BufferRecord, TransferContext } from '../session/ports.ts'
import { checkIncoming } from './check-incoming.ts'
import type { EngineContext } from './context.ts'
import { insertIncoming } from './incoming.ts'
import type { Schema } from './schema.ts'
import { requireRoomAside } from './set-aside.ts'
import { inTransaction } from './transaction.ts'
import { betweenTurns } from './turns.ts'

/** Runs work in a transaction that holds only if the transfer is still this run's. */
export type Fence = <T>(work: (given: Given) => Promise<T>) => (given: Given) => Promise<T>

interface Given {
  readonly trx: Kysely<Schema>
}

/** So many records are checked in some milliseconds. */
const CHECKED_AT_ONCE = 200

/** What one transaction stores: it takes some ten milliseconds, in which nobody else has the database. */
const STORED_AT_ONCE = { records: 500, characters: 2 * 1024 * 1024 } as const

/**
 * Stores a chunk in the incoming Buffer, after all of it was checked. Both are done in slices, with others in between.
 * What of a chunk is stored is a beginning of it, and counted, so that a sender whom the end of this process keeps from
 * an answer goes on behind it.
 *
 * @returns how many different records the Buffer then has
 * @throws MorangoError `invalid-buffer`, before anything of the chunk is stored
 */
export async function storeIncoming(
  context: EngineContext,
  transfer: TransferContext,
  records: readonly BufferRecord[],
  fence: Fence,
): Promise<number> {
  const { kysely, dialect } = context.database
  const { transferSessionId: id } = transfer
  const profile = context.profiles.get(transfer.profile)
  for (let start = 0; start < records.length; start += CHECKED_AT_ONCE) {
    const some = records.slice(start, start + CHECKED_AT_ONCE)
    checkIncoming(transfer, profile, some, context.maxRecordBytes)
    // oxlint-disable-next-line no-await-in-loop
    if (records.length > CHECKED_AT_ONCE) await betweenTurns(undefined)
  }
  let held = 0
  let isFirst = true
  for (const part of partsOf(records)) {
    // oxlint-disable-next-line no-await-in-loop
    if (!isFirst) await betweenTurns(undefined)
    const all = isFirst ? records : []
    // No lock: the Buffer is this transfer's alone.
    const insert = fence(async ({ trx }) => {
      if (all.length > 0) await requireRoomAside(trx, dialect, id, all)
      return await insertIncoming(trx, dialect, id, part)
    })
    // oxlint-disable-next-line no-await-in-loop
    held = await inTransaction(kysely, dialect, async (trx) => await insert({ trx }))
    isFirst = false
  }
  return held
}

function* partsOf(records: readonly BufferRecord[]): Generator<readonly BufferRecord[], undefined> {
  let part: BufferRecord[] = []
  let characters = 0
  for (const record of records) {
    part.push(record)
    characters += record.serialized.length + record.conflicting_serialized_data.length
    if (part.length < STORED_AT_ONCE.records && characters < STORED_AT_ONCE.characters) continue
    yield part
    part = []
    characters = 0
  }
  if (part.length > 0) yield part
  return undefined
}
