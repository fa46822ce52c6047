import type { ProblemDetails, RowValues } from '../storage/problem-details.ts'
import type { Problem } from '../storage/problems.ts'
import { count, counted, localTime, oneLine, sentence, truncate, wrap } from './format.ts'

/** How many records wait, by what they wait for. */
export interface ProblemCounts {
  readonly unserialized: number
  readonly undeserialized: number
}

/** What waits, in words: nothing when nothing does. */
export function problemSentences({ unserialized, undeserialized }: ProblemCounts): string[] {
  const sentences: string[] = []
  if (undeserialized > 0) sentences.push(`${counted(undeserialized, 'received record')} could not be applied`)
  if (unserialized > 0) sentences.push(`${counted(unserialized, 'changed row')} could not be sent`)
  return sentences
}

/** Problems in a few lines each, out of `total`. */
export function problemLines(problems: readonly Problem[], total: number, width: number): string[] {
  if (problems.length === 0) return ['No problems: nothing waits to be sent or applied.']
  const shown = problems.length < total ? `${count(problems.length)} of ` : ''
  const lines = [`${shown}${counted(total, 'problem')}, the latest first. Each is tried again by itself.`]
  for (const problem of problems) {
    const { kind, model, id, partition, code, message, firstSeen, tries } = problem
    const what = kind === 'not-applied' ? 'received, not applied' : 'changed here, not sent'
    lines.push('', oneLine(`${model} ${id}`))
    const reason = sentence(oneLine(message))
    lines.push(...wrap(`${what}: ${reason} [${oneLine(code)}]`, width - 3).map((line) => `  ${line}`))
    if (partition !== undefined && partition !== '') lines.push(`  partition ${oneLine(partition)}`)
    lines.push(`  since ${localTime(firstSeen)}, tried ${tries === 1 ? 'once' : `${tries} times`}`)
  }
  return lines
}

/** One problem with all there is to see of it. */
export function problemDetailLines(details: ProblemDetails, width: number): string[] {
  const [, , ...about] = problemLines([details], 1, width)
  const lines = [...about, `  last seen ${localTime(details.lastSeen)}`]
  for (const { column, model, id, state } of details.missingParents) {
    lines.push(
      '',
      ...wrap(`${oneLine(column)} refers to ${oneLine(model)} ${oneLine(id)}, ${STATES[state]}.`, width),
    )
  }
  for (const { columns, id, row } of details.clashes) {
    const what = columns.join(', ')
    lines.push('', ...wrap(`This row has the same ${oneLine(what)}: ${oneLine(id)}`, width))
    lines.push(...valueLines(row, width))
  }
  if (details.stored !== undefined) {
    const what =
      details.kind === 'not-applied' ? 'The record as it arrived:' : 'The record as it was sent last:'
    lines.push('', what, ...wrapText(oneLine(details.stored), width - 2).map((line) => `  ${line}`))
  }
  if (details.row === undefined) lines.push('', 'There is no row of this id here.')
  else lines.push('', 'The row as it is here:', ...valueLines(details.row, width))
  return lines
}

const STATES = {
  waits: 'which has arrived and waits with a problem of its own',
  deleted: 'which was deleted',
  'not-here': 'which has not arrived here',
} as const

function valueLines(row: RowValues, width: number): string[] {
  const names = Object.keys(row).map(oneLine)
  const longest = Math.max(0, ...names.map(({ length }) => length))
  return Object.values(row).map((value, index) =>
    truncate(`  ${(names[index] ?? '').padEnd(longest)}  ${oneLine(valueText(value))}`, width - 1),
  )
}

function valueText(value: unknown): string {
  if (value === null) return 'null'
  if (value instanceof Uint8Array) return `${value.length} bytes`
  return typeof value === 'string' ? value : typeof value === 'bigint' ? `${value}` : JSON.stringify(value)
}

// A JSON text may have no spaces to break it at.
function wrapText(text: string, width: number): string[] {
  return wrap(text, width).flatMap((line) => line.match(new RegExp(`.{1,${width}}`, 'gu')) ?? [''])
}
