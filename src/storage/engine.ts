import { type Kysely, sql } from 'kysely'
import { isMorangoError } from '../core/errors.ts'
import { type Filter, parseFilter } from '../core/filter.ts'
import type { Engine, LeaseHold } from '../session/ports.ts'
import { type EngineContext, requireProfile } from './context.ts'
import { comparisonDue, noteComparison } from './comparisons.ts'
import { dequeue } from './dequeue.ts'
import { deserialize } from './deserialize.ts'
import { noteDoubt, settleDoubts } from './doubts.ts'
import { readFsic } from './fsic.ts'
import { countIncoming } from './incoming.ts'
import { requireLease } from './leases.ts'
import { countOutgoing, readOutgoing } from './outgoing.ts'
import { locksFor, type LockMode } from './partition-locks.ts'
import { countChanged, previewQueue } from './preview.ts'
import { clearOutgoing, queueIn } from './queue.ts'
import { allowRenewal, renewAfterRestore } from './restored.ts'
import { anythingDue } from './retry.ts'
import { deleteTransferRows } from './rows.ts'
import { instanceSums, partitionSums } from './set-sums.ts'
import { settleSums } from './settle-sums.ts'
import type { Schema } from './schema.ts'
import { serialize } from './serialize.ts'
import { storeIncoming } from './store-incoming.ts'
import { tell } from './tell.ts'
import { inTransaction } from './transaction.ts'
import { inTurn } from './turn.ts'
import type { Run } from './turns.ts'

interface Held {
  readonly filter?: Filter | undefined
  readonly lease?: LeaseHold | undefined
}

/** The engine's operations on one database, each in transactions of its own. */
export function createEngine(context: EngineContext): Engine {
  const { kysely, dialect } = context.database
  // The lease is looked at last, so that the transfer's row is locked for a moment only.
  const fenced =
    <Given extends { readonly trx: Kysely<Schema> }, T>(
      lease: LeaseHold | undefined,
      work: (given: Given) => Promise<T>,
    ) =>
    async (given: Given): Promise<T> => {
      const result = await work(given)
      if (lease !== undefined) await requireLease(given.trx, lease)
      return result
    }
  const running =
    (mode: LockMode, { filter, lease }: Held): Run =>
    async (work, stamps = 0) => {
      const needs = { locks: locksFor(filter, mode), fold: mode === 'exclusive', stamps }
      return await inTurn(context.database, needs, fenced(lease, work))
    }
  const telling = async <T>(work: () => Promise<T>): Promise<T> => {
    const result = await work()
    if (context.listeners !== undefined) await tell(context, context.listeners)
    return result
  }
  // What is not believed fails its transaction; that it was said is kept all the same.
  const doubting = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      if (isMorangoError(error, 'renewal-needed')) {
        const { certificate } = error.details
        const happenedAt = context.clock.now().toISOString()
        await noteDoubt(kysely, {
          certificate: typeof certificate === 'string' ? certificate : '',
          kind: 'renewal-needed',
          detail: `${error.message}.`,
          happenedAt,
        })
      }
      throw error
    }
  }
  const writing = (options: Held): Run => running('exclusive', options)
  return {
    serialize: (options) =>
      telling(() => serialize(writing(options), context, { ...options, raise: 'always' })),
    deserialize: (options) =>
      telling(() => deserialize(writing(options), context, { ...options, raise: 'always' })),
    applyWaiting: async (options) => {
      if (!(await anythingDue(kysely, options.profile, context.clock.now().getTime()))) return
      // Not a serialization of its own: with nothing to stamp the counter stays.
      await telling(() => deserialize(writing(options), context, { ...options, raise: 'if-needed' }))
    },
    fsic: (options) => readFsic(kysely, options),
    queue: async (options) => {
      const queued = await doubting(() =>
        running('shared', options)((turn) => queueIn(turn, context, options)),
      )
      // A stamp that a peer has seen must never be given again, for something else.
      if (queued.count > 0) await dialect.makeDurable?.(kysely)
      return queued
    },
    preview: (options) => previewQueue(kysely, context, options),
    countChanged: (options) => countChanged(kysely, context, options),
    outgoing: (transferSessionId, range) => readOutgoing(kysely, dialect, transferSessionId, range),
    outgoingCount: (transferSessionId) => countOutgoing(kysely, transferSessionId),
    storeIncoming: (transfer, records) =>
      storeIncoming(context, transfer, records, (work) => fenced(transfer.lease, work)),
    incomingCount: (transferSessionId) => countIncoming(kysely, transferSessionId),
    dequeue: (options) => telling(() => doubting(() => dequeue(writing(options), context, options))),
    comparisonDue: (transfer) => comparisonDue(kysely, context, transfer),
    noteComparison: (transfer) => noteComparison(kysely, context, transfer),
    instanceSums: (transfer) => inTransaction(kysely, dialect, (trx) => instanceSums(trx, transfer)),
    partitionSums: (transfer) =>
      inTransaction(kysely, dialect, (trx) => partitionSums(trx, dialect, transfer, transfer.instances)),
    settleSums: async (settling) => {
      const needs = { locks: locksFor(settling.filter, 'exclusive'), fold: false, stamps: 0 }
      const settled = await inTurn(context.database, needs, (turn) => settleSums(turn, context, settling))
      if (settled.detail !== undefined) {
        context.onWarning?.({
          code: 'claims-differ',
          message: `Not the same as at the peer with certificate ${settled.certificate}. ${settled.detail}`,
        })
      }
      return settled.forgotten
    },
    clearBuffers: async ({ id, filter }, lease) => {
      await running('shared', { filter: parseFilter(filter), lease })(async ({ trx }) => {
        await clearOutgoing(trx, id)
        await deleteTransferRows(trx, 'morango_incoming', id)
      })
    },
    renew: () =>
      running(
        'exclusive',
        {},
      )(async (turn) => {
        await renewAfterRestore(turn, context)
        await allowRenewal(turn)
        await settleDoubts(turn.trx, ['renewal-needed', 'claim-about-us'])
      }),
    problemCounts: async (profile) => {
      const models = requireProfile(context, profile).models.map((model) => model.name)
      const inStore = sql`exists (select 1 from morango_store s where s.no = d.store_no and s.profile = ${profile})`
      // Thousands may wait: their records need not be looked up where the model says whose they are.
      const alone = context.profiles.size === 1
      const own = alone ? sql`(d.model_name in (${sql.join(models)}) or ${inStore})` : inStore
      const result = await sql<{ unserialized: number; undeserialized: number }>`select
        (select count(*) from morango_pending where error_code is not null
          and model_name in (${sql.join(models)})) as unserialized,
        (select count(*) from morango_dirty d where d.error_code is not null and ${own})
          + (select count(*) from morango_set_aside where profile = ${profile} and deleted = 0) as undeserialized`.execute(
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
