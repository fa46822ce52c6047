import { type RawBuilder, sql } from 'kysely'
import { MorangoError } from '../core/errors.ts'
import type { DatabaseClock } from './database-clock.ts'

/** SQL condition: that holder's lease has not lapsed. */
export function isLeased(holder: RawBuilder<unknown>, now: DatabaseClock): RawBuilder<boolean> {
  return sql<boolean>`exists (select 1 from morango_lease lease
    where lease.holder = ${holder} and lease.expires_at > ${now()})`
}

/** SQL condition: the transfer is in the hands that the caller saw it in. */
export function heldAsSeen({ leaseHolder }: { readonly leaseHolder: string | null }): RawBuilder<boolean> {
  return leaseHolder === null
    ? sql<boolean>`lease_holder is null`
    : sql<boolean>`lease_holder = ${leaseHolder}`
}

/** The error of a run whose transfer is no longer its own. */
export function leaseLost(id: string): MorangoError {
  return new MorangoError('lease-lost', `Transfer ${id} was closed or taken over by another process`, {
    hint: 'This process did not answer for too long. Sync again once the other has ended.',
  })
}
