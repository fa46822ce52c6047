import { describe, expect, test } from 'vitest'
import { bytes, duration, oneLine, wrap } from '../../src/cli/format.ts'
import { byteCount } from '../../src/cli/options.ts'
import { createPaint } from '../../src/cli/paint.ts'
import { connectingLine, liveLine, plainLine, rowLine } from '../../src/cli/progress-lines.ts'
import {
  NO_PROGRESS,
  nextProgress,
  type ProgressRow,
  type ProgressState,
} from '../../src/cli/progress-state.ts'
import { statusLines } from '../../src/cli/status-lines.ts'
import { summaryLines } from '../../src/cli/sync-summary.ts'
import { terminalOf } from '../../src/cli/terminal.ts'
import type { SyncProgress, SyncReport } from '../../src/session/progress.ts'
import type { Status } from '../../src/storage/status.ts'

const paint = createPaint(false)
const peer = 'http://10.0.0.5:8080/'
const style = { width: 80, unicode: true, paint, peer }

const at = (
  kind: 'stage-started' | 'stage-progress' | 'stage-completed',
  done: number,
  bytesSoFar = 0,
): SyncProgress => ({
  kind,
  direction: 'pull',
  stage: 'transferring',
  done,
  total: 100_000,
  bytes: bytesSoFar,
})

function feed(events: readonly (readonly [number, SyncProgress])[]): {
  state: ProgressState
  rows: ProgressRow[]
} {
  let state = NO_PROGRESS
  const rows: ProgressRow[] = []
  for (const [now, event] of events) {
    const next = nextProgress(state, event, now)
    state = next.state
    rows.push(...next.rows)
  }
  return { state, rows }
}

function live(events: readonly (readonly [number, SyncProgress])[], now: number, width = 80): string {
  const { stage } = feed(events).state
  return stage === undefined ? '' : liveLine(stage, now, { ...style, width })
}

describe('progress', () => {
  const half: [number, SyncProgress][] = [
    [0, at('stage-started', 0, 5000)],
    [10, at('stage-progress', 0, 5000)],
    [2000, at('stage-progress', 50_000, 3_105_000)],
  ]

  test('the line of a stage under way', () => {
    expect(live(half, 2000)).toBe(
      '  transferring    50,000/100,000   25,000/s  3.1 MB   2.0 s  ██████░░░░░  50%',
    )
  })

  test.each([40, 60, 79, 80, 100, 200])('fits %i columns with room for ^C', (width) => {
    const line = live(half, 2000, width)
    expect(line.length).toBeLessThanOrEqual(width - 3)
    expect(line).toContain(width < 75 ? 'transferring' : '50%')
  })

  test('what was there before a resumed transfer is not of its pace', () => {
    const resumed = live(
      [
        [0, at('stage-started', 0)],
        [0, at('stage-progress', 90_000)],
        [1000, at('stage-progress', 91_000)],
      ],
      1000,
    )
    expect(resumed).toContain(' 1,000/s ')
  })

  test('says when nothing comes', () => {
    expect(live(half, 4999)).not.toContain('waiting')
    expect(live(half, 5000)).toContain('  waiting  ')
  })

  test('rows that stay: a heading for each direction, and finished stages', () => {
    const { state, rows } = feed([
      ...half,
      [4000, at('stage-progress', 100_000, 6_205_000)],
      [4000, at('stage-completed', 100_000, 6_205_000)],
      [
        4000,
        { kind: 'stage-started', direction: 'pull', stage: 'cleanup', done: 0, total: undefined, bytes: 0 },
      ],
      [
        4100,
        { kind: 'stage-completed', direction: 'pull', stage: 'cleanup', done: 0, total: undefined, bytes: 9 },
      ],
    ])
    expect(rows.map((row) => rowLine(row, style))).toEqual([
      'Pull from http://10.0.0.5:8080/',
      '  transferring           100,000   25,000/s  6.2 MB   4.0 s',
    ])
    expect(rows.map(plainLine)).toEqual([
      undefined,
      'pull transferring: 100,000 records, 25,000/s, 6.2 MB, 4.0 s',
    ])
    expect(state.stage).toBeUndefined()
  })

  test('retries, resuming and beginning anew are told', () => {
    const { rows } = feed([
      [0, { kind: 'session', state: 'resumed', sessionId: 'a' }],
      [
        0,
        {
          kind: 'retry',
          direction: 'pull',
          stage: 'queuing',
          attempt: 2,
          delayMs: 2100,
          reason: 'No\u001B[31m way.',
        },
      ],
      [0, { kind: 'restarted', direction: 'pull', reason: 'The peer knows the transfer no more' }],
    ])
    expect(rows.map(plainLine)).toEqual([
      'Going on with what an earlier sync left.',
      'No?[31m way. Trying again in 2 s (attempt 2).',
      'The earlier pull cannot go on (The peer knows the transfer no more): it begins anew.',
    ])
  })

  test('connecting', () => {
    expect(connectingLine(10, style)).toBe('Connecting to http://10.0.0.5:8080/')
    expect(connectingLine(4200, style)).toBe('Connecting to http://10.0.0.5:8080/  4.2 s')
  })
})

test('the summary of a sync', () => {
  const none = { written: 0, deleted: 0, failed: 0 }
  const transfer = {
    id: 'a',
    recordsTotal: 10,
    recordsTransferred: 10,
    deserialize: none,
    resumed: false,
    parked: false,
  }
  const dequeue = { created: 8, fastForwarded: 1, known: 0, conflicts: 1 }
  const report: SyncReport = {
    parked: undefined,
    pulled: 1234,
    pushed: 1,
    conflicts: 1,
    problems: { unserialized: 0, undeserialized: 2 },
    bytes: { sent: 100, received: 1_234_567 },
    roundTrips: 21,
    transfers: [
      { ...transfer, direction: 'pull', dequeue, stages: { queuing: 12, transferring: 59_000 } },
      { ...transfer, direction: 'push', dequeue, stages: { queuing: 12_345, cleanup: 5 } },
    ],
  }
  expect(summaryLines(report, { peer, ms: 72_000, paint })).toEqual([
    'Synced with http://10.0.0.5:8080/ in 1m 12s, but some records wait with a problem.',
    '',
    '  pulled     1,234 records (8 new, 1 newer)',
    '  pushed     1 record',
    '  conflicts  1 (what lost is kept: morango conflicts)',
    '  problems   2 received records could not be applied',
    '             They wait and are tried again by themselves. See why: morango problems',
    '  network    1.2 MB in, 100 B out, 21 round trips',
    '',
    '        serializing  queuing  transferring  dequeuing  deserializing  total',
    '  pull            -    12 ms          59 s          -              -   59 s',
    '  push            -     12 s             -          -              -   12 s',
  ])
})

test('what a sync within limits did', () => {
  const none = { written: 0, deleted: 0, failed: 0 }
  const dequeue = { created: 0, fastForwarded: 0, known: 0, conflicts: 0 }
  const report: SyncReport = {
    parked: { limit: 'bytes', direction: 'pull', recordsTransferred: 1500, recordsTotal: 20_000 },
    pulled: 1500,
    pushed: 0,
    conflicts: 0,
    problems: { unserialized: 0, undeserialized: 0 },
    bytes: { sent: 100, received: 5_000_000 },
    roundTrips: 21,
    transfers: [
      {
        id: 'a',
        direction: 'pull',
        recordsTotal: 20_000,
        recordsTransferred: 1500,
        dequeue,
        deserialize: none,
        resumed: true,
        parked: true,
        stages: { transferring: 59_000 },
      },
    ],
  }
  const lines = summaryLines(report, { peer: 'http://10.0.0.5:8080/', ms: 60_000, paint })
  expect(lines.slice(0, 4)).toEqual([
    'Parked after 1m 00s: the sync with http://10.0.0.5:8080/ is not complete.',
    '',
    '  parked     in the pull, after 1,500 of 20,000 records: the bytes are used up',
    '             Sync again to go on from there.',
  ])
})

test('where a database stands', () => {
  const transfer = {
    id: 't',
    active: false,
    stage: 'cleanup',
    stageStatus: 'completed',
    error: null,
    recordsTotal: 5,
  }
  const session = { id: 's', active: false, lastActivityAt: '2026-07-29T12:03:00.000Z' }
  const status: Status = {
    instance: { id: 'abc', databaseId: 'def', counter: 1042 },
    models: [{ profile: 'gazetteer', model: 'place', records: 12_345, deleted: 7 }],
    pendingChanges: 1,
    problems: { unserialized: 1, undeserialized: 0 },
    sessions: [
      {
        ...session,
        role: 'client',
        peer,
        transfers: [
          { ...transfer, direction: 'pull', recordsTransferred: 5 },
          {
            ...transfer,
            direction: 'push',
            recordsTransferred: 2,
            stage: 'queuing',
            stageStatus: 'errored',
            error: 'No\nroom',
          },
        ],
      },
      {
        ...session,
        role: 'server',
        peer: '10.0.0.9',
        transfers: [{ ...transfer, direction: 'push', recordsTransferred: 4 }],
      },
    ],
  }
  const lines = statusLines(status, { database: '/data/field.db', width: 80, paint })
  expect(lines.map((line) => line.replace(/^2026-07-\d\d \d\d:\d\d/u, '(local time)    '))).toEqual([
    'database  /data/field.db',
    'instance  abc',
    'counter   1,042',
    'pending   1 change, for the next sync',
    'problems  1 changed row could not be sent',
    '          See why: morango problems',
    '',
    'model  profile    records  deleted',
    'place  gazetteer   12,345        7',
    '',
    'last sessions     peer                   received  sent  state',
    '(local time)      http://10.0.0.5:8080/         5     2  push failed',
    '  push: No room',
    '(local time)      served 10.0.0.9               4     -  done',
  ])
})

test('numbers and texts for people', () => {
  expect([0, 999, 1000, 9949, 34_000, 999_499, 999_500, 1_234_567, 5e12].map(bytes)).toEqual([
    '0 B',
    '999 B',
    '1.0 kB',
    '9.9 kB',
    '34 kB',
    '999 kB',
    '1.0 MB',
    '1.2 MB',
    '5.0 TB',
  ])
  expect([0, 340, 999.6, 3210, 9960, 42_000, 59_600, 125_000, 3_720_000].map(duration)).toEqual([
    '0 ms',
    '340 ms',
    '1.0 s',
    '3.2 s',
    '10 s',
    '42 s',
    '1m 00s',
    '2m 05s',
    '1h 02m',
  ])
  expect(oneLine(' a\n\tb\u0007c\u001B[2J ')).toBe('a b?c?[2J')
  expect(wrap('one two three', 7)).toEqual(['one two', 'three'])
})

test('what an output can show', () => {
  const tty = { isTTY: true, columns: 100 }
  expect(terminalOf(tty, { LANG: 'en_US.UTF-8' })).toMatchObject({ live: true, color: true, unicode: true })
  expect(terminalOf(tty, { NO_COLOR: '1' })).toMatchObject({ live: true, color: false, unicode: false })
  expect(terminalOf(tty, { TERM: 'dumb' })).toMatchObject({ live: false, color: false })
  expect(terminalOf({}, {})).toMatchObject({ live: false, color: false })
  expect(terminalOf({}, {}).width()).toBe(80)
})

test('numbers of bytes as options take them', () => {
  expect(['1', '500k', '20M', '1.5g', '7kb'].map(byteCount)).toEqual([1, 500_000, 20_000_000, 1.5e9, 7000])
  for (const text of ['', 'much', '-1', '0', '1t', '1 M']) expect(() => byteCount(text)).toThrow('500k')
})
