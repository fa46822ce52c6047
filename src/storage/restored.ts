import { sql } from 'kysely'
import { counterOf } from '../core/fsic.ts'
import { parseFsicV1, parseFsicV2 } from '../core/fsic-text.ts'
import type { FsicFormat } from '../session/ports.ts'
import type { EngineContext } from './context.ts'
import { currentInstance, raiseCounter, renewInstance } from './instance.ts'
import { countSaved, forgetEmptyPartitions } from './saved-partitions.ts'
import type { Turn } from './turn.ts'

/**
 * Finds out that this database was restored from a backup: a peer has seen a higher counter of ours than we have
 * ourselves. Then it goes on as a new instance, see {@link renewAfterRestore}.
 *
 * @returns whether the instance was renewed; FSICs made before are then out of date.
 */
export async function renewIfRestored(
  turn: Turn,
  context: EngineContext,
  peerFsic: string,
  format: FsicFormat,
): Promise<boolean> {
  const { id, counter, exchanged_counter: exchanged } = await currentInstance(turn.trx)
  const seen = counterIn(peerFsic, format, id)
  if (seen <= counter) return false
  await renewAfterRestore(turn, context, exchanged)
  context.onWarning?.({
    code: 'instance-renewed',
    message:
      `A peer has seen counter ${seen} of this instance, which is only at ${counter}: the database was restored ` +
      'from a backup. It goes on as a new instance.',
  })
  return true
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
  const restamped = sql`select last_saved_instance, partition from morango_store
    where last_saved_instance = ${old.id} and last_saved_counter > ${since}`
  await countSaved(trx, restamped, 'out')
  await sql`update morango_store set last_saved_instance = ${stamp.instance}, last_saved_counter = ${stamp.counter}
    where last_saved_instance = ${old.id} and last_saved_counter > ${since}`.execute(trx)
  const renewed = sql`select last_saved_instance, partition from morango_store
    where last_saved_instance = ${stamp.instance}`
  await countSaved(trx, renewed, 'in')
  await forgetEmptyPartitions(trx)
  await sql`insert into morango_database_max_counter (partition, instance_id, counter)
    select partition, ${stamp.instance}, cast(${stamp.counter} as integer) from morango_database_max_counter
    where instance_id = ${old.id}
    on conflict (partition, instance_id) do update
    set counter = ${dialect.greatest(sql`morango_database_max_counter.counter`, sql`excluded.counter`)}`.execute(
    trx,
  )
  await sql`update morango_database_max_counter set counter = ${since}
    where instance_id = ${old.id} and counter > ${since}`.execute(trx)
}

function counterIn(fsic: string, format: FsicFormat, instance: string): number {
  if (format === 'v1') return counterOf(parseFsicV1(fsic), instance) ?? 0
  const { super: above, sub } = parseFsicV2(fsic)
  const counters = [...Object.values(above), ...Object.values(sub)]
  return Math.max(0, ...counters.map((partition) => counterOf(partition, instance) ?? 0))
}
