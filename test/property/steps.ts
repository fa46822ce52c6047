import fc from 'fast-check'

// What may happen in a random history. Numbers choose among what there is, so that every history is possible.

export interface CreateStep<Model extends string, Owner extends string> {
  readonly do: 'create'
  readonly peer: number
  readonly model: Model
  readonly owner: Owner
  readonly ref: number
}

/** How a record may change that is or was there. */
export type Change = 'edit' | 'move' | 'delete' | 'recreate' | 'delete-hard'

/** `Chosen` is how the record is named: by a number, which chooses among those that can be changed so. */
export interface ChangeStep<Chosen = number> {
  readonly do: Change
  readonly peer: number
  readonly record: Chosen
  readonly ref?: number
}

export type Direction = 'both' | 'pull' | 'push'

export interface SyncStep<Filter extends string> {
  readonly do: 'sync'
  readonly client: number
  readonly server: number
  readonly direction: Direction
  readonly filter: Filter
}

/** Names a record, or what it refers to. */
export const index: fc.Arbitrary<number> = fc.nat({ max: 7 })
const peer = fc.nat({ max: 4 })

export function createStep<Model extends string, Owner extends string>(
  models: readonly Model[],
  owners: readonly Owner[],
): fc.Arbitrary<CreateStep<Model, Owner>> {
  return fc.record({
    do: fc.constant('create' as const),
    peer,
    model: fc.constantFrom(...models),
    owner: fc.constantFrom(...owners),
    ref: index,
  })
}

/** Edits as often as all that adds or removes rows, and hard deletions as the exception that they are. */
export const changeStep: fc.Arbitrary<ChangeStep> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('edit' as const, 'move' as const),
      peer,
      record: index,
      ref: index,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('delete' as const, 'recreate' as const),
      peer,
      record: index,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete-hard' as const), peer, record: index }) },
)

export function syncStep<Filter extends string>(filters: readonly Filter[]): fc.Arbitrary<SyncStep<Filter>> {
  return fc.record({
    do: fc.constant('sync' as const),
    client: peer,
    server: peer,
    direction: fc.constantFrom('both' as const, 'pull' as const, 'push' as const),
    filter: fc.constantFrom(...filters),
  })
}

export const restartStep: fc.Arbitrary<{ do: 'restart'; peer: number }> = fc.record({
  do: fc.constant('restart' as const),
  peer,
})
