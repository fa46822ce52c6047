import { sql } from 'kysely'
import type { Engine, LeaseHold } from '../session/ports.ts'
import { type EngineContext, requireProfile } from './context.ts'
import { dequeue } from './dequeue.ts'
import { deserialize } from './deserialize.ts'
import { readFsic } from './fsic.ts'
import { checkIncoming, countIncoming, insertIncoming } from './incoming.ts'
import { noteExchange } from './instance.ts'
import { requireLease } from './leases.ts'
import { countOutgoing, readOutgoing } from './outgoing.ts'
import { clearOutgoing, queueIn } from './queue.ts'
import { deleteTransferRows } from './rows.ts'
import { serialize } from './serialize.ts'
import { inTransaction } from './transaction.ts'
import type { Run } from './turns.ts'

/** The engine's operations on one database, each in transactions of its own. */
export function createEngine(context: EngineContext): Engine {
  const { kysely, dialect } = context.database
  // The lease is looked at last, so that the transfer's row is locked for a moment only.
  const held =
    (lease: LeaseHold | undefined): Run =>
    async (work) =>
      await inTransaction(kysely, dialect, async (trx) => {
        const result = await work(trx)
        if (lease !== undefined) await requireLease(trx, lease)
        return result
      })
  return {
    serialize: (options) => serialize(held(options.lease), context, { ...options, raise: 'always' }),
    deserialize: (options) => deserialize(held(options.lease), context, { ...options, raise: 'always' }),
    applyWaiting: async (options) => {
      const waiting = await sql`select 1 from morango_dirty d
        where exists (select 1 from morango_store s where s.no = d.store_no and s.profile = ${options.profile}) limit 1`.execute(
        kysely,
      )
      if (waiting.rows.length === 0) return
      // Not a serialization of its own: with nothing to stamp the counter stays.
      await deserialize(held(options.lease), context, { ...options, raise: 'if-needed' })
    },
    fsic: (options) => readFsic(kysely, options),
    queue: (options) => held(options.lease)((trx) => queueIn(trx, context, options)),
    outgoing: (transferSessionId, range) => readOutgoing(kysely, dialect, transferSessionId, range),
    outgoingCount: (transferSessionId) => countOutgoing(kysely, transferSessionId),
    storeIncoming: async (transfer, records) => {
      checkIncoming(transfer, context.profiles.get(transfer.profile), records)
      return await held(transfer.lease)((trx) =>
        insertIncoming(trx, dialect, transfer.transferSessionId, records),
      )
    },
    incomingCount: (transferSessionId) => countIncoming(kysely, transferSessionId),
    dequeue: (options) => dequeue(held(options.lease), context, options),
    clearBuffers: (transferSessionId, lease) =>
      held(lease)(async (trx) => {
        await clearOutgoing(trx, transferSessionId)
        await deleteTransferRows(trx, 'morango_incoming', transferSessionId)
        await noteExchange(trx)
      }),
    problemCounts: async (profile) => {
      const models = requireProfile(context, profile).models.map((model) => model.name)
      const result = await sql<{ unserialized: number; undeserialized: number }>`select
        (select count(*) from morango_pending where error_code is not null
          and model_name in (${sql.join(models)})) as unserialized,
        (select count(*) from morango_dirty d where d.error_code is not null and exists (
          select 1 from morango_store s where s.no = d.store_no and s.profile = ${profile})) as undeserialized`.execute(
        kysely,
      )
      const row = result.rows[0]
      return {
        unserialized: Number(row?.unserialized ?? 0),
        undeserialized: Number(row?.undeserialized ?? 0),
      }
    },
  }
}
