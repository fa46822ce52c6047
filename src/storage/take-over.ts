import { type Kysely, sql } from 'kysely'
import type { TransferContext } from '../session/ports.ts'
import { forgetConflicts } from './conflict-log.ts'
import { raiseHistory } from './counters.ts'
import type { Dialect } from './dialect.ts'
import { markDirty } from './dirty.ts'
import { type IncomingRange, inRange } from './incoming.ts'
import { countSaved } from './saved-partitions.ts'
import type { Schema } from './schema.ts'
import { snapshotQueued } from './snapshot.ts'
import { STORE_COLUMNS, STORE_REPLACE } from './store-rows.ts'

/** How many of the buffered records have a version in the Store. */
export async function countPresent(trx: Kysely<Schema>, range: IncomingRange): Promise<number> {
  const result = await sql<{ count: number }>`select count(*) as count from morango_incoming i
    where ${inRange(range)} and exists (select 1 from morango_store s where s.id = i.id)`.execute(trx)
  return Number(result.rows[0]?.count ?? 0)
}

/** How many of a range are new, and how many take the place of an earlier version. */
export interface TakenOver {
  readonly created: number
  readonly replaced: number
}

/** Takes over what is left in the Buffer, new or with our version in its history, whole. */
export async function takeOver(
  trx: Kysely<Schema>,
  dialect: Dialect,
  { profile, transferSessionId }: TransferContext,
  range: IncomingRange,
  { created, replaced }: TakenOver,
): Promise<void> {
  if (created + replaced === 0) return
  if (replaced > 0) {
    const earlier = sql`select s.id, s.last_saved_instance, s.last_saved_counter, s.partition from morango_incoming i
      join morango_store s on s.id = i.id where ${inRange(range)}`
    await countSaved(trx, dialect, earlier, 'out')
    await keepQueued(trx, dialect, range)
  }
  const arriving = sql`select i.id, i.last_saved_instance, i.last_saved_counter, i.partition
    from morango_incoming i where ${inRange(range)}`
  await countSaved(trx, dialect, arriving, 'in')
  const columns = STORE_COLUMNS.map((name) =>
    name === 'profile'
      ? sql`${profile}`
      : name === 'last_transfer_session_id'
        ? sql`${transferSessionId}`
        : sql`i.${sql.id(name)}`,
  )
  const before = await lastNumber(trx)
  // Numbered by partition: rows that are applied one after the other refer to the same few, and so lie together.
  await sql`insert into morango_store (${sql.join(STORE_COLUMNS.map((name) => sql.id(name)))})
    select ${sql.join(columns)} from morango_incoming i where ${inRange(range)}
    order by i.model_name, i.partition, i.id ${sql.raw(STORE_REPLACE)}`.execute(trx)
  await sql`insert into morango_record_max_counter (store_id, instance_id, counter, partition)
    select i.id, m.key, cast(m.value as integer), i.partition
    from morango_incoming i, ${dialect.members(sql`i.counters`)} m
    where ${inRange(range)} and i.counters is not null
    on conflict (store_id, instance_id) do update set counter = ${raiseHistory(dialect)}`.execute(trx)
  // The last-saved pair stands in the Store; an entry of the same instance is older than it.
  await sql`delete from morango_record_max_counter where (store_id, instance_id) in (
    select i.id, i.last_saved_instance from morango_incoming i
    where ${inRange(range)} and i.counters is not null)`.execute(trx)
  await sql`delete from morango_outgoing_snapshot where store_id in (select i.id from morango_incoming i
    where ${inRange(range)} and i.hard_deleted = 1)`.execute(trx)
  await forgetConflicts(
    trx,
    sql`select i.id from morango_incoming i where ${inRange(range)} and i.hard_deleted = 1`,
  )
  // New ones are the last in the Store, for whoever writes here as well is not seen: they need not be looked up.
  const taken =
    replaced === 0
      ? sql`select model_name, no, deleted from (select model_name, no, deleted from morango_store
          where no > ${before} order by no limit ${created}) s`
      : sql`select i.model_name, s.no, i.deleted from morango_incoming i join morango_store s on s.id = i.id
          where ${inRange(range)}`
  await markDirty(trx, taken)
}

async function lastNumber(trx: Kysely<Schema>): Promise<number> {
  const result = await sql<{ no: number | null }>`select max(no) as no from morango_store`.execute(trx)
  return Number(result.rows[0]?.no ?? 0)
}

// Other transfers send these records as they were when queued.
async function keepQueued(trx: Kysely<Schema>, dialect: Dialect, range: IncomingRange): Promise<void> {
  const queued = await sql<{ id: string }>`select distinct i.id from morango_outgoing o
    join morango_store s on s.no = o.store_no
    join morango_incoming i on i.id = s.id and ${inRange(range)}`.execute(trx)
  if (queued.rows.length > 0) {
    await snapshotQueued(trx, dialect, JSON.stringify(queued.rows.map((row) => row.id)))
  }
}
