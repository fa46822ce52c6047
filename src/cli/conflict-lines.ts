import type { Conflict, ConflictDetails, ConflictField, ConflictSide } from '../storage/conflicts.ts'
import { count, counted, localTime, oneLine, truncate, wrap } from './format.ts'

/** Conflicts in a few lines each, out of `total`. */
export function conflictLines(conflicts: readonly Conflict[], total: number, width: number): string[] {
  if (conflicts.length === 0) return ['No conflicts.']
  const shown = conflicts.length < total ? `${count(conflicts.length)} of ` : ''
  const lines = [`${shown}${counted(total, 'conflict')}, the latest first.`]
  for (const conflict of conflicts) lines.push('', ...aboutLines(conflict, width))
  return [...lines, '', 'Both contents: morango conflicts show ID']
}

/** One conflict with both contents: fields that are the same are told in one line. */
export function conflictDetailLines(conflict: ConflictDetails, width: number): string[] {
  const { ours, theirs, certificateId } = conflict
  const lines = [
    ...aboutLines(conflict, width),
    `  ours    ${sideText(ours)}`,
    `  theirs  ${sideText(theirs)}`,
    ...(certificateId === undefined ? [] : [`          brought with certificate ${oneLine(certificateId)}`]),
  ]
  const different = conflict.fields.filter(({ differs }) => differs)
  for (const field of different) lines.push('', oneLine(field.field), ...fieldLines(field, width))
  const same = conflict.fields.filter(({ differs }) => !differs).map(({ field }) => oneLine(field))
  if (same.length > 0) lines.push('', ...wrap(`The same on both sides: ${same.join(', ')}`, width - 1))
  return lines
}

function aboutLines(conflict: Conflict, width: number): string[] {
  const { id, model, recordId, happenedAt, state } = conflict
  const settled = state === 'open' ? '' : `; ${state}`
  return [
    `${id}  ${oneLine(model)} ${oneLine(recordId)}`,
    ...wrap(`${localTime(happenedAt)}: ${outcome(conflict)}${settled}`, width - 3).map((line) => `  ${line}`),
  ]
}

function outcome({ resolution, lost, theirs }: Conflict): string {
  const other = oneLine(theirs.instance)
  switch (resolution) {
    case 'ours-kept':
      return `ours was kept over that of instance ${other}`
    case 'merged':
      return `merged with that of instance ${other}`
    case 'edit-kept':
      return `edited here before the version of instance ${other} was applied; the edit was kept`
    case 'deletion-won':
      return lost === 'ours'
        ? `the deletion by instance ${other} won over our edit`
        : `our deletion won over the edit of instance ${other}`
  }
}

function sideText({ instance, counter, deleted }: ConflictSide): string {
  return `instance ${oneLine(instance)}, counter ${counter}${deleted ? ', deleted' : ''}`
}

function fieldLines({ ours, theirs, result }: ConflictField, width: number): string[] {
  const value = (title: string, json: string | undefined): string =>
    truncate(`  ${title.padEnd(6)}  ${json === undefined ? '(not there)' : oneLine(json)}`, width - 1)
  return [value('ours', ours), value('theirs', theirs), value('result', result)]
}
