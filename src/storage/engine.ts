import { sql } from 'kysely'
import type { Engine } from '../session/ports.ts'
import { type EngineContext, requireProfile } from './context.ts'
import { dequeue } from './dequeue.ts'
import { deserialize } from './deserialize.ts'
import { readFsic } from './fsic.ts'
import { checkIncoming, countIncoming, insertIncoming } from './incoming.ts'
import { noteExchange } from './instance.ts'
import { countOutgoing, readOutgoing } from './outgoing.ts'
import { clearOutgoing, queueIn } from './queue.ts'
import { deleteTransferRows } from './rows.ts'
import { serialize } from './serialize.ts'
import { inTransaction } from './transaction.ts'
import type { Run } from './turns.ts'

/** The engine's operations on one database, each in transactions of its own. */
export function createEngine(context: EngineContext): Engine {
  const { kysely, dialect } = context.database
  const run: Run = (work) => inTransaction(kysely, dialect, work)
  return {
    serialize: (options) => serialize(run, context, { ...options, raise: 'always' }),
    deserialize: (options) => deserialize(run, context, { ...options, raise: 'always' }),
    applyWaiting: async (options) => {
      const waiting = await sql`select 1 from morango_dirty d
        where exists (select 1 from morango_store s where s.no = d.store_no and s.profile = ${options.profile}) limit 1`.execute(
        kysely,
      )
      if (waiting.rows.length === 0) return
      // Not a serialization of its own: with nothing to stamp the counter stays.
      await deserialize(run, context, { ...options, raise: 'if-needed' })
    },
    fsic: (options) => readFsic(kysely, options),
    queue: (options) => inTransaction(kysely, dialect, (trx) => queueIn(trx, context, options)),
    outgoing: (transferSessionId, range) => readOutgoing(kysely, dialect, transferSessionId, range),
    outgoingCount: (transferSessionId) => countOutgoing(kysely, transferSessionId),
    storeIncoming: async (transfer, records) => {
      checkIncoming(transfer, context.profiles.get(transfer.profile), records)
      return await inTransaction(kysely, dialect, (trx) =>
        insertIncoming(trx, dialect, transfer.transferSessionId, records),
      )
    },
    incomingCount: (transferSessionId) => countIncoming(kysely, transferSessionId),
    dequeue: (options) => dequeue(run, context, options),
    clearBuffers: (transferSessionId) =>
      inTransaction(kysely, dialect, async (trx) => {
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
