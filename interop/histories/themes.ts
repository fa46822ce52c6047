import type { ModelName } from '../profile.ts'
import { keyOf, OPERATIONS, type Operation, type Owner, parseKey, type Step } from './history.ts'

/** Two operations on one record, one after the other. */
export interface Pair {
  readonly first: Operation
  readonly second: Operation
  readonly by: 'one peer' | 'two peers'
  /** Whether the one who does the second has synced in between: with the one who did the first if that is another. */
  readonly synced: boolean
}

export function pairName({ first, second, by, synced }: Pair): string {
  return `${first}, ${second} by ${by}${synced ? ' with a sync between' : ''}`
}

const LEAVES_A_ROW: readonly Operation[] = ['create', 'edit', 'move', 'recreate']
const NEEDS_A_ROW: readonly Operation[] = ['edit', 'move', 'delete', 'delete-hard']

/**
 * All pairs that must occur. Where two peers know of each other's doings, or one does both, the second must be
 * possible after the first: a row that is there cannot be created, one that is gone cannot be edited.
 */
export const PAIRS: readonly Pair[] = OPERATIONS.flatMap((first) =>
  OPERATIONS.flatMap((second) =>
    (['one peer', 'two peers'] as const).flatMap((by) =>
      [false, true].map((synced) => ({ first, second, by, synced })),
    ),
  ),
).filter(({ first, second, by, synced }) => {
  if (by === 'two peers' && !synced) return true
  return LEAVES_A_ROW.includes(first) ? NEEDS_A_ROW.includes(second) : second === 'recreate'
})

/** A pair as it shall happen: to which record, at which peers. */
export interface Theme {
  readonly pair: Pair
  readonly model: ModelName
  readonly owner: Owner
  readonly ref: number
  readonly first: number
  readonly other: number
  /** Whether the peers serialize before they sync, and between operations. */
  readonly serializes: boolean
}

/** The steps that lead to a pair, the pair, and a sync after it. */
export function themeSteps(theme: Theme): Step[] {
  const { pair, owner, ref, first, other } = theme
  // A sample refers to nothing.
  const moves = pair.first === 'move' || pair.second === 'move'
  const model = moves && theme.model === 'sample' ? 'visit' : theme.model
  // A region can be moved below those before it.
  const slot = moves && model === 'region' ? (ref % 3) + 1 : ref
  const key = keyOf(model, owner, slot)
  const second = pair.by === 'one peer' ? first : other
  const serialize = (peer: number): Step[] => (theme.serializes ? [{ do: 'serialize', peer }] : [])
  const sync = (): Step[] => [
    ...serialize(first),
    ...serialize(other),
    { do: 'sync', client: first, server: other, direction: 'both', filter: 'all' },
  ]
  const perform = (operation: Operation, peer: number): Step =>
    operation === 'create'
      ? { do: 'create', peer, model, owner, ref: slot }
      : { do: operation, peer, record: key, ref }
  const needs: Step[] =
    model === 'sample' || (model === 'region' && !moves)
      ? []
      : [
          { do: 'create', peer: first, model: 'region', owner, ref: 0 },
          ...(model === 'visit'
            ? [{ do: 'create', peer: first, model: 'person', owner, ref: 0 } as const]
            : []),
          ...(moves && model !== 'region'
            ? [{ do: 'create', peer: first, model: 'region', owner, ref: 1 } as const]
            : []),
          ...sync(),
        ]
  return [
    ...needs,
    ...preparation(),
    perform(pair.first, first),
    ...(pair.synced ? sync() : []),
    perform(pair.second, second),
    ...sync(),
  ]

  function preparation(): Step[] {
    const known = (operation: Operation): boolean => operation !== 'create'
    const gone = (operation: Operation, peer: number): Step[] =>
      operation === 'recreate' ? [perform('delete', peer), { do: 'serialize', peer }] : []
    if (second === first) return known(pair.first) ? [...made(first), ...gone(pair.first, first)] : []
    if (pair.synced) return known(pair.first) ? [...made(first), ...sync(), ...gone(pair.first, first)] : []
    const [one, two] = [known(pair.first), known(pair.second)]
    return [
      ...(one ? made(first) : two ? made(second) : []),
      ...(one && two ? sync() : []),
      ...gone(pair.first, first),
      ...gone(pair.second, second),
    ]
  }

  function made(peer: number): Step[] {
    return [perform('create', peer), ...serialize(peer)]
  }
}

/** Whether a record of the model has something to refer to. */
export function canMove(key: string): boolean {
  const { model, slot } = parseKey(key)
  return model === 'person' || model === 'visit' || (model === 'region' && slot > 0)
}
