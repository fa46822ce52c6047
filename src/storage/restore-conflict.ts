import { type Kysely, sql } from 'kysely'
import { MorangoError } from '../core/errors.ts'
import type { CompiledModel } from '../models/compiled.ts'
import { type ConflictRow, readConflictRow, settleConflict, toConflict } from './conflicts.ts'
import type { EngineContext } from './context.ts'
import { requireContent } from './content-check.ts'
import { decodeRow, shapeOf } from './decode-record.ts'
import { tryRows } from './savepoint.ts'
import type { Schema } from './schema.ts'
import { inTransaction } from './transaction.ts'
import { upsertRows } from './upsert-rows.ts'

/**
 * Writes the content that lost a conflict into the table, as if the application had: triggers log it, and the next
 * sync takes it on as a new version.
 *
 * @param side which content; undefined: the one that lost
 * @throws MorangoError `unknown-conflict`; `invalid-argument` when no side is named and both were merged;
 *   `not-restorable` when the row cannot be written
 */
export async function restoreConflict(
  context: EngineContext,
  id: number,
  side: 'ours' | 'theirs' | undefined,
): Promise<void> {
  const { kysely, dialect } = context.database
  await inTransaction(kysely, dialect, async (trx) => {
    const conflict = await readConflictRow(trx, id)
    const model = modelOf(context, conflict)
    const serialized = contentOf(conflict, side ?? toConflict(conflict).lost)
    const label = await readLabel(trx, conflict)
    const row = await decodeRow(model, shapeOf(model), { ...label, id: conflict.record_id, serialized })
    if ('code' in row) throw notRestorable(id, row.message)
    const error = await tryRows(trx, dialect, async () => {
      await upsertRows(trx, dialect, model, [row])
      await requireContent(trx, dialect, model, [row])
    })
    if (error !== undefined) throw notRestorable(id, error.message)
    await settleConflict(trx, id, 'restored', context.clock.now().toISOString())
  })
}

function contentOf(conflict: ConflictRow, side: 'ours' | 'theirs' | undefined): string {
  if (side === 'ours') return conflict.our_serialized
  if (side === 'theirs') return conflict.their_serialized
  throw new MorangoError('invalid-argument', `Conflict ${conflict.no} was merged: neither side has lost.`, {
    hint: 'Say which side to restore: ours or theirs.',
  })
}

function modelOf({ profiles }: EngineContext, conflict: ConflictRow): CompiledModel {
  const model = profiles.get(conflict.profile)?.model(conflict.model_name)
  if (model !== undefined) return model
  throw notRestorable(conflict.no, `this application has no model ${conflict.model_name}`)
}

async function readLabel(
  trx: Kysely<Schema>,
  conflict: ConflictRow,
): Promise<{ readonly sourceId: string; readonly partition: string }> {
  const found = await sql<{ sourceId: string; partition: string }>`
    select source_id as "sourceId", partition from morango_store where id = ${conflict.record_id}`.execute(
    trx,
  )
  return found.rows[0] ?? { sourceId: '', partition: conflict.partition }
}

function notRestorable(id: number, why: string): MorangoError {
  return new MorangoError('not-restorable', `Conflict ${id} cannot be restored: ${why}`, {
    hint: 'Mend the reason, or take over by hand what `morango conflicts show` prints.',
  })
}
