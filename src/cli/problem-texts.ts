import type { Problem } from '../storage/problems.ts'
import { count, counted, localTime, oneLine, sentence, wrap } from './format.ts'

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
  const lines = [`${shown}${counted(total, 'problem')}, the latest first. Each is tried again at every sync.`]
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
