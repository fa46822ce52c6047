import { sql } from 'kysely'
import { MorangoError } from '../core/errors.ts'
import { filterContains } from '../core/filter.ts'
import type { Filter } from '../core/filter.ts'
import type { ReadonlyPartitionCounters } from '../core/fsic.ts'
import { highestClaim, withoutClaimsAbove } from '../core/fsic-claims.ts'
import { MAX_COUNTER_JUMP } from '../core/limits.ts'
import type { EngineContext } from './context.ts'
import { databaseClockOf, readDatabaseClock } from './database-clock.ts'
import { noteDoubt } from './doubts.ts'
import { currentInstance, raiseCounter, renewInstance } from './instance.ts'
import { deleteMeta, getMeta, setMeta } from './migrations.ts'
import { countSaved, forgetEmptyPartitions } from './saved-partitions.ts'
import { peerCertificateId } from './transfer-peer.ts'
import type { Turn } from './turn.ts'

const RENEWED_AT = 'renewed_by_claim_at'
const DAY_MS = 24 * 60 * 60 * 1000

/** What is said of this database's instance by a peer, and whether it may. */
export interface ClaimsAboutUs {
  readonly transferSessionId: string
  /** What the peer claims under the transfer's filter. */
  readonly claims: ReadonlyPartitionCounters
  /** What the peer's certificate may write; undefined: nothing. */
  readonly peerWrites?: Filter | undefined
}

/**
 * Looks whether a peer claims to have seen a higher counter of ours than we have ourselves (protocol §11). Either this
 * database was restored from a backup, or the peer lies, or somebody has lied to it.
 * - It is believed when it could be true: at most a million counters ahead, on a partition that the peer may write.
 *   Then the database goes on as a new instance, see {@link renewAfterRestore}. That happens once a day at most, or
 *   peers could have it renewed all the time; after that this transfer fails until the operator has decided.
 * - Any other such claim is left out, and kept for `doctor`: a reader, and who claims what cannot be, changes nothing.
 *
 * @returns the peer's claims without those that are not true of the instance that goes on
 * @throws MorangoError `renewal-needed`
 */
export async function heedClaimsAboutUs(
  turn: Turn,
  context: EngineContext,
  { transferSessionId, claims, peerWrites = [] }: ClaimsAboutUs,
): Promise<ReadonlyPartitionCounters> {
  const { trx } = turn
  const { id, counter, exchanged_counter: exchanged } = await currentInstance(trx)
  const seen = highestClaim(claims, id)
  if (seen <= counter) return claims
  const certificate = (await peerCertificateId(trx, transferSessionId)) ?? ''
  const possible = withoutClaimsAbove(claims, id, counter + MAX_COUNTER_JUMP)
  const believed = highestClaim(possible, id, (partition) => filterContains(peerWrites, partition))
  if (believed <= counter) {
    const detail = `It claims counter ${seen} of this instance, which is only at ${counter}.`
    const happenedAt = context.clock.now().toISOString()
    await turn.aside((db) => noteDoubt(db, { certificate, kind: 'claim-about-us', detail, happenedAt }))
    context.onWarning?.({
      code: 'claim-not-believed',
      message: `The peer with certificate ${certificate} is not believed. ${detail}`,
    })
    return withoutClaimsAbove(claims, id, counter)
  }
  turn.alone()
  await takeDailyRenewal(turn, context, { certificate, instance: id, believed, counter })
  await renewAfterRestore(turn, context, exchanged)
  context.onWarning?.({
    code: 'instance-renewed',
    message:
      `The peer with certificate ${certificate} has seen counter ${believed} of this instance, which is only at ` +
      `${counter}: the database was restored from a backup. It goes on as a new instance.`,
  })
  return claims
}

async function takeDailyRenewal(
  { trx }: Turn,
  context: EngineContext,
  about: {
    readonly certificate: string
    readonly instance: string
    readonly believed: number
    readonly counter: number
  },
): Promise<void> {
  const now = await readDatabaseClock(trx, context.databaseNow ?? databaseClockOf(context.clock))
  const last = Number((await getMeta(trx, RENEWED_AT)) ?? Number.NEGATIVE_INFINITY)
  // A clock that was set back must not forbid it for longer than a day.
  if (Math.abs(now.getTime() - last) >= DAY_MS) return await setMeta(trx, RENEWED_AT, String(now.getTime()))
  const { certificate, instance, believed, counter } = about
  throw new MorangoError(
    'renewal-needed',
    `The peer with certificate ${certificate} has seen counter ${believed} of this instance, which is only at ` +
      `${counter}, and the instance was renewed for such a reason less than a day ago`,
    {
      hint:
        'If this database was restored from a backup, run `morango renew`. If not, the peer lies or was lied to: ' +
        'put its certificate into refusedCertificates, or have its operator run `morango claims`.',
      details: { certificate, instance, claimed: believed, counter },
    },
  )
}

/** After the operator has renewed the instance: a peer may be believed again. */
export async function allowRenewal({ trx }: Turn): Promise<void> {
  await deleteMeta(trx, RENEWED_AT)
}

/**
 * Has a restored database go on as a new instance. Counters above the backup's were given twice otherwise, for
 * different things, and peers would take our new changes for known. What was stamped after `certain` is stamped again by
 * the new instance, and our claims about ourselves fall back to that point, so that what the backup lacks comes back from
 * peers.
 *
 * @param certain - the last counter of which it is certain that it was given but once. When nothing has been stamped since
 *   the restore, that is the backup's own: default.
 */
export async function renewAfterRestore(turn: Turn, context: EngineContext, certain?: number): Promise<void> {
  const { trx } = turn
  turn.alone()
  const old = await currentInstance(trx)
  await renewInstance(trx, context)
  const stamp = await raiseCounter(trx)
  const { dialect } = context.database
  const since = certain ?? old.counter
  if (since > 0) {
    await sql`insert into morango_record_max_counter (store_id, instance_id, counter, partition)
      select id, ${old.id}, cast(${since} as integer), partition from morango_store
      where last_saved_instance = ${old.id} and last_saved_counter > ${since}
      on conflict (store_id, instance_id) do nothing`.execute(trx)
  }
  const version = sql`id, last_saved_instance, last_saved_counter, partition`
  const restamped = sql`select ${version} from morango_store
    where last_saved_instance = ${old.id} and last_saved_counter > ${since}`
  await countSaved(trx, dialect, restamped, 'out')
  await sql`update morango_store set last_saved_instance = ${stamp.instance}, last_saved_counter = ${stamp.counter}
    where last_saved_instance = ${old.id} and last_saved_counter > ${since}`.execute(trx)
  const renewed = sql`select ${version} from morango_store
    where last_saved_instance = ${stamp.instance}`
  await countSaved(trx, dialect, renewed, 'in')
  await forgetEmptyPartitions(trx)
  // The new instance has made all of what it now has; of the old one the backup may lack what is above.
  await sql`insert into morango_claim (partition, instance_id, certificate_id, counter)
    select partition, ${stamp.instance}, '', cast(${stamp.counter} as integer) from morango_database_max_counter
    where instance_id = ${old.id}
    on conflict (partition, instance_id, certificate_id) do update
    set counter = ${dialect.greatest(sql`morango_claim.counter`, sql`excluded.counter`)}`.execute(trx)
  await sql`insert into morango_database_max_counter (partition, instance_id, counter)
    select partition, ${stamp.instance}, cast(${stamp.counter} as integer) from morango_database_max_counter
    where instance_id = ${old.id}
    on conflict (partition, instance_id) do update
    set counter = ${dialect.greatest(sql`morango_database_max_counter.counter`, sql`excluded.counter`)}`.execute(
    trx,
  )
  for (const table of ['morango_database_max_counter', 'morango_claim']) {
    await sql`update ${sql.id(table)} set counter = ${since}
      where instance_id = ${old.id} and counter > ${since}`.execute(trx)
  }
}
