import { PGlite } from '@electric-sql/pglite'
import type { Transaction } from '@electric-sql/pglite'
import { postgres } from '../../src/postgres.ts'
import type { PGliteLike } from '../../src/storage/postgres/pglite.ts'
import type { TestDatabase } from '../../src/testing/index.ts'

// An instance takes seconds to make and half a gigabyte, so a worker has one, and a peer a schema in it.
let shared: Promise<PGlite> | undefined
let serial = 0

/** A schema of the worker's PGlite instance. */
export async function makePGlite(): Promise<TestDatabase> {
  shared ??= PGlite.create()
  const pglite = await shared
  const schema = `peer_${serial++}`
  await pglite.query(`create schema ${schema}`)
  let lane = openLane(pglite, schema)
  return {
    open: () => {
      lane = openLane(pglite, schema)
      return postgres(lane.pglite)
    },
    crash: () => lane.crash(),
    destroy: async () => {
      await pglite.query(`drop schema ${schema} cascade`)
    },
  }
}

/** The shared instance with a search path of its own, which can die in the midst of a transaction. */
function openLane(pglite: PGlite, schema: string): { pglite: PGliteLike; crash(): Promise<void> } {
  const death = Promise.withResolvers<never>()
  death.promise.catch(() => undefined)
  let last: Promise<unknown> = Promise.resolve()
  const transaction: PGliteLike['transaction'] = (work) => {
    const done = pglite.transaction(async (trx: Transaction) => {
      await trx.query(`set local search_path to ${schema}`)
      return await Promise.race([work(trx), death.promise])
    })
    // Of the dead nobody asks.
    last = done.catch(() => undefined)
    return done
  }
  return {
    pglite: {
      get closed() {
        return pglite.closed
      },
      get ready() {
        return pglite.ready
      },
      get waitReady() {
        return pglite.waitReady
      },
      close: async () => undefined,
      transaction,
      query: (text, values, options) => transaction((trx) => trx.query(text, values, options)),
    },
    async crash() {
      death.reject(new Error('This process was killed'))
      await last
    },
  }
}
