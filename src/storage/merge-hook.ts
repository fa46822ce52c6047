import { fullHistory, type MergeChoice, type StoreRecord } from '../core/merge.ts'
import { mergeObject, parseJsonExact } from '../core/python-json.ts'
import type { MergeSide } from '../models/compiled.ts'
import type { EngineContext } from './context.ts'
import { contentElsewhere } from './decode-record.ts'
import { parentIn } from './hierarchy.ts'

/**
 * What a conflict's result holds: what the model's `merge` makes of both sides, or ours without one. A
 * deletion is never merged with an edit. When the hook throws, ours is kept, as without a hook, and the
 * application is told: one bad record must not hold up its transfer.
 *
 * @param instance - that merges
 */
export function chooseContent(
  context: EngineContext,
  ours: StoreRecord,
  theirs: StoreRecord,
  instance: string,
): MergeChoice {
  const model = context.profiles.get(ours.profile)?.model(ours.modelName)
  if (model?.merge === undefined || ours.deleted || theirs.deleted) return 'ours'
  try {
    const { fields, settled, combined } = model.merge(sideOf(ours), sideOf(theirs), instance)
    const serialized = mergeObject(ours.serialized, fields)
    // What was merged must not take the record to another partition: at every peer it would wait as a problem.
    const elsewhere = contentElsewhere(model, { ...ours, serialized })
    if (elsewhere !== undefined) throw new Error(elsewhere)
    return { serialized, selfRefFk: parentIn(serialized, model.selfReference) ?? '', settled, combined }
  } catch (cause) {
    context.onWarning?.({
      code: 'merge-hook-failed',
      message: `The merge of model ${ours.modelName} failed for record ${ours.id}; our side was kept.`,
      model: ours.modelName,
      recordId: ours.id,
      cause,
    })
    return 'ours'
  }
}

function sideOf(record: StoreRecord): MergeSide {
  const parsed = parseJsonExact(record.serialized)
  const members = typeof parsed === 'object' && parsed !== null ? Object.entries(parsed) : []
  return {
    raw: record.serialized,
    value: Object.fromEntries(members),
    instance: record.lastSavedInstance,
    counter: record.lastSavedCounter,
    history: fullHistory(record),
  }
}
