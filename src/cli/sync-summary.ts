import type { Stage } from '../core/stages.ts'
import type { SyncReport, TransferReport } from '../session/progress.ts'
import { bytes, count, counted, duration, oneLine } from './format.ts'
import type { Paint } from './paint.ts'
import { problemSentences } from './problem-texts.ts'
import { tableLines } from './table.ts'

const TIMED: readonly Stage[] = ['serializing', 'queuing', 'transferring', 'dequeuing', 'deserializing']

/** What a sync did, for the end of the screen. */
export function summaryLines(
  report: SyncReport,
  { peer, ms, paint }: { readonly peer: string; readonly ms: number; readonly paint: Paint },
): string[] {
  const pull = report.transfers.find(({ direction }) => direction === 'pull')
  const push = report.transfers.find(({ direction }) => direction === 'push')
  const idle = report.pulled === 0 && report.pushed === 0 && report.parked === undefined
  const lines = [paint.bold(headline(report, oneLine(peer), duration(ms))), '']
  lines.push(...parked(report, paint))
  if (!idle) {
    if (pull !== undefined) lines.push(field('pulled', counted(report.pulled, 'record') + received(pull)))
    if (push !== undefined) lines.push(field('pushed', counted(report.pushed, 'record')))
    if (pull !== undefined) lines.push(field('conflicts', conflicts(report.conflicts)))
  }
  lines.push(...problems(report, paint))
  const { bytes: moved, roundTrips } = report
  lines.push(
    field(
      'network',
      `${bytes(moved.received)} in, ${bytes(moved.sent)} out, ${counted(roundTrips, 'round trip')}`,
    ),
  )
  return idle ? lines : [...lines, '', ...times(report)]
}

function headline(report: SyncReport, peer: string, took: string): string {
  const { pulled, pushed, transfers } = report
  const waiting = problemSentences(report.problems).length > 0
  if (report.parked !== undefined) return `Parked after ${took}: the sync with ${peer} is not complete.`
  if (pulled > 0 || pushed > 0) {
    return `Synced with ${peer} in ${took}${waiting ? ', but some records wait with a problem' : ''}.`
  }
  const nothing = transfers.map(({ direction }) => `nothing to ${direction}`).join(', ')
  return waiting
    ? `With ${peer}: ${nothing} (${took}), but some records wait with a problem.`
    : `In sync with ${peer}: ${nothing} (${took}).`
}

const LIMITS = { bytes: 'the bytes are used up', seconds: 'the time is up' } as const

function parked({ parked: where }: SyncReport, paint: Paint): string[] {
  if (where === undefined) return []
  const { limit, direction, recordsTransferred, recordsTotal } = where
  const far =
    recordsTotal === undefined
      ? `before the ${direction}`
      : `in the ${direction}, after ${count(recordsTransferred)} of ${counted(recordsTotal, 'record')}`
  return [
    paint.yellow(field('parked', `${far}: ${LIMITS[limit]}`)),
    field('', 'Sync again to go on from there.'),
  ]
}

function received({ dequeue }: TransferReport): string {
  const parts = [
    dequeue.created > 0 ? `${count(dequeue.created)} new` : '',
    dequeue.fastForwarded > 0 ? `${count(dequeue.fastForwarded)} newer` : '',
    dequeue.known > 0 ? `${count(dequeue.known)} already here` : '',
  ].filter((part) => part !== '')
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`
}

function conflicts(n: number): string {
  return n === 0 ? 'none' : `${count(n)} (what lost is kept: morango conflicts)`
}

function problems({ problems: counts }: SyncReport, paint: Paint): string[] {
  const sentences = problemSentences(counts)
  if (sentences.length === 0) return [field('problems', 'none')]
  const advice = 'They wait and are tried again by themselves. See why: morango problems'
  return [
    ...sentences.map((text, i) => paint.yellow(field(i === 0 ? 'problems' : '', text))),
    field('', advice),
  ]
}

function times({ transfers }: SyncReport): string[] {
  const columns = ['', ...TIMED, 'total'].map((title, i) =>
    i === 0 ? { title } : { title, align: 'right' as const },
  )
  const rows = transfers.map(({ direction, stages }) => [
    direction,
    ...TIMED.map((stage) => {
      const ms = stages[stage]
      return ms === undefined ? '-' : duration(ms)
    }),
    duration(Object.values(stages).reduce((sum, ms) => sum + ms, 0)),
  ])
  return tableLines(columns, rows).map((line) => `  ${line}`)
}

function field(name: string, value: string): string {
  return `  ${name.padEnd(11)}${value}`
}
