import { type Kysely, type RawBuilder, sql } from 'kysely'
import { MAX_COUNTER, MAX_COUNTER_JUMP } from '../core/limits.ts'
import { type HistoryTrust, mostBelieved } from '../core/merge.ts'
import { emptyCounters, type ReadonlyPartitionCounters } from '../core/fsic.ts'
import { highestClaim } from '../core/fsic-claims.ts'
import type { TransferContext } from '../session/ports.ts'
import { noteConflicts } from './conflict-log.ts'
import type { EngineContext } from './context.ts'
import type { Dialect } from './dialect.ts'
import { noteDoubt } from './doubts.ts'
import { type IncomingRange, inRange } from './incoming.ts'
import { currentInstance, type Stamp } from './instance.ts'
import { knownCounters } from './learn.ts'
import { parseCounters } from './outgoing.ts'
import type { Flag, Schema } from './schema.ts'
import { peerCertificateId, peerInstanceId } from './transfer-peer.ts'
import type { Turn } from './turn.ts'

/**
 * How far the histories of the buffered records, and ours of them, are believed; core's `HistoryTrust` says the rule.
 *
 * @param claims - the sender's
 */
export async function readTrust(
  trx: Kysely<Schema>,
  dialect: Dialect,
  range: IncomingRange,
  claims: ReadonlyPartitionCounters,
): Promise<HistoryTrust> {
  const { id, exchanged_counter: left } = await currentInstance(trx)
  const most = emptyCounters()
  const high = await highInstances(trx, dialect, range)
  const known = await knownCounters(trx, dialect, high)
  for (const instance of high) {
    most[instance] = Math.min(MAX_COUNTER, (known.get(instance) ?? 0) + MAX_COUNTER_JUMP)
  }
  const sender = await peerInstanceId(trx, range.session)
  const counter = sender === undefined || sender === id ? 0 : highestClaim(claims, sender)
  const trust = { own: { instance: id, left }, most }
  return sender === undefined || counter === 0 ? trust : { ...trust, sender: { instance: sender, counter } }
}

/** SQL condition: a history here that has the version of the buffered `i` at a counter is believed for that. */
export function isBelievedHere({ sender }: HistoryTrust, counter: RawBuilder<unknown>): RawBuilder<boolean> {
  if (sender === undefined) return sql<boolean>`1 = 1`
  return sql<boolean>`(i.last_saved_instance <> ${sender.instance} or ${counter} <= ${sender.counter}
    or ${counter} <= i.last_saved_counter)`
}

/** The instances with a counter in the range that could be beyond what is believed: only after a million. */
async function highInstances(trx: Kysely<Schema>, dialect: Dialect, range: IncomingRange): Promise<string[]> {
  const found = await sql<{ instance: string }>`
    select i.last_saved_instance as instance from morango_incoming i
    where ${inRange(range)} and i.last_saved_counter > ${MAX_COUNTER_JUMP}
    union
    select m.key from morango_incoming i, ${dialect.members(sql`i.counters`)} m
    where ${inRange(range)} and i.counters is not null and cast(m.value as integer) > ${MAX_COUNTER_JUMP}`.execute(
    trx,
  )
  return found.rows.map(({ instance }) => instance)
}

/** SQL condition: a counter of an instance is beyond what is believed. */
export function isBeyond(
  dialect: Dialect,
  { own, most }: HistoryTrust,
  instance: RawBuilder<unknown>,
  counter: RawBuilder<unknown>,
): RawBuilder<boolean> {
  const ours =
    own === undefined ? sql`1 = 0` : sql`(${instance} = ${own.instance} and ${counter} > ${own.left})`
  // Usually none is named, and nothing has to be looked up.
  if (Object.keys(most).length === 0) return sql<boolean>`(${ours})`
  const others =
    own === undefined ? most : { ...most, [own.instance]: mostBelieved({ own, most }, own.instance) }
  const limit = dialect.numberAt(sql`${JSON.stringify(others)}`, instance)
  return sql<boolean>`(${ours} or ${counter} > coalesce(${limit}, ${counter}))`
}

/**
 * Takes out of the buffered records what their histories say of our own instance beyond what left: entries are
 * dropped, and a record that is new here and named us as its author becomes a version of ours. One that meets a
 * record stays as it is, and is a conflict.
 */
export async function dropForgedEntries(
  turn: Turn,
  context: EngineContext,
  options: TransferContext,
  range: IncomingRange,
  { own }: HistoryTrust,
  stamp: Stamp,
): Promise<void> {
  if (own === undefined) return
  const { trx } = turn
  const { dialect } = context.database
  const entry = dialect.numberAt(sql`i.counters`, sql`${own.instance}`)
  const forged = await sql<{ id: string; counters: string }>`select i.id, i.counters from morango_incoming i
    where ${inRange(range)} and i.counters is not null and ${entry} > ${own.left}`.execute(trx)
  for (const { id, counters } of forged.rows) {
    const { [own.instance]: _, ...rest } = parseCounters(counters)
    const text = Object.keys(rest).length === 0 ? null : JSON.stringify(rest)
    await sql`update morango_incoming set counters = ${text}
      where transfer_session_id = ${range.session} and id = ${id}`.execute(trx)
  }
  const named = sql<boolean>`(i.last_saved_instance = ${own.instance} and i.last_saved_counter > ${own.left})`
  const counted = await sql<{ count: number }>`select count(*) as count from morango_incoming i
    where ${inRange(range)} and ${named}`.execute(trx)
  const authored = Number(counted.rows[0]?.count ?? 0)
  if (authored > 0) {
    await sql`update morango_incoming as i set last_saved_counter = ${stamp.counter}
      where ${inRange(range)} and ${named} and not exists (
        select 1 from morango_store s where s.id = i.id)`.execute(trx)
  }
  const records = forged.rows.length + authored
  if (records > 0) await noteForged(turn, context, options, records)
}

async function noteForged(
  turn: Turn,
  context: EngineContext,
  { transferSessionId }: TransferContext,
  records: number,
): Promise<void> {
  const certificate = (await peerCertificateId(turn.trx, transferSessionId)) ?? ''
  const detail = `The histories of ${records} records name versions of this instance that never left it.`
  const happenedAt = context.clock.now().toISOString()
  await turn.aside((db) => noteDoubt(db, { certificate, kind: 'forged-history', detail, happenedAt }))
  context.onWarning?.({
    code: 'history-not-believed',
    message: `The peer with certificate ${certificate} is not believed. ${detail}`,
  })
}

interface MetRow {
  readonly id: string
  readonly profile: string
  readonly model_name: string
  readonly partition: string
  readonly our_instance: string
  readonly our_counter: number
  readonly our_serialized: string
  readonly our_deleted: Flag
  readonly their_instance: string
  readonly their_counter: number
  readonly their_serialized: string
  readonly their_deleted: Flag
}

/**
 * Keeps records that are about to be dropped as known, as conflicts, where a history alone says so: it has an instance
 * at a counter above all that is claimed of it, so it may be forged, and the content is another. Touches the conflict
 * log.
 *
 * @param isKnown - condition on the Store's `s` and the buffered `i`
 */
export async function keepDoubtfullyKnown(
  trx: Kysely<Schema>,
  context: EngineContext,
  options: TransferContext,
  range: IncomingRange,
  isKnown: RawBuilder<boolean>,
): Promise<void> {
  const { dialect } = context.database
  const claimed = await sql<{ instance: string; counter: number }>`select c.instance_id as instance,
      max(c.counter) as counter from morango_database_max_counter c
    where c.instance_id in (select distinct i.last_saved_instance from morango_incoming i where ${inRange(range)})
    group by c.instance_id`.execute(trx)
  const claims = Object.fromEntries(claimed.rows.map(({ instance, counter }) => [instance, counter]))
  const limit = sql`coalesce(${dialect.numberAt(sql`${JSON.stringify(claims)}`, sql`i.last_saved_instance`)}, 0)`
  const found = await sql<MetRow>`select s.id, s.profile, s.model_name, s.partition,
      s.last_saved_instance as our_instance, s.last_saved_counter as our_counter,
      s.serialized as our_serialized, s.deleted as our_deleted,
      i.last_saved_instance as their_instance, i.last_saved_counter as their_counter,
      i.serialized as their_serialized, i.deleted as their_deleted
    from morango_incoming i join morango_store s on s.id = i.id
    where ${inRange(range)} and ${isKnown} and s.hard_deleted = 0 and i.hard_deleted = 0
      and (s.serialized <> i.serialized or s.deleted <> i.deleted)
      and ((s.last_saved_instance = i.last_saved_instance and s.last_saved_counter > ${limit})
        or exists (select 1 from morango_record_max_counter r where r.store_id = i.id
          and r.instance_id = i.last_saved_instance and r.counter > ${limit}))
    order by s.id`.execute(trx)
  const conflicts = found.rows.map((row) => ({
    profile: row.profile,
    model: row.model_name,
    recordId: row.id,
    partition: row.partition,
    resolution: 'ours-kept' as const,
    ours: {
      instance: row.our_instance,
      counter: row.our_counter,
      serialized: row.our_serialized,
      deleted: row.our_deleted === 1,
    },
    theirs: {
      instance: row.their_instance,
      counter: row.their_counter,
      serialized: row.their_serialized,
      deleted: row.their_deleted === 1,
    },
    result: row.our_serialized,
    transferSessionId: options.transferSessionId,
  }))
  await noteConflicts(trx, dialect, conflicts, context.clock.now().toISOString())
}
