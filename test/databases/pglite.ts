import { PGlite } from '@electric-sql/pglite'
import { postgres } from '../../src/postgres.ts'
import type { PGliteLike } from '../../src/storage/postgres/pglite.ts'
import type { TestDatabase } from '../../src/testing/index.ts'

// An instance takes seconds to make and half a gigabyte, so a worker has one, and a peer a schema in it.
let shared: Promise<PGlite> | undefined
let serial = 0
const VACUUM_EVERY = 6

// One session serves all: who uses it has it alone, with a search path of its own.
let searchPath = ''
let turn: Promise<unknown> = Promise.resolve()

/** A schema of the worker's PGlite instance. */
export async function makePGlite(): Promise<TestDatabase> {
  shared ??= PGlite.create()
  const pglite = await shared
  const schema = `peer_${serial++}`
  await inTurn(() => pglite.query(`create schema ${schema}`))
  let lane = openLane(pglite, schema)
  return {
    open: () => {
      lane = openLane(pglite, schema)
      return postgres(lane.pglite)
    },
    crash: () => lane.crash(),
    destroy: async () => {
      await inTurn(() => pglite.query(`drop schema ${schema} cascade`))
      // PGlite has no autovacuum, and what was dropped makes its catalogs slow.
      if (serial % VACUUM_EVERY === 0) await inTurn(() => pglite.query('vacuum'))
    },
  }
}

function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const done = turn.then(work)
  turn = done.catch(() => undefined)
  return done
}

/** The shared instance as one peer sees it, which can die in the midst of a transaction. */
function openLane(pglite: PGlite, schema: string): { pglite: PGliteLike; crash(): Promise<void> } {
  const death = Promise.withResolvers<never>()
  death.promise.catch(() => undefined)
  let last: Promise<unknown> = Promise.resolve()
  const alone = <T>(work: () => Promise<T>): Promise<T> => {
    const done = inTurn(async () => {
      if (searchPath !== schema) await pglite.query(`set search_path to ${schema}`)
      searchPath = schema
      return await work()
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
      transaction: (work) =>
        alone(() => pglite.transaction((trx) => Promise.race([work(trx), death.promise]))),
      query: (text, values, options) => alone(() => pglite.query(text, values, options)),
    },
    async crash() {
      death.reject(new Error('This process was killed'))
      await last
    },
  }
}
