import { MorangoError, isMorangoError } from '../core/errors.ts'
import { parseFilter } from '../core/filter.ts'
import { MAX_CHUNK_RECORDS, MAX_HISTORY } from '../core/limits.ts'
import { isBefore } from '../core/stages.ts'
import type { BufferPage } from '../protocol/messages.ts'
import { getTransfer, moveTransfer, raiseTransferred } from '../storage/transfer-sessions.ts'
import type { StagePosition, TransferRecord } from '../storage/transfer-sessions.ts'
import { answerError, detailError } from './answers.ts'
import type { BufferRecord } from './ports.ts'
import { describeFailure } from './server-effects.ts'
import type { ServedTransfer, TransferService } from './serve-transfers.ts'
import { timestamp } from './service-context.ts'
import type { ServiceOptions } from './service-context.ts'
import { ownerOf } from './service-room.ts'
import type { ServiceRoom } from './service-room.ts'

/** The server's side of `buffers/` (protocol §4). */
export interface BufferService {
  /** Rejects unless there is an active push of this id that the scopes permit: before a chunk for it is read. */
  admit(transferSessionId: string): Promise<void>
  receive(records: readonly BufferRecord[]): Promise<void>
  page(query: { transferSessionId: string; offset: number; limit: number | undefined }): Promise<BufferPage>
}

/** Chunks in and out, on top of the transfers. */
export function createBufferService(
  options: ServiceOptions,
  transfers: TransferService,
  room: ServiceRoom,
): BufferService {
  const { db, engine, clock } = options

  return { admit, receive, page }

  async function receive(records: readonly BufferRecord[]): Promise<void> {
    const [first] = records
    if (first === undefined) throw new MorangoError('malformed-message', 'A chunk must not be empty')
    const id = first.transfer_session
    if (records.some((record) => record.transfer_session !== id)) {
      throw answerError(
        'scope-not-permitted',
        'All pushed records must be associated with the same TransferSession.',
      )
    }
    await accept(await findPush(id), records)
  }

  async function admit(transferSessionId: string): Promise<void> {
    await findPush(transferSessionId)
  }

  async function findPush(id: string): Promise<ServedTransfer> {
    const found = await transfers.find(id)
    if (found === undefined) {
      throw answerError('unknown-session', 'The TransferSession does not exist or is no longer active')
    }
    if (!found.transfer.push) {
      throw answerError('scope-not-permitted', 'Specified TransferSession does not allow pushes.')
    }
    return found
  }

  async function accept(
    { transfer, session }: ServedTransfer,
    records: readonly BufferRecord[],
  ): Promise<void> {
    // All announced records have come: what comes once more is answered as if it were new.
    if (isTransferred(transfer)) return
    requireReady(transfer)
    const bytes = records.reduce((sum, record) => sum + roughBytes(record), 0)
    await room.forRecords(ownerOf(session), session.id, records.length, bytes)
    try {
      requireProfiles(records)
      requireHistories(records)
      const context = {
        transferSessionId: transfer.id,
        profile: session.profile,
        filter: parseFilter(transfer.filter),
      }
      const held = await engine.storeIncoming(context, records)
      await note(transfer, held, bytes)
    } catch (error) {
      if (isMorangoError(error, 'invalid-buffer')) {
        await settle(transfer.id, { stage: 'transferring', status: 'errored' }, describeFailure(error))
      }
      throw error
    }
  }

  async function note(transfer: TransferRecord, held: number, bytes: number): Promise<void> {
    const total = (await getTransfer(db, transfer.id))?.recordsTotal ?? held
    if (held > total) throw invalidBuffer(`${held} records came, ${total} were announced`)
    await raiseTransferred(db, transfer.id, held, bytes, timestamp(clock))
    await settle(transfer.id, { stage: 'transferring', status: held === total ? 'completed' : 'pending' })
    // Closed meanwhile: nothing may outlive it.
    if ((await getTransfer(db, transfer.id))?.active !== true) await engine.clearBuffers(transfer)
  }

  /** Moves on from wherever other chunks have brought the transfer; never back. */
  async function settle(id: string, to: StagePosition, error?: string): Promise<void> {
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop
      const transfer = await getTransfer(db, id)
      if (transfer?.active !== true || transfer.status === 'errored' || isTransferred(transfer)) return
      if (transfer.stage === to.stage && transfer.status === to.status) return
      const target = { ...to, error: error ?? null }
      // oxlint-disable-next-line no-await-in-loop
      if (await moveTransfer(db, transfer, target, timestamp(clock))) return
    }
  }

  function requireProfiles(records: readonly BufferRecord[]): void {
    const stranger = records.find((record) => !options.profiles.includes(record.profile))
    if (stranger === undefined) return
    throw invalidBuffer(`The profile ${stranger.profile} does not sync here`)
  }

  async function page(query: {
    transferSessionId: string
    offset: number
    limit: number | undefined
  }): Promise<BufferPage> {
    const { transferSessionId: id, offset, limit } = query
    const found = await transfers.find(id)
    if (found === undefined || found.transfer.push) {
      throw detailError('forbidden', 'Authentication credentials were not provided.')
    }
    const { stage, status, recordsTotal } = found.transfer
    // Half a queue must not be taken for the whole.
    const queued = isBefore('queuing', stage) || (stage === 'queuing' && status === 'completed')
    if (!queued) return { count: 0, records: [] }
    const count = recordsTotal ?? (await engine.outgoingCount(id))
    const wanted = limit === undefined || limit === 0 ? undefined : Math.min(limit, MAX_CHUNK_RECORDS)
    if (wanted === undefined && count > MAX_CHUNK_RECORDS) {
      throw detailError(
        'invalid-argument',
        `The list has more than ${MAX_CHUNK_RECORDS} records: give a limit.`,
      )
    }
    const range = wanted === undefined ? { offset } : { offset, limit: wanted }
    return { count, records: await engine.outgoing(id, range) }
  }
}

function requireHistories(records: readonly BufferRecord[]): void {
  const endless = records.find(({ rmcb_list: history }) => history.length > MAX_HISTORY)
  if (endless === undefined) return
  throw invalidBuffer(`The history of record ${endless.model_uuid} names more than ${MAX_HISTORY} instances.`)
}

/** About how much room a record takes in the Buffer. */
function roughBytes(record: BufferRecord): number {
  return (
    record.serialized.length +
    record.conflicting_serialized_data.length +
    ROW +
    COUNTER * record.rmcb_list.length
  )
}

const ROW = 250
const COUNTER = 48

function isTransferred({ stage, status }: TransferRecord): boolean {
  return isBefore('transferring', stage) || (stage === 'transferring' && status === 'completed')
}

function requireReady(transfer: TransferRecord): void {
  const { stage, status, recordsTotal } = transfer
  if (status === 'errored') {
    throw answerError('unknown-session', 'The TransferSession has failed; open a new one')
  }
  const queued = isBefore('queuing', stage) || (stage === 'queuing' && status === 'completed')
  if (!queued || recordsTotal === null) {
    throw answerError(
      'unknown-session',
      'The TransferSession is not ready for records: queuing must be completed and records_total be set',
    )
  }
}

function invalidBuffer(sentence: string): MorangoError {
  return new MorangoError('invalid-buffer', sentence, { details: { body: [sentence] } })
}
