import type { Explanation, Link, LinkName, LinkState } from '../session/explanation.ts'
import { forTerminal } from './failure.ts'
import { localTime, oneLine, sentence, wrap } from './format.ts'
import type { Paint } from './paint.ts'

const NAMES: Readonly<Record<LinkName, string>> = {
  row: 'row',
  deletion: 'deletion',
  tracking: 'tracking',
  change: 'change',
  serialization: 'store',
  filter: 'filter',
  certificates: 'certificates',
  claim: 'peer has it',
  transfer: 'transfer',
  application: 'applied',
  conflict: 'conflict',
}

const MARKS: Readonly<Record<LinkState, string>> = {
  ok: 'ok',
  failed: 'FAILS',
  unknown: '?',
  'not-applicable': '-',
}

const INDENT = 21

/** Why a record did not sync: the answer first, then the chain. */
export function explanationLines(
  explanation: Explanation,
  { width, paint }: { readonly width: number; readonly paint: Paint },
): string[] {
  const { verdict, links, model, id, peer } = explanation
  const failed = verdict.link !== undefined
  const answer = wrap(sentence(oneLine(verdict.sentence)), width - 1)
  const lines = answer.map((line) => (failed ? paint.yellow(line) : paint.bold(line)))
  if (verdict.hint !== undefined) lines.push(...wrap(sentence(oneLine(forTerminal(verdict.hint))), width - 1))
  lines.push('', ...field('record', `${oneLine(model)} ${oneLine(id)}`, width))
  if (peer !== undefined) {
    const { instance, url, asked, lastTransferAt } = peer
    const when =
      lastTransferAt === undefined ? 'never synced with' : `last transfer ${localTime(lastTransferAt)}`
    const who = [instance?.name, instance?.hostname, oneLine(url)].flatMap((part) =>
      part ? [oneLine(part)] : [],
    )
    lines.push(...field('peer', `${who.join(', ')}; ${asked ? 'asked now' : when}`, width))
  }
  if (links.length > 0) lines.push('')
  for (const link of links) lines.push(...linkLines(link, width, paint))
  return lines
}

function linkLines({ link, state, sentence: text }: Link, width: number, paint: Paint): string[] {
  const head = `${MARKS[state].padEnd(6)} ${NAMES[link].padEnd(13)} `
  const [first = '', ...rest] = wrap(sentence(oneLine(text)), width - INDENT - 1)
  const lines = [head + first, ...rest.map((line) => ' '.repeat(INDENT) + line)]
  if (state === 'failed') return lines.map((line) => paint.yellow(line))
  return state === 'ok' ? lines : lines.map((line) => paint.dim(line))
}

function field(name: string, text: string, width: number): string[] {
  const [first = '', ...rest] = wrap(text, width - 9)
  return [name.padEnd(8) + first, ...rest.map((line) => ' '.repeat(8) + line)]
}
