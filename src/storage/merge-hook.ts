import type { MergeChoice, StoreRecord } from '../core/merge.ts'
import { mergeObject, parseJsonExact, pythonStringify, splitObject } from '../core/python-json.ts'
import type { JsonValue } from '../core/python-json.ts'
import type { MergeSide } from '../models/compiled.ts'
import type { EngineContext } from './context.ts'

/**
 * What a conflict's result holds: what the model's `merge` hook makes of both sides, or ours without one. A
 * deletion is never merged with an edit. When the hook throws, ours is kept, as without a hook, and the
 * application is told: one bad record must not hold up its transfer.
 */
export function chooseContent(context: EngineContext, ours: StoreRecord, theirs: StoreRecord): MergeChoice {
  const model = context.profiles.get(ours.profile)?.model(ours.modelName)
  if (model?.merge === undefined || ours.deleted || theirs.deleted) return 'ours'
  try {
    const mergedValue = model.merge(sideOf(ours), sideOf(theirs))
    const present = new Map(splitObject(ours.serialized).map(({ key, raw }) => [key, raw]))
    const fields = Object.entries(mergedValue)
      .filter(([key]) => key !== 'id' && !key.startsWith('_morango_'))
      .map(([key, value]) => ({ key, raw: rawOf(value, key) }))
      .filter(({ key, raw }) => present.get(key) !== raw)
    const serialized = mergeObject(ours.serialized, fields)
    const parent = model.selfReference === undefined ? '' : mergedValue[model.selfReference]
    return { serialized, selfRefFk: typeof parent === 'string' ? parent : '' }
  } catch (cause) {
    context.onWarning?.({
      code: 'merge-hook-failed',
      message: `The merge function of model ${ours.modelName} failed for record ${ours.id}; our side was kept.`,
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
  }
}

function rawOf(value: unknown, key: string): string {
  if (!isJson(value)) throw new TypeError(`field ${key} is not a JSON value`)
  return pythonStringify(value)
}

function isJson(value: unknown): value is JsonValue {
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'boolean':
    case 'bigint':
      return true
    case 'object':
      return value === null || Object.values(value).every(isJson)
    default:
      return false
  }
}
