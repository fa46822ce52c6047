import { type Kysely, sql } from 'kysely'
import { MorangoError } from '../core/errors.ts'
import { filterContains } from '../core/filter.ts'
import { type InstanceCounters, mergeCounters } from '../core/fsic.ts'
import { fullHistory } from '../core/merge.ts'
import type { SqlValue } from '../models/compiled.ts'
import type { TransferContext } from '../session/ports.ts'
import type { EngineContext } from './context.ts'
import { markDirtyByIds } from './dirty.ts'
import { type IncomingRange, inRange } from './incoming.ts'
import { parseCounters } from './outgoing.ts'
import { insertRows } from './rows.ts'
import { countSaved, forgetEmptyPartitions, savedVersions } from './saved-partitions.ts'
import { type Flag, OWN_TYPES, type Schema } from './schema.ts'
import { type AsideRow, dropAside, IS_ANOTHER, keepAside } from './set-aside.ts'
import { forgetContent, historyOf, snapshotQueued } from './snapshot.ts'
import { type RecordRow, STORE_COLUMNS } from './store-rows.ts'
import { peerCertificateId } from './transfer-peer.ts'
import type { Turn } from './turn.ts'

/**
 * Takes in records that were set aside, once the records that had their ids are deleted here, and that is applied: of
 * several that have come with one id, the first.
 */
export async function takeInFreed(turn: Turn, context: EngineContext, profile: string): Promise<void> {
  const { trx } = turn
  const any = await sql`select 1 from morango_set_aside limit 1`.execute(trx)
  if (any.rows.length === 0) return
  const freed = await sql<AsideRow>`select a.* from morango_set_aside a
    where a.profile = ${profile} and a.deleted = 0 and a.reason = 'id-taken'
      and not exists (select 1 from morango_store s where s.id = a.id and (s.deleted = 0
        or exists (select 1 from morango_dirty d where d.store_no = s.no)
        or exists (select 1 from morango_outgoing o where o.store_no = s.no)))
    order by a.id, a.first_failed_at, a.partition`.execute(trx)
  const done = new Set<string>()
  for (const row of freed.rows) {
    if (done.has(row.id)) continue
    done.add(row.id)
    await takeIn(turn, context, row)
  }
}

/**
 * Puts a record that was set aside into the Store, as a new version of ours, so that it travels. The record that is
 * there, if it lives, is set aside in its place: nothing is lost. Then deserialize.
 *
 * @throws MorangoError `not-restorable` when that cannot be now
 */
export async function takeIn(turn: Turn, context: EngineContext, aside: AsideRow): Promise<void> {
  const problem = await replacementProblem(turn.trx, aside)
  if (problem !== undefined) throw problem
  await replace(turn, context, aside, 'stamped')
}

/**
 * Takes over what another peer has put in the place of a record of ours, under the same id: where the sender knows our
 * version, and may write both partitions, so that it might as well have deleted the one and made the other.
 *
 * @returns how many there were; they leave the Buffer
 */
export async function takeReplacements(
  turn: Turn,
  context: EngineContext,
  { profile, transferSessionId }: TransferContext,
  range: IncomingRange,
): Promise<number> {
  const { trx } = turn
  const { dialect } = context.database
  const found = await sql<
    RecordRow & { readonly here: string }
  >`select i.*, '' as profile, s.partition as here
    from morango_incoming i join morango_store s on s.id = i.id where ${inRange(range)} and ${IS_ANOTHER}
      and (coalesce(${dialect.numberAt(sql`i.counters`, sql`s.last_saved_instance`)}, 0) >= s.last_saved_counter
        or (i.last_saved_instance = s.last_saved_instance and i.last_saved_counter >= s.last_saved_counter))`.execute(
    trx,
  )
  if (found.rows.length === 0) return 0
  const certificate = await peerCertificateId(trx, transferSessionId)
  const scope = certificate === undefined ? [] : ((await context.writeScope?.(trx, certificate)) ?? [])
  let taken = 0
  for (const { here, ...row } of found.rows) {
    if (!filterContains(scope, here) || !filterContains(scope, row.partition)) continue
    const incoming = { ...row, profile, last_transfer_session_id: transferSessionId }
    if ((await replacementProblem(trx, incoming)) !== undefined) continue
    await replace(turn, context, incoming, 'as-it-is')
    await sql`delete from morango_incoming where transfer_session_id = ${transferSessionId} and id = ${row.id}`.execute(
      trx,
    )
    taken += 1
  }
  return taken
}

async function replace(
  turn: Turn,
  context: EngineContext,
  aside: AsideRow,
  version: 'stamped' | 'as-it-is',
): Promise<void> {
  const { trx } = turn
  const { dialect } = context.database
  turn.alone()
  const ids = JSON.stringify([aside.id])
  const found = await sql<
    AsideRow & { readonly no: number }
  >`select s.*, ${historyOf(dialect, sql`s.id`)} as counters
    from morango_store s where s.id = ${aside.id}`.execute(trx)
  const [present] = found.rows
  const own = { instance: aside.last_saved_instance, counter: Number(aside.last_saved_counter) }
  const stamp = version === 'stamped' ? await turn.stamp() : own
  if (present !== undefined) {
    await snapshotQueued(trx, dialect, ids)
    await countSaved(trx, dialect, savedVersions(dialect, ids), 'out')
    if (present.deleted === 0) {
      await keepAside(trx, present, 'replaced', { certificate: null, now: context.clock.now().toISOString() })
    }
    await sql`delete from morango_record_max_counter where store_id = ${aside.id}`.execute(trx)
    await sql`delete from morango_dirty where store_no = ${present.no}`.execute(trx)
    await forgetContent(trx, dialect, ids)
  }
  // With the history of what it replaces, by which others see that this was known.
  const counters = mergeCounters(historyIn(aside), present === undefined ? {} : historyIn(present))
  const values: Record<string, SqlValue> = {}
  for (const [name, value] of Object.entries(aside)) values[name] = value
  values['last_saved_instance'] = stamp.instance
  values['last_saved_counter'] = stamp.counter
  const suffix = `on conflict (id) do update set ${STORE_COLUMNS.filter((name) => name !== 'id')
    .map((name) => `${name} = excluded.${name}`)
    .join(', ')}`
  const target = { table: 'morango_store', columns: STORE_COLUMNS, types: OWN_TYPES, suffix }
  await insertRows(trx, dialect, target, [STORE_COLUMNS.map((name) => values[name] ?? null)])
  await countSaved(trx, dialect, savedVersions(dialect, ids), 'in')
  await forgetEmptyPartitions(trx)
  const history = Object.entries(counters).flatMap(([instance, counter]): SqlValue[][] =>
    instance === stamp.instance ? [] : [[aside.id, instance, counter, aside.partition]],
  )
  const columns = ['store_id', 'instance_id', 'counter', 'partition']
  await insertRows(trx, dialect, { table: 'morango_record_max_counter', columns, types: OWN_TYPES }, history)
  await markDirtyByIds(trx, dialect, ids)
  await dropAside(trx, aside)
}

function historyIn(row: RecordRow): InstanceCounters {
  return fullHistory({
    lastSavedInstance: row.last_saved_instance,
    lastSavedCounter: Number(row.last_saved_counter),
    counters: row.counters === null ? {} : parseCounters(row.counters),
  })
}

/** Why a record cannot take the place of the one with its id now. */
async function replacementProblem(
  trx: Kysely<Schema>,
  { id, model_name: model }: RecordRow,
): Promise<MorangoError | undefined> {
  const found = await sql<{
    model: string
    deleted: Flag
    queued: number
  }>`select s.model_name as model, s.deleted,
      case when exists (select 1 from morango_outgoing o where o.store_no = s.no) then 1 else 0 end as queued
    from morango_store s where s.id = ${id}`.execute(trx)
  const [present] = found.rows
  if (present === undefined) return undefined
  if (present.deleted === 0 && present.model !== model) {
    return new MorangoError(
      'not-restorable',
      `The id ${id} is that of a record of the model ${present.model}, which is in another table.`,
      { hint: 'Delete that record first; the one that waits is then taken in by itself.' },
    )
  }
  if (Number(present.queued) === 0) return undefined
  return new MorangoError('not-restorable', `The record ${id} is being sent to a peer just now.`, {
    hint: 'Do the same again when that sync is over, or after `morango cleanup`.',
  })
}
