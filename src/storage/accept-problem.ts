import { sql } from 'kysely'
import { MorangoError } from '../core/errors.ts'
import type { CompiledModel } from '../models/compiled.ts'
import { applyDeletions, deleteRows } from './apply-deletions.ts'
import type { EngineContext } from './context.ts'
import { FULL_REACH, REACHES_FURTHER } from './deletion-reach.ts'
import { clearDirty } from './dirty.ts'
import { foldNow } from './fold-now.ts'
import { locksFor } from './partition-locks.ts'
import type { Flag } from './schema.ts'
import { serializeIn } from './serialize.ts'
import { readAside } from './set-aside.ts'
import { takeIn } from './take-in.ts'
import { logChange } from './tracking.ts'
import { inTurn, type Turn } from './turn.ts'

interface Waiting {
  readonly profile: string
  readonly sourceId: string
  readonly partition: string
  readonly deleted: Flag
  readonly hard: Flag
}

/**
 * The operator decides for what waits. A record whose id is taken takes the place of the one that has it, which is set
 * aside. A deletion that reaches further than its sender may is carried out as this device's own, with all that falls.
 *
 * @throws MorangoError `unknown-problem`; `not-restorable` when there is nothing to decide, or it cannot be done now
 */
export async function acceptProblem(context: EngineContext, modelName: string, id: string): Promise<void> {
  await foldNow(context.database)
  const needs = { locks: locksFor(undefined, 'exclusive'), fold: true, stamps: 0 }
  await inTurn(context.database, needs, async (turn) => {
    const [aside] = (await readAside(turn.trx, id)).filter(
      (row) => row.model_name === modelName && row.deleted === 0,
    )
    if (aside !== undefined) {
      await serializeIn(turn, context, { profile: aside.profile, raise: 'if-needed', only: [id] })
      await takeIn(turn, context, aside)
      return
    }
    await acceptDeletion(turn, context, modelName, id)
  })
}

async function acceptDeletion(turn: Turn, context: EngineContext, name: string, id: string): Promise<void> {
  const found = await sql<
    Waiting & { readonly code: string | null }
  >`select s.profile, s.source_id as "sourceId",
      s.partition, s.deleted, s.hard_deleted as hard, d.error_code as code
    from morango_dirty d join morango_store s on s.no = d.store_no
    where s.id = ${id} and d.model_name = ${name}`.execute(turn.trx)
  const [waiting] = found.rows
  const model = waiting === undefined ? undefined : context.profiles.get(waiting.profile)?.model(name)
  if (waiting === undefined || model === undefined) {
    throw new MorangoError('unknown-problem', `${name} ${id} has no problem here that could be accepted.`, {
      hint: 'List those there are with `morango problems`.',
    })
  }
  if (waiting.code !== REACHES_FURTHER) {
    throw new MorangoError('not-restorable', `The problem of ${name} ${id} is none that can be accepted.`, {
      hint: 'Mend its reason: `morango problems show` says what is in its way.',
    })
  }
  const problem = await carryOut(turn, context, model, { ...waiting, id })
  if (problem === undefined) return
  throw new MorangoError('not-restorable', `${name} ${id} cannot be deleted: ${problem}`, {
    hint: 'Mend that reason, then do the same again.',
  })
}

async function carryOut(
  turn: Turn,
  context: EngineContext,
  model: CompiledModel,
  { id, sourceId, partition, deleted, hard }: Waiting & { readonly id: string },
): Promise<string | undefined> {
  const label = { id, sourceId, partition }
  const options = { hard: hard === 1, reach: FULL_REACH, last: true }
  if (deleted === 1) {
    const { failed } = await applyDeletions(turn, context, model, [label], options)
    return failed[0]?.message
  }
  // It refers to a deleted record, and is deleted in turn.
  const { failed } = await deleteRows(turn, context, model, [label], options)
  if (failed[0] !== undefined) return failed[0].message
  await logChange(turn.trx, model.name, id, false)
  await clearDirty(turn.trx, context.database.dialect, model, [id])
  return undefined
}
