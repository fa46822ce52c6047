import { MorangoError } from './core/errors.ts'
import { isHexUuid } from './core/ids.ts'
import type { Database } from './storage/dialect.ts'
import { forgetDoubts } from './storage/doubts.ts'
import { locksFor } from './storage/partition-locks.ts'
import {
  certificateFamily,
  type ClaimQuery,
  forgetTaught,
  readTaughtClaims,
  type TaughtClaim,
} from './storage/taught-claims.ts'
import { inTurn } from './storage/turn.ts'

/** What {@link Claims.forget} did. */
export interface ForgottenClaims {
  /** The certificate named, and those below it that are known here. */
  readonly certificates: readonly string[]
  /** How many claims they had taught. */
  readonly claims: number
}

/**
 * What this database takes for granted to have, and who taught it. A peer that claims more than it sends makes this
 * database pass over records that it lacks; forgetting what it taught mends that.
 */
export interface Claims {
  /** By partition, instance and teacher. */
  list(query?: ClaimQuery): Promise<TaughtClaim[]>
  /**
   * Forgets what a certificate and those below it taught. The next sync asks again for all that no other peer has
   * taught; records that are here are not sent twice into rows.
   *
   * @throws MorangoError `invalid-argument` for what is no certificate's id
   */
  forget(options: { readonly certificate: string }): Promise<ForgottenClaims>
}

/** Makes the {@link Claims} of a database. */
export function createClaims(database: Database): Claims {
  const { kysely, dialect } = database
  return {
    list: (query) => readTaughtClaims(kysely, query),
    forget: async ({ certificate }) => {
      if (!isHexUuid(certificate)) {
        throw new MorangoError('invalid-argument', "That is no certificate's id", {
          hint: 'Ids are 32 hex digits: `morango claims` shows those that taught something.',
        })
      }
      const needs = { locks: locksFor(undefined, 'exclusive'), fold: false, stamps: 0 }
      return await inTurn(database, needs, async ({ trx }) => {
        const certificates = await certificateFamily(trx, certificate)
        await forgetDoubts(trx, dialect, certificates)
        return { certificates, claims: await forgetTaught(trx, dialect, certificates) }
      })
    },
  }
}
