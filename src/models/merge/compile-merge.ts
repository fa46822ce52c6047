import { isContentField } from '../../core/content-field.ts'
import { type JsonValue, pythonStringify, rawValues } from '../../core/python-json.ts'
import type { CompiledColumn, CompiledModel } from '../compiled.ts'
import type { DeclaredTable } from '../declared-table.ts'
import type { MergeHook } from '../model.ts'
import { checkPolicies } from './check-policies.ts'
import { mergeByPolicies } from './merge-fields.ts'
import { noteEdit } from './sums.ts'

/**
 * Compiles what a model says of conflicts.
 *
 * @throws MorangoError `invalid-declaration`
 */
export function compileMerge(
  table: DeclaredTable,
  columns: readonly CompiledColumn[],
): Pick<CompiledModel, 'merge' | 'noteSums'> {
  const { merge } = table.declared
  if (merge === undefined) return { merge: undefined, noteSums: undefined }
  if (typeof merge === 'function') return { merge: mergeByHook(merge), noteSums: undefined }
  const policies = checkPolicies(table, columns, merge)
  const { summed } = policies
  return {
    merge: mergeByPolicies(columns, policies),
    noteSums:
      summed.length === 0
        ? undefined
        : ({ before, ...edit }) =>
            noteEdit(summed, { ...edit, before: before === undefined ? undefined : rawValues(before) }),
  }
}

function mergeByHook(hook: MergeHook): NonNullable<CompiledModel['merge']> {
  return (ours, theirs) => {
    const fields = Object.entries(hook(ours, theirs))
      .filter(([key]) => isContentField(key))
      .map(([key, value]) => ({ key, raw: rawOf(value, key) }))
    return { fields, settled: false, combined: false }
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
