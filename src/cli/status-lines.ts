import type { Status } from '../storage/status.ts'
import { count, counted, localTime, oneLine, truncate } from './format.ts'
import type { Paint } from './paint.ts'
import { problemSentences } from './problem-texts.ts'
import { type Column, tableLines } from './table.ts'

type Session = Status['sessions'][number]
type Transfer = Session['transfers'][number]

/** So many sessions fit on a screen with the rest; `--json` has more. */
const SESSIONS_SHOWN = 6
const LONGEST_PEER = 32

/** Where a database stands, on one screen. */
export function statusLines(
  status: Status,
  { database, width, paint }: { readonly database: string; readonly width: number; readonly paint: Paint },
): string[] {
  const { instance, pendingChanges, problems, models, sessions } = status
  const lines = [
    field('database', database),
    field('instance', instance.id),
    field('counter', count(instance.counter)),
    field(
      'pending',
      pendingChanges === 0 ? 'none' : `${counted(pendingChanges, 'change')}, for the next sync`,
    ),
  ]
  const sentences = problemSentences(problems)
  if (sentences.length === 0) lines.push(field('problems', 'none'))
  for (const [i, text] of sentences.entries())
    lines.push(paint.yellow(field(i === 0 ? 'problems' : '', text)))
  if (sentences.length > 0) lines.push(field('', 'See why: morango problems'))

  lines.push('')
  if (models.length === 0) lines.push('No records yet: nothing was synced.')
  else lines.push(...titled(modelTable(models), paint))

  lines.push('')
  if (sessions.length === 0) lines.push('No sync sessions yet.')
  else lines.push(...titled(sessionTable(sessions.slice(0, SESSIONS_SHOWN), width), paint))
  const more = sessions.length - SESSIONS_SHOWN
  if (more > 0) lines.push(paint.dim(`and ${counted(more, 'earlier one')}: see --json`))
  return lines
}

function modelTable(models: Status['models']): string[] {
  const columns: Column[] = [
    { title: 'model' },
    { title: 'profile' },
    { title: 'records', align: 'right' },
    { title: 'deleted', align: 'right' },
  ]
  const rows = models.map(({ model, profile, records, deleted }) => [
    oneLine(model),
    oneLine(profile),
    count(records),
    count(deleted),
  ])
  return tableLines(columns, rows)
}

function sessionTable(sessions: readonly Session[], width: number): string[] {
  const columns: Column[] = [
    { title: 'last sessions' },
    { title: 'peer' },
    { title: 'received', align: 'right' },
    { title: 'sent', align: 'right' },
    { title: 'state' },
  ]
  const rows = sessions.map((session) => [
    localTime(session.lastActivityAt),
    truncate(peerOf(session), LONGEST_PEER),
    amount(session, session.role === 'client' ? 'pull' : 'push'),
    amount(session, session.role === 'client' ? 'push' : 'pull'),
    stateOf(session),
  ])
  const [titles = '', ...lines] = tableLines(columns, rows)
  return [
    titles,
    ...lines.flatMap((line, i) => [line, ...reasons(sessions[i])].map((text) => truncate(text, width - 1))),
  ]
}

/** Why transfers of a session failed, each on a line of its own. */
function reasons(session: Session | undefined): string[] {
  return (session?.transfers ?? []).flatMap(({ direction, error }) =>
    error === null ? [] : [`  ${direction}: ${oneLine(error)}`],
  )
}

function peerOf({ role, peer }: Session): string {
  return role === 'client' ? oneLine(peer) : `served ${oneLine(peer) || 'a peer'}`
}

function amount({ transfers }: Session, direction: Transfer['direction']): string {
  const fitting = transfers.filter((transfer) => transfer.direction === direction)
  if (fitting.length === 0) return '-'
  return count(fitting.reduce((sum, { recordsTransferred }) => sum + recordsTransferred, 0))
}

/** What came of a session: the first of its transfers that went wrong or is not through. */
function stateOf({ active, transfers }: Session): string {
  for (const { direction, stage, stageStatus } of transfers) {
    if (stageStatus === 'errored') return `${direction} failed`
    if (stage === 'cleanup' && stageStatus === 'completed') continue
    return `${direction} ${active ? 'unfinished' : 'given up'}`
  }
  return active ? 'open' : 'done'
}

function titled(lines: readonly string[], paint: Paint): string[] {
  return lines.map((line, i) => (i === 0 ? paint.dim(line) : line))
}

function field(name: string, value: string): string {
  return `${name.padEnd(10)}${value}`
}
