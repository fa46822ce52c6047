import { describe, expect, test } from 'vitest'
import type { Dump } from './histories-dump.ts'
import { FINALS, RECORDINGS, rootKeyPair } from './histories-golden.ts'
import type { Backend, Scenario } from './histories-golden.ts'
import { AS_RECORDED, KNOWN_DIFFERENCES, LIKE_POSTGRES } from './histories-known-differences.ts'
import type { KnownDifference } from './histories-known-differences.ts'
import { rootOf } from './histories-peer.ts'
import type { Settings } from './histories-peer.ts'
import { playHistory, recordedHistory } from './histories-play.ts'
import type { Played } from './histories-play.ts'

const { scenarios } = RECORDINGS.sqlite
const certificate = rootOf(rootKeyPair())

interface Way {
  readonly settings: Settings
  /** What may come out otherwise. */
  readonly except?: RegExp
}

// The recorded peers had all capabilities, and chunks of 500. What comes of a history does not depend on it.
const WAYS: readonly (readonly [string, Way])[] = [
  ['with all capabilities', { settings: {} }],
  [
    'without ASYNC_OPERATIONS, a record a chunk',
    { settings: { withoutCapabilities: ['ASYNC_OPERATIONS'], chunkSize: 1 } },
  ],
  // Less is compared with v1, so more is sent and claimed (protocol §6).
  [
    'without FSIC_V2_FORMAT',
    { settings: { withoutCapabilities: ['FSIC_V2_FORMAT'] }, except: /^(?:claims|outcome)/ },
  ],
]

describe.each(WAYS)('histories played with ours %s', (_way, { settings, except }) => {
  test.each(scenarios.map((scenario) => [scenario.name, scenario.description, scenario] as const))(
    '%s: %s',
    async (name, _description, scenario) => {
      const root = await certificate
      expect(root.certificate.id).toBe(scenario.dataset)
      const played = await playHistory(RECORDINGS.sqlite, scenario, root, settings)
      const recorded = record(Object.hasOwn(LIKE_POSTGRES, name) ? 'pg' : 'sqlite', name)
      const known = KNOWN_DIFFERENCES.filter((difference) => difference.scenario === name)
      const { expected, needless } = withDifferences(recorded, known)
      expect(asObject(played, except)).toEqual(asObject(expected, except))
      expect(needless).toEqual([])
    },
  )
})

describe('the list of differences', () => {
  const names = scenarios.map(({ name }) => name)

  test('names scenarios that there are', () => {
    const listed = [...KNOWN_DIFFERENCES.map(({ scenario }) => scenario), ...Object.keys(LIKE_POSTGRES)]
    expect(listed.filter((name) => !names.includes(name))).toEqual([])
  })

  test('the original does the same on both databases but for three scenarios', () => {
    const differing = names.filter((name) => {
      const [sqlite, pg] = [asObject(record('sqlite', name)), asObject(record('pg', name))]
      return JSON.stringify(sqlite) !== JSON.stringify(pg)
    })
    expect(differing).toEqual(['unique_name_clash', 'filter_case', 'conflict_hard_delete_then_recreate'])
  })
})

function record(backend: Backend, name: string): Played {
  const scenario = find(RECORDINGS[backend].scenarios, name)
  const { final } = find(FINALS[backend].scenarios, name)
  return recordedHistory(RECORDINGS[backend], { ...scenario, final })
}

function find(among: readonly Scenario[], name: string): Scenario {
  const scenario = among.find((candidate) => candidate.name === name)
  if (scenario === undefined) throw new Error(`no scenario ${name}`)
  return scenario
}

/** What was recorded, changed by what is listed; and what is listed although it was recorded like that. */
function withDifferences(
  recorded: Played,
  differences: readonly KnownDifference[],
): { expected: Played; needless: string[] } {
  const listed = new Map<string, Record<string, string | null>>()
  for (const [place, paths] of differences.flatMap(({ ours }) => Object.entries(ours))) {
    listed.set(place, { ...listed.get(place), ...paths })
  }
  // By peer: what still differs from an earlier step on.
  const lasting = new Map<string, Map<string, string | null>>()
  const needless = new Set(listed.keys())
  const at = new Map<string, Dump>()
  for (const [place, dump] of recorded.at) {
    needless.delete(place)
    const [, peer] = place.split('/')
    const changes = (peer === undefined ? undefined : lasting.get(peer)) ?? new Map<string, string | null>()
    for (const [path, value] of Object.entries(listed.get(place) ?? {})) {
      if (value !== AS_RECORDED) changes.set(path, value)
      else if (!changes.delete(path)) needless.add(`${place} ${path}`)
    }
    if (peer !== undefined) lasting.set(peer, changes)
    const expected = new Map(dump)
    for (const [path, value] of changes) {
      if ((dump.get(path) ?? null) === value) needless.add(`${place} ${path}`)
      if (value === null) expected.delete(path)
      else expected.set(path, value)
    }
    at.set(place, expected)
  }
  return { expected: { at }, needless: [...needless] }
}

function asObject({ at }: Played, except?: RegExp): Record<string, Record<string, string>> {
  const sorted = [...at].toSorted(byKey).map(([place, dump]) => {
    const paths = [...dump].filter(([path]) => except?.test(path) !== true)
    return [place, Object.fromEntries(paths.toSorted(byKey))] as const
  })
  return Object.fromEntries(sorted)
}

function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1
}
