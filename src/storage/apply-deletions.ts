import { sql } from 'kysely'
import type { CompiledModel, RecordIdentity } from '../models/compiled.ts'
import { readElsewhere } from './content-check.ts'
import type { EngineContext } from './context.ts'
import {
  type Fallen,
  type Reach,
  reachProblem,
  REACHES_FURTHER,
  readFallen,
  unserializedProblem,
} from './deletion-reach.ts'
import { clearDirty, type Failure, keepDirty } from './dirty.ts'
import { noteFallen } from './deletion-source.ts'
import { isolateFaults, RowsRefused } from './savepoint.ts'
import { serializeIn } from './serialize.ts'
import { hardenLog, logPosition, unlog, unlogWaiting, waitingFell } from './tracking.ts'
import type { Turn } from './turn.ts'
import { releasedOf, stampReleased } from './withheld.ts'

/** What rows are deleted for. */
export interface DeletionOptions {
  /** What falls with these records falls as hard as they did. */
  readonly hard: boolean
  readonly reach: Reach
  /** Nothing is applied after this. */
  readonly last: boolean
}

/** The rows took others with them that had changes of their own. */
class UnserializedFell extends RowsRefused {
  readonly fallen: readonly Fallen[]

  constructor(fallen: readonly Fallen[]) {
    super('Rows with changes that are not serialized would fall')
    this.fallen = fallen
  }
}

/** The rows took others with them that they must not. */
class ReachedFurther extends RowsRefused {}

/**
 * Deletes the application rows of records that arrived as deleted. These are not the application's deletions
 * and leave no trace in the change log; rows of others that fall with them by cascade are, and do.
 *
 * A row of which a later version waits may be elsewhere by that, so what it would fall with is not deleted before that
 * version is applied. What still falls then is no deletion of its record: that waits, with its reason.
 *
 * @param options.last nothing is applied after this: what cannot be deleted is kept with its reason. Otherwise it is
 *   returned, to be tried once more.
 */
export async function applyDeletions(
  turn: Turn,
  context: EngineContext,
  model: CompiledModel,
  labels: readonly RecordIdentity[],
  options: DeletionOptions,
): Promise<{ deleted: number; failed: readonly Failure[] }> {
  const { trx } = turn
  const { dialect } = context.database
  const since = await logPosition(trx)
  const { deleted, failed } = await deleteRows(turn, context, model, labels, options)
  await unlog(trx, dialect, model.name, JSON.stringify(deleted), since)
  const released = await releasedOf(turn, dialect, labels, deleted, options.reach)
  await stampReleased(turn, dialect, released)
  await clearDirty(trx, dialect, model, deleted)
  if (options.last) await keepDirty(trx, dialect, model, failed, context.clock.now().toISOString())
  return { deleted: deleted.length, failed }
}

/**
 * Deletes rows with what falls with them by foreign keys, unless that reaches where it must not (protocol §11). What
 * falls and had changes of its own is serialized before, whatever the filter, so that the changes are in the Store. The
 * change log says afterwards what fell; also by triggers, and by way of tables that do not sync.
 *
 * @returns the ids of the rows deleted, and why others are not
 */
export async function deleteRows(
  turn: Turn,
  context: EngineContext,
  model: CompiledModel,
  labels: readonly RecordIdentity[],
  options: DeletionOptions,
): Promise<{ deleted: string[]; failed: Failure[] }> {
  const { trx } = turn
  const { dialect } = context.database
  const failures = new Map<string, Failure>()
  const foreign = await readElsewhere(trx, dialect, model, labels)
  for (const [id, why] of foreign) failures.set(id, foreignRow(id, why))
  const ids = labels.flatMap(({ id }) => (foreign.has(id) ? [] : [id]))
  const unserialized = await attempt(turn, context, model, ids, options, failures)
  if (unserialized.size > 0) {
    // Of whatever partitions they are.
    turn.alone()
    const only = [...unserialized.values()].flatMap((fallen) => fallen.map(({ id }) => id))
    await serializeIn(turn, context, { profile: model.profile, raise: 'if-needed', only })
    for (const id of unserialized.keys()) failures.delete(id)
    await attempt(turn, context, model, [...unserialized.keys()], options, failures)
  }
  const deleted = ids.filter((id) => !failures.has(id))
  return { deleted, failed: [...failures.values()] }
}

/** @returns those not deleted because of changes that are not serialized, with the rows that have them */
async function attempt(
  { trx }: Turn,
  context: EngineContext,
  model: CompiledModel,
  ids: readonly string[],
  { hard, reach, last }: DeletionOptions,
  failures: Map<string, Failure>,
): Promise<Map<string, readonly Fallen[]>> {
  const { dialect } = context.database
  const unserialized = new Map<string, readonly Fallen[]>()
  await isolateFaults(
    trx,
    dialect,
    ids,
    async (some) => {
      const since = await logPosition(trx)
      await sql`delete from ${sql.id(model.table)}
        where id in (select ${sql.raw(model.id.cast('value'))} from ${dialect.list(JSON.stringify(some))})`.execute(
        trx,
      )
      if (!last && (await waitingFell(trx, since))) throw new RowsRefused('Later versions wait')
      const fallen = await readFallen(trx, dialect, since, model.name, some)
      if (fallen.length === 0) return
      const changed = fallen.filter((row) => row.unserialized)
      if (changed.length > 0) throw new UnserializedFell(changed)
      const problem = reachProblem(reach, fallen)
      if (problem !== undefined) throw new ReachedFurther(problem)
      if (last) await unlogWaiting(trx, since)
      if (hard) await hardenLog(trx, since)
      // Their own deletions have arrived as well.
      for (const row of fallen)
        if (row.deleted) await unlog(trx, dialect, row.model, JSON.stringify([row.id]), since)
      const others = fallen.flatMap(({ id, deleted }) => (deleted ? [] : [id]))
      await noteFallen(trx, dialect, others, reach.transfer)
    },
    (id, error) => {
      if (error instanceof UnserializedFell) {
        unserialized.set(id, error.fallen)
        failures.set(id, { id, code: REACHES_FURTHER, message: unserializedProblem(error.fallen) })
      } else if (error instanceof ReachedFurther) {
        failures.set(id, { id, code: REACHES_FURTHER, message: error.message })
      } else {
        const message = `The row cannot be deleted: ${error.message}`
        failures.set(id, { id, code: 'still-referenced', message })
      }
    },
  )
  return unserialized
}

/** The reason of a record whose row cannot be touched, because it is another one's. */
export function foreignRow(id: string, why: string): Failure {
  return {
    id,
    code: 'row-elsewhere',
    message: `The row of this id is another record's, and stays: ${why}`,
    waitsFor: id,
  }
}
