import { expect, it } from 'vitest'
import { MAX_TRANSFER_CHARACTERS } from '../../src/core/limits.ts'
import type { BufferRecord } from '../../src/protocol/messages.ts'
import type { Peer } from '../../src/protocol/peer.ts'
import { receiveRecords } from '../../src/session/transferring.ts'
import type { TransferRecord } from '../../src/storage/transfer-sessions.ts'
import { createFakeEngine } from './fake-engine.ts'

const ID = 'a'.repeat(32)
const TOTAL = 1_000_000

const transfer: TransferRecord = {
  id: ID,
  syncSessionId: 'b'.repeat(32),
  push: false,
  active: true,
  filter: 'x',
  stage: 'transferring',
  status: 'started',
  error: null,
  recordsTransferred: 0,
  recordsTotal: TOTAL,
  bytesSent: 0,
  bytesReceived: 0,
  clientFsic: '{}',
  serverFsic: '{}',
  createdAt: '',
  lastActivityAt: '',
  leaseHolder: null,
}

// Texts that are never looked at take no memory.
const LONG = 'x'.repeat(2 ** 28)

/** A pull from a server that sends records with such texts, a page at a time, and never ends. */
async function pull(
  texts: Pick<BufferRecord, 'serialized' | 'conflicting_serialized_data'>,
): Promise<{ readonly stored: number; readonly error: unknown }> {
  const record: BufferRecord = {
    ...texts,
    deleted: false,
    last_saved_instance: ID,
    last_saved_counter: 1,
    hard_deleted: false,
    partition: 'x',
    source_id: 's',
    model_name: 'thing',
    model_uuid: ID,
    transfer_session: ID,
    profile: 'p',
    rmcb_list: [],
    _self_ref_fk: '',
  }
  let stored = 0
  const peer: Partial<Peer> = {
    traffic: { sent: 0, received: 0, roundTrips: 0 },
    fetchBuffers: async () => ({ count: TOTAL, records: [record] }),
    updateTransferSession: async () => ({
      transfer_stage: 'transferring',
      transfer_stage_status: 'started',
    }),
  }
  try {
    await receiveRecords(
      {
        engine: {
          ...createFakeEngine('a'),
          storeIncoming: async (_, { length }) => {
            stored += length
            return stored
          },
        },
        peer: peer as Peer,
        profile: 'p',
        chunks: { size: 1, learn: () => undefined },
        clock: { now: () => new Date(0) },
        signal: undefined,
        lease: { transferSessionId: ID, holder: 'me' },
        shouldPark: undefined,
        note: async () => undefined,
      },
      transfer,
    )
  } catch (error) {
    return { stored, error }
  }
  return { stored, error: undefined }
}

it.each([
  ['records', { serialized: LONG, conflicting_serialized_data: '' }],
  ['conflicting data', { serialized: '{}', conflicting_serialized_data: LONG }],
])('a server cannot fill the disk with %s', async (_, texts) => {
  const { stored, error } = await pull(texts)
  expect(error).toMatchObject({ code: 'peer-protocol', details: { limit: MAX_TRANSFER_CHARACTERS } })
  const most = MAX_TRANSFER_CHARACTERS / LONG.length
  expect(stored).toBeLessThanOrEqual(most)
  expect(stored).toBeGreaterThan(most - 3)
})
