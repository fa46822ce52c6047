import { MorangoError } from '../core/errors.ts'
import { parseFilter } from '../core/filter.ts'
import { isBefore } from '../core/stages.ts'
import type { BufferPage } from '../protocol/messages.ts'
import type { Peer } from '../protocol/peer.ts'
import type { TransferRecord } from '../storage/transfer-sessions.ts'
import type { BufferRecord, Engine } from './ports.ts'

/** What moving records between a client and its server needs. */
export interface ChunkContext {
  readonly engine: Engine
  readonly peer: Peer
  readonly profile: string
  readonly chunkSize: number
  readonly signal: AbortSignal | undefined
  /** Notes how many records have crossed. */
  note(recordsTransferred: number): Promise<void>
}

/** How many pages are on their way while one is being stored; with none the peer would wait, too. */
const PAGES_AHEAD = Number(process.env.AHEAD ?? 2)

/**
 * Fetches the records of a pull from where it stands, some chunks ahead of the one being stored, and tells the
 * server meanwhile how many have come (protocol §5).
 *
 * @throws MorangoError `peer-protocol` when the pages do not add up to the announced total
 */
export async function receiveRecords(context: ChunkContext, transfer: TransferRecord): Promise<void> {
  const { engine, profile } = context
  const { id } = transfer
  const total = announced(transfer)
  const target = { transferSessionId: id, profile, filter: parseFilter(transfer.filter) }
  const pageAt = readAhead(context, id, total)
  const counts = createTeller((count) => tellCount(context, id, count))

  let offset = transfer.recordsTransferred
  try {
    // All is here, but the server may not have been told.
    if (offset >= total) counts.tell(offset)
    while (offset < total) {
      const { records } = await pageAt(offset)
      const after = offset + records.length
      requirePage(records, id, after, total)
      await engine.storeIncoming(target, records)
      offset = after
      await context.note(offset)
      counts.tell(offset)
    }
  } finally {
    // A count that is still on its way must not overtake one told by a later attempt.
    await counts.settle()
  }
  counts.requireTold()
  const held = await engine.incomingCount(id)
  if (held === total) return
  throw new MorangoError(
    'peer-protocol',
    `The peer announced ${total} records, and sent ${held} different ones`,
  )
}

/** Pages by their offset, asked for in order, the next ones fetched ahead as if this one were full. */
function readAhead(
  { peer, chunkSize, signal }: ChunkContext,
  transferSessionId: string,
  total: number,
): (offset: number) => Promise<BufferPage> {
  const fetchFrom = (offset: number): Promise<BufferPage> =>
    peer.fetchBuffers({ transferSessionId, offset, limit: chunkSize }, { signal })
  let coming = new Map<number, Promise<BufferPage>>()
  return async (offset) => {
    // The page before was not full: what comes begins at the wrong places.
    if (!coming.has(offset)) coming = new Map()
    for (let turn = 0; turn <= PAGES_AHEAD; turn++) {
      const start = offset + turn * chunkSize
      if (start < total && !coming.has(start)) coming.set(start, ahead(fetchFrom(start)))
    }
    const page = coming.get(offset)
    coming.delete(offset)
    return await (page ?? fetchFrom(offset))
  }
}

/** Tells a growing count in the background. */
interface Teller {
  /** @throws what an earlier call threw */
  tell(count: number): void
  /** Until nothing is on its way. */
  settle(): Promise<void>
  /** @throws what a call threw */
  requireTold(): void
}

/** One call at a time; counts that come meanwhile give way to the last of them. */
function createTeller(tellOnce: (count: number) => Promise<void>): Teller {
  let latest = -1
  let told = -1
  let running: Promise<void> | undefined
  let failure: { readonly error: unknown } | undefined

  const requireTold = (): void => {
    if (failure !== undefined) throw failure.error
  }
  const run = async (): Promise<void> => {
    try {
      while (told < latest) {
        const count = latest
        // oxlint-disable-next-line no-await-in-loop
        await tellOnce(count)
        told = count
      }
    } catch (error) {
      failure = { error }
    }
    running = undefined
  }
  return {
    tell(count) {
      requireTold()
      latest = count
      running ??= run()
    },
    settle: async () => await running,
    requireTold,
  }
}

/**
 * Sends the records of a push, the next chunk made ready while one is on its way (protocol §5).
 *
 * @param askFirst - whether the server's own count tells where to go on: after a restart or a lost answer
 * @throws MorangoError `transfer-errored` when the server has given the transfer up
 */
export async function sendRecords(
  context: ChunkContext,
  transfer: TransferRecord,
  askFirst: boolean,
): Promise<void> {
  const { engine, peer, chunkSize, signal } = context
  const { id } = transfer
  const total = announced(transfer)
  const read = (offset: number): Promise<BufferRecord[]> =>
    engine.outgoing(id, { offset, limit: Math.min(chunkSize, total - offset) })

  let offset = askFirst ? await serverCount(context, id, total) : transfer.recordsTransferred
  if (askFirst) await context.note(offset)
  let next = offset < total ? ahead(read(offset)) : undefined
  while (next !== undefined) {
    const records = await next
    if (records.length === 0) {
      throw new MorangoError('stage-failed', `The outgoing Buffer ends after ${offset} of ${total} records`)
    }
    const after = offset + records.length
    next = after < total ? ahead(read(after)) : undefined
    await peer.sendBuffers(records, { signal })
    offset = after
    await context.note(offset)
  }
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

/** Started before it is waited for: a failure is seen when it is. */
function ahead<T>(work: Promise<T>): Promise<T> {
  work.catch(() => {})
  return work
}
