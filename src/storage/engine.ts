import { type Transaction, sql } from 'kysely'
import type { Engine, LeaseHold } from '../session/ports.ts'
import { type EngineContext, requireProfile } from './context.ts'
import { dequeueIn } from './dequeue.ts'
import { deserializeIn } from './deserialize.ts'
import { readFsic } from './fsic.ts'
import { checkIncoming, countIncoming, insertIncoming } from './incoming.ts'
import { noteExchange } from './instance.ts'
import { requireLease } from './leases.ts'
import { countOutgoing, readOutgoing } from './outgoing.ts'
import { clearOutgoing, queueIn } from './queue.ts'
import { deleteTransferRows } from './rows.ts'
import type { Schema } from './schema.ts'
import { serializeIn } from './serialize.ts'
import { inTransaction } from './transaction.ts'

/** The engine's operations on one database, each in a transaction of its own. */
export function createEngine(context: EngineContext): Engine {
  const { kysely, dialect } = context.database
  // The lease is looked at last, so that the transfer's row is locked for a moment only.
  const leased = <T>(
    lease: LeaseHold | undefined,
    work: (trx: Transaction<Schema>) => Promise<T>,
  ): Promise<T> =>
    inTransaction(kysely, dialect, async (trx) => {
      const result = await work(trx)
      if (lease !== undefined) await requireLease(trx, lease)
      return result
    })
  return {
    serialize: (options) =>
      leased(options.lease, (trx) => serializeIn(trx, context, { ...options, raise: 'always' })),
    deserialize: (options) => leased(options.lease, (trx) => deserializeIn(trx, context, options)),
    applyWaiting: async (options) => {
      const waiting = await sql`select 1 from morango_dirty d
        where exists (select 1 from morango_store s where s.id = d.id and s.profile = ${options.profile}) limit 1`.execute(
        kysely,
      )
      if (waiting.rows.length === 0) return
      // Not a serialization of its own: with nothing to stamp the counter stays.
      const retry = { ...options, raise: 'if-needed' } as const
      await inTransaction(kysely, dialect, (trx) => deserializeIn(trx, context, retry))
    },
    fsic: (options) => readFsic(kysely, options),
    queue: (options) => leased(options.lease, (trx) => queueIn(trx, context, options)),
    outgoing: (transferSessionId, range) => readOutgoing(kysely, dialect, transferSessionId, range),
    outgoingCount: (transferSessionId) => countOutgoing(kysely, transferSessionId),
    storeIncoming: async (transfer, records) => {
      checkIncoming(transfer, context.profiles.get(transfer.profile), records)
      return await leased(transfer.lease, (trx) =>
        insertIncoming(trx, dialect, transfer.transferSessionId, records),
      )
    },
    incomingCount: (transferSessionId) => countIncoming(kysely, transferSessionId),
    dequeue: (options) => leased(options.lease, (trx) => dequeueIn(trx, context, options)),
    clearBuffers: (transferSessionId, lease) =>
      leased(lease, async (trx) => {
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
          select 1 from morango_store s where s.id = d.id and s.profile = ${profile})) as undeserialized`.execute(
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
