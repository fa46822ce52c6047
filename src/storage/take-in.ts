import { type Kysely, sql } from 'kysely'
import { MorangoError } from '../core/errors.ts'
import { fullHistory } from '../core/merge.ts'
import type { SqlValue } from '../models/compiled.ts'
import type { EngineContext } from './context.ts'
import { markDirtyByIds } from './dirty.ts'
import { parseCounters } from './outgoing.ts'
import { insertRows } from './rows.ts'
import { countSaved, forgetEmptyPartitions, savedVersions } from './saved-partitions.ts'
import { OWN_TYPES, type Schema } from './schema.ts'
import { type AsideRow, dropAside, keepAside } from './set-aside.ts'
import { forgetContent, historyOf, snapshotQueued } from './snapshot.ts'
import { STORE_COLUMNS } from './store-rows.ts'
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
  const { trx } = turn
  const { dialect } = context.database
  turn.alone()
  const ids = JSON.stringify([aside.id])
  const found = await sql<
    AsideRow & { readonly no: number }
  >`select s.*, ${historyOf(dialect, sql`s.id`)} as counters
    from morango_store s where s.id = ${aside.id}`.execute(trx)
  const [present] = found.rows
  const stamp = await turn.stamp()
  if (present !== undefined) {
    await requireReplaceable(trx, aside, present)
    await snapshotQueued(trx, dialect, ids)
    await countSaved(trx, savedVersions(dialect, ids), 'out')
    if (present.deleted === 0) {
      await keepAside(trx, present, 'replaced', { certificate: null, now: context.clock.now().toISOString() })
    }
    await sql`delete from morango_record_max_counter where store_id = ${aside.id}`.execute(trx)
    await sql`delete from morango_dirty where store_no = ${present.no}`.execute(trx)
    await forgetContent(trx, dialect, ids)
  }
  const counters = fullHistory({
    lastSavedInstance: aside.last_saved_instance,
    lastSavedCounter: Number(aside.last_saved_counter),
    counters: aside.counters === null ? {} : parseCounters(aside.counters),
  })
  const values: Record<string, SqlValue> = {}
  for (const [name, value] of Object.entries(aside)) values[name] = value
  values['last_saved_instance'] = stamp.instance
  values['last_saved_counter'] = stamp.counter
  const suffix = `on conflict (id) do update set ${STORE_COLUMNS.filter((name) => name !== 'id')
    .map((name) => `${name} = excluded.${name}`)
    .join(', ')}`
  const target = { table: 'morango_store', columns: STORE_COLUMNS, types: OWN_TYPES, suffix }
  await insertRows(trx, dialect, target, [STORE_COLUMNS.map((name) => values[name] ?? null)])
  await countSaved(trx, savedVersions(dialect, ids), 'in')
  await forgetEmptyPartitions(trx)
  const history = Object.entries(counters).flatMap(([instance, counter]): SqlValue[][] =>
    instance === stamp.instance ? [] : [[aside.id, instance, counter, aside.partition]],
  )
  const columns = ['store_id', 'instance_id', 'counter', 'partition']
  await insertRows(trx, dialect, { table: 'morango_record_max_counter', columns, types: OWN_TYPES }, history)
  await markDirtyByIds(trx, dialect, ids)
  await dropAside(trx, aside)
}

async function requireReplaceable(
  trx: Kysely<Schema>,
  aside: AsideRow,
  present: AsideRow & { readonly no: number },
): Promise<void> {
  if (present.deleted === 0 && present.model_name !== aside.model_name) {
    throw new MorangoError(
      'not-restorable',
      `The id ${aside.id} is that of a record of the model ${present.model_name}, which is in another table.`,
      { hint: 'Delete that record first; the one that waits is then taken in by itself.' },
    )
  }
  const queued = await sql`select 1 from morango_outgoing where store_no = ${present.no} limit 1`.execute(trx)
  if (queued.rows.length === 0) return
  throw new MorangoError('not-restorable', `The record ${aside.id} is being sent to a peer just now.`, {
    hint: 'Do the same again when that sync is over, or after `morango cleanup`.',
  })
}
