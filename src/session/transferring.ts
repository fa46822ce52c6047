import { MorangoError } from '../core/errors.ts'
import { parseFilter } from '../core/filter.ts'
import { MAX_TRANSFER_CHARACTERS } from '../core/limits.ts'
import type { Clock } from '../core/ports.ts'
import { isBefore } from '../core/stages.ts'
import type { Peer } from '../protocol/peer.ts'
import type { TransferRecord } from '../storage/transfer-sessions.ts'
import { ahead } from './ahead.ts'
import type { ChunkSizes } from './chunk-size.ts'
import { readAhead } from './read-ahead.ts'
import { createTeller } from './teller.ts'
import type { BufferRecord, Engine, LeaseHold } from './ports.ts'

const TELL_EVERY_MS = 500

/** What moving records between a client and its server needs. */
export interface ChunkContext {
  readonly engine: Engine
  readonly peer: Peer
  readonly profile: string
  readonly chunks: ChunkSizes
  readonly clock: Clock
  readonly signal: AbortSignal | undefined
  readonly lease: LeaseHold
  /** After each chunk: whether the sync is to stop here for now. Undefined: it has no limits. */
  readonly shouldPark: (() => boolean) | undefined
  /** Notes how many records have crossed. */
  note(recordsTransferred: number): Promise<void>
}

/**
 * Fetches the records of a pull from where it stands, some chunks ahead of the one being stored, and tells the
 * server meanwhile how many have come (protocol §5). With limits none are fetched ahead, or what was fetched in vain
 * would be fetched once more.
 *
 * @returns whether all have come; false when it stopped at a limit
 * @throws MorangoError `peer-protocol` when the pages do not add up to the announced total, or have more text than any
 * honest transfer
 */
export async function receiveRecords(context: ChunkContext, transfer: TransferRecord): Promise<boolean> {
  const { engine, peer, profile, chunks, signal, lease, shouldPark } = context
  const { id } = transfer
  const total = announced(transfer)
  const target = { transferSessionId: id, profile, filter: parseFilter(transfer.filter), lease }
  const pageAt = readAhead(
    { sizes: chunks, total, ...(shouldPark !== undefined && { pagesAhead: 0 }) },
    async (offset, limit) => {
      const begun = context.clock.now()
      const page = await peer.fetchBuffers({ transferSessionId: id, offset, limit }, { signal })
      learn(context, page.records, begun)
      return page
    },
  )
  const counts = createTeller((count) => tellCount(context, id, count), {
    clock: context.clock,
    // The original tells after every chunk. Our own servers need it for their status alone.
    everyMs: peer.packs === true ? TELL_EVERY_MS : 0,
  })

  let offset = transfer.recordsTransferred
  let characters = 0
  try {
    // All is here, but the server may not have been told.
    if (offset >= total) counts.tell(offset, true)
    while (offset < total) {
      const { records } = await pageAt(offset)
      const after = offset + records.length
      requirePage(records, id, after, total)
      characters += charactersOf(records)
      requireRoom(characters)
      await engine.storeIncoming(target, records)
      offset = after
      await context.note(offset)
      const isParking = offset < total && shouldPark?.() === true
      counts.tell(offset, offset >= total || isParking)
      if (isParking) break
    }
  } finally {
    // A count that is still on its way must not overtake one told by a later attempt.
    await counts.settle()
  }
  counts.requireTold()
  if (offset < total) return false
  const held = await engine.incomingCount(id)
  if (held === total) return true
  throw new MorangoError(
    'peer-protocol',
    `The peer announced ${total} records, and sent ${held} different ones`,
  )
}

/**
 * Sends the records of a push, the next chunk made ready while one is on its way (protocol §5).
 *
 * @param askFirst - whether the server's own count tells where to go on: after a restart or a lost answer
 * @returns whether all were sent; false when it stopped at a limit
 * @throws MorangoError `transfer-errored` when the server has given the transfer up
 */
export async function sendRecords(
  context: ChunkContext,
  transfer: TransferRecord,
  askFirst: boolean,
): Promise<boolean> {
  const { engine, peer, chunks, signal, shouldPark } = context
  const { id } = transfer
  const total = announced(transfer)
  const read = (offset: number): Promise<BufferRecord[]> =>
    engine.outgoing(id, { offset, limit: Math.min(chunks.size, total - offset) })

  const prepared = async (chunk: Promise<BufferRecord[]>): Promise<BufferRecord[]> => {
    const records = await chunk
    peer.prepareBuffers?.(records, { signal })
    return records
  }

  let offset = askFirst ? await serverCount(context, id, total) : transfer.recordsTransferred
  if (askFirst) await context.note(offset)
  let next = offset < total ? ahead(read(offset)) : undefined
  while (next !== undefined) {
    const records = await next
    if (records.length === 0) {
      throw new MorangoError('stage-failed', `The outgoing Buffer ends after ${offset} of ${total} records`)
    }
    const after = offset + records.length
    const begun = context.clock.now()
    const sent = ahead(peer.sendBuffers(records, { signal }))
    // With limits the size of the next chunk depends on what this one has taken.
    next = after < total && shouldPark === undefined ? ahead(prepared(read(after))) : undefined
    await sent
    learn(context, records, begun)
    offset = after
    await context.note(offset)
    if (offset === total || shouldPark === undefined) continue
    if (shouldPark()) return false
    next = read(offset)
  }
  return true
}

function learn({ chunks, clock }: ChunkContext, records: readonly BufferRecord[], begun: Date): void {
  const ms = clock.now().getTime() - begun.getTime()
  chunks.learn({ records: records.length, characters: charactersOf(records), ms })
}

function charactersOf(records: readonly BufferRecord[]): number {
  return records.reduce(
    (sum, { serialized, conflicting_serialized_data: conflicting }) =>
      sum + serialized.length + conflicting.length,
    0,
  )
}

/** The disk that a server may fill here has an end. */
function requireRoom(characters: number): void {
  if (characters <= MAX_TRANSFER_CHARACTERS) return
  throw new MorangoError('peer-protocol', 'The peer sends more in one transfer than is taken.', {
    hint: 'Sync with narrower filters, one after the other.',
    details: { limit: MAX_TRANSFER_CHARACTERS },
  })
}

async function serverCount({ peer, signal }: ChunkContext, id: string, total: number): Promise<number> {
  const view = await peer.transferSession(id, { signal })
  if (view === undefined) throw new MorangoError('unknown-session', `The peer knows transfer ${id} no more`)
  if (view.transfer_stage_status === 'errored') throw erroredThere(id)
  if (isBefore('transferring', view.transfer_stage)) return total
  return Math.min(view.records_transferred ?? 0, total)
}

async function tellCount({ peer, signal }: ChunkContext, id: string, count: number): Promise<void> {
  const { sent, received } = peer.traffic
  const view = await peer.updateTransferSession(
    id,
    {
      transfer_stage: 'transferring',
      records_transferred: count,
      // The server's view: what we received, it sent.
      bytes_received: sent,
      bytes_sent: received,
    },
    { signal },
  )
  if (view.transfer_stage_status === 'errored') throw erroredThere(id)
}

function requirePage(records: readonly BufferRecord[], id: string, after: number, total: number): void {
  const fault =
    records.length === 0
      ? 'an empty page before the end'
      : after > total
        ? `more than the ${total} records it announced`
        : records.some((record) => record.transfer_session !== id)
          ? 'records of another transfer'
          : undefined
  if (fault !== undefined) throw new MorangoError('peer-protocol', `The peer sent ${fault}`)
}

function announced({ id, recordsTotal }: TransferRecord): number {
  if (recordsTotal !== null) return recordsTotal
  throw new MorangoError('peer-protocol', `The total of transfer ${id} was never told`)
}

/** The error for a transfer that failed at the peer, which does not tell why. */
export function erroredThere(id: string): MorangoError {
  return new MorangoError('transfer-errored', `The transfer ${id} failed at the peer`, {
    hint: 'The reason is kept with the transfer session at the peer.',
  })
}
