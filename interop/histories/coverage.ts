import { type Operation, OPERATIONS } from './history.ts'
import type { Played } from './play.ts'
import type { Action } from './script.ts'
import { type Pair, pairName, PAIRS } from './themes.ts'

/** Counts what histories were made of. */
export interface Coverage {
  add(played: Played): void
  /** Operations, and pairs of them on one record, that did not occur. */
  missing(): string[]
  /** A few lines for who reads the log. */
  report(): string
}

type Change = Exclude<Action, { readonly operation: 'sync' | 'serialize' }>

export function createCoverage(): Coverage {
  const pairs = new Map<string, number>()
  const operations = new Map<Operation, number>()
  const pairings = new Map<string, number>()
  const quirks = new Map<string, number>()
  const ends = new Map<string, number>()
  let histories = 0
  let steps = 0

  return {
    add({ actions, kinds, quirks: met, endedBy }) {
      histories += 1
      steps += actions.length
      for (const { operation } of actions.filter(isChange)) count(operations, operation)
      for (const pair of pairsIn(actions)) count(pairs, pairName(pair))
      for (const pairing of pairingsIn(actions, kinds)) count(pairings, pairing)
      for (const quirk of met) count(quirks, quirk)
      if (endedBy !== undefined) count(ends, endedBy)
    },
    missing: () => [
      ...OPERATIONS.filter((operation) => !operations.has(operation)),
      ...PAIRS.map(pairName).filter((name) => !pairs.has(name)),
    ],
    report() {
      const required = PAIRS.filter((pair) => pairs.has(pairName(pair))).length
      return [
        `interop: ${histories} histories with ${steps} steps; ${required} of ${PAIRS.length} pairs of operations`,
        `  syncs: ${list(pairings)}`,
        `  quirks of the original met in so many histories: ${list(quirks)}`,
        `  of which ended a history: ${list(ends)}`,
      ].join('\n')
    },
  }
}

/** Who called whom: `ours to python`, for each sync. */
export function pairingsIn(actions: readonly Action[], kinds: readonly string[]): string[] {
  return actions.flatMap((action) =>
    action.operation === 'sync' ? [`${kinds[action.client] ?? ''} to ${kinds[action.server] ?? ''}`] : [],
  )
}

/** Each two operations on one record, one after the other. */
function pairsIn(actions: readonly Action[]): Pair[] {
  const last = new Map<string, { readonly index: number; readonly change: Change }>()
  const pairs: Pair[] = []
  for (const [index, action] of actions.entries()) {
    if (!isChange(action)) continue
    const before = last.get(action.key)
    last.set(action.key, { index, change: action })
    if (before === undefined) continue
    const { peer } = before.change
    const isOne = peer === action.peer
    const between = actions.slice(before.index, index)
    pairs.push({
      first: before.change.operation,
      second: action.operation,
      by: isOne ? 'one peer' : 'two peers',
      synced: between.some((one) => takesPart(one, peer) && takesPart(one, action.peer)),
    })
  }
  return pairs
}

function takesPart(action: Action, peer: number): boolean {
  return action.operation === 'sync' && (action.client === peer || action.server === peer)
}

function isChange(action: Action): action is Change {
  return action.operation !== 'sync' && action.operation !== 'serialize'
}

function count<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

function list(counts: ReadonlyMap<string, number>): string {
  if (counts.size === 0) return 'none'
  return [...counts]
    .toSorted(([, a], [, b]) => b - a)
    .map(([name, number]) => `${name} ${number}`)
    .join(', ')
}
