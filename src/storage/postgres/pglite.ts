import type { PGliteInterface } from '@electric-sql/pglite'
import type { PGlite } from 'kysely'
import { parserOf } from './values.ts'

// Types for which PGlite would give something of its own: those of `values.ts`, JSON, and dates.
const OIDS = [16, 17, 20, 21, 23, 26, 114, 700, 701, 1082, 1083, 1114, 1184, 1186, 1700, 3802]
const parsers = Object.fromEntries(OIDS.map((oid) => [oid, parserOf(oid)]))

/** What is used of a PGlite instance, so that another one can stand before it. */
export type PGliteLike = Pick<
  PGliteInterface,
  'query' | 'transaction' | 'close' | 'closed' | 'ready' | 'waitReady'
>

/** A PGlite instance as Kysely takes one, whose results have our types whatever parsers it was given. */
export function typedPGlite(pglite: PGliteLike): PGlite {
  return {
    get closed() {
      return pglite.closed
    },
    get ready() {
      return pglite.ready
    },
    get waitReady() {
      return pglite.waitReady
    },
    close: () => pglite.close(),
    query: (text, values, options) => pglite.query(text, values, { ...options, parsers }),
    transaction: (work) =>
      pglite.transaction((trx) =>
        work({
          query: (text, values, options) => trx.query(text, values, { ...options, parsers }),
          rollback: () => trx.rollback(),
        }),
      ),
  }
}
