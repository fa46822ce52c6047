import type { Diagnosis } from '../diagnosis/diagnose.ts'
import type { Severity } from '../storage/finding.ts'
import { forTerminal } from './failure.ts'
import { counted, oneLine, wrap } from './format.ts'
import type { Paint } from './paint.ts'

const LABEL = 9
const NAME = 14

/** How a database is: a line for each check that found nothing, a few for each finding with its mend. */
export function diagnosisLines(
  { database, versions, checks }: Diagnosis,
  { width, paint }: { readonly width: number; readonly paint: Paint },
): string[] {
  const lines = [oneLine(database), paint.dim(`morango ${versions.morango}, Node ${versions.node}`), '']
  const indent = ' '.repeat(LABEL + NAME)
  const room = width - indent.length - 1
  for (const { name, findings } of checks) {
    for (const [i, { severity, sentence, mend }] of findings.entries()) {
      const head = colour(severity, severity.padEnd(LABEL), paint) + (i === 0 ? name : '').padEnd(NAME)
      const [first = '', ...more] = wrap(oneLine(sentence), room)
      lines.push(head + first, ...more.map((line) => indent + line))
      if (mend !== undefined) {
        const advice = wrap(oneLine(forTerminal(mend)), room - 2)
        lines.push(...advice.map((line, at) => paint.dim(`${indent}${at === 0 ? '> ' : '  '}${line}`)))
      }
    }
  }
  return [...lines, '', total(checks)]
}

function colour(severity: Severity, text: string, paint: Paint): string {
  if (severity === 'error') return paint.red(text)
  if (severity === 'warning') return paint.yellow(text)
  return severity === 'note' ? text : paint.dim(text)
}

function total(checks: Diagnosis['checks']): string {
  const all = checks.flatMap(({ findings }) => findings)
  const n = (severity: Severity): number => all.filter((finding) => finding.severity === severity).length
  const parts = [
    [n('error'), 'error'],
    [n('warning'), 'warning'],
    [n('note'), 'note'],
  ] as const
  const found = parts.flatMap(([many, word]) => (many === 0 ? [] : [counted(many, word)]))
  return found.length === 0 ? 'All is well.' : `${found.join(', ')}.`
}
