import { type Kysely } from 'kysely'
import type { Filter } from '../core/filter.ts'
import type { CompiledModel, CompiledProfile } from '../models/compiled.ts'
import type { DeserializeResult, WorkOptions } from '../session/ports.ts'
import { applyDeletions } from './apply-deletions.ts'
import { applyRecords, type Known } from './apply-records.ts'
import { type EngineContext, requireProfile } from './context.ts'
import { createReaches, type Reach, type Reaches } from './deletion-reach.ts'
import { holdArrivingDeletions } from './deletion-brake.ts'
import {
  type DirtyDeletion,
  type DirtyRecord,
  type Found,
  type Page,
  markUnknownModels,
  modelsWithDirtyDeletions,
  readDirty,
  readDirtyByIds,
  readDirtyDeletions,
  readDirtyParents,
} from './dirty.ts'
import { parentsFirst } from './hierarchy.ts'
import { wakeAll, wakeDue } from './retry.ts'
import type { Schema } from './schema.ts'
import { serialize, serializeIn } from './serialize.ts'
import { takeInFreed } from './take-in.ts'
import type { Turn } from './turn.ts'
import { createTurnSizes } from './turn-size.ts'
import { betweenTurns, type Run } from './turns.ts'

interface DeserializeOptions extends WorkOptions {
  readonly profile: string
  readonly filter?: Filter | undefined
  readonly raise: 'always' | 'if-needed'
  /** Whether records in a pause are tried as well. */
  readonly retryAll?: boolean | undefined
}

const NOTHING_HELD = { models: new Set<string>(), waiting: 0 }

/** What is done one after the other: each model's deletions, children first, then each model's records, parents first. */
interface Step {
  readonly what: 'deletions' | 'records'
  readonly model: CompiledModel
}

/** Where a deserialization has come to. */
interface Position {
  readonly step: number
  /** The number of the last record taken in this step. */
  readonly after: number
  /** Deletions to be tried once more at the end. */
  readonly undeleted: readonly Undeleted[]
}

interface Undeleted {
  readonly model: CompiledModel
  readonly deletions: readonly DirtyDeletion[]
}

/**
 * Store to application rows (protocol §9), in turns: changed rows are serialized first, then deletions are applied,
 * children before parents, then records, parents before children. A record that cannot be applied waits with its
 * reason, alone.
 */
export async function deserialize(
  run: Run,
  context: EngineContext,
  options: DeserializeOptions,
): Promise<DeserializeResult> {
  await serialize(run, context, { ...options, onProgress: undefined })
  const profile = requireProfile(context, options.profile)
  await run(async ({ trx }) => {
    await wakeDue(trx, context.clock.now().getTime())
    if (options.retryAll === true) await wakeAll(trx, profile.name)
  })
  await run((turn) => takeInFreed(turn, context, profile.name))
  const braked = context.brakeArriving === true && options.confirmDeletions !== true
  const held = braked ? await run(({ trx }) => holdArrivingDeletions(trx, context, options)) : NOTHING_HELD
  const total = { written: 0, deleted: 0, failed: held.waiting }
  const work = { ...options, held: held.models }
  const turns = createTurnSizes(context)
  for (let from: Position | undefined = { step: 0, after: 0, undeleted: [] }; ;) {
    const position: Position = from
    const { size } = turns
    const { next, ...part } = await turns.timed(
      () => run((turn) => deserializeTurn(turn, context, profile, work, position, size)),
      ({ written, deleted, failed }) => written + deleted + failed,
    )
    total.written += part.written
    total.deleted += part.deleted
    total.failed += part.failed
    options.onProgress?.({ done: total.written + total.deleted + total.failed, total: undefined })
    if (next === undefined) return total
    from = next
    await betweenTurns(options.signal)
  }
}

async function deserializeTurn(
  turn: Turn,
  context: EngineContext,
  profile: CompiledProfile,
  options: DeserializeOptions & { readonly held: ReadonlySet<string> },
  from: Position,
  size: number,
): Promise<DeserializeResult & { readonly next: Position | undefined }> {
  const { trx } = turn
  const { filter, signal } = options
  const { sizes } = context
  const { dialect } = context.database
  // What was changed since the turn before would be written over otherwise.
  await serializeIn(turn, context, { ...options, raise: 'if-needed', onProgress: undefined })
  const total = { written: 0, deleted: 0, failed: 0 }
  let taken = 0
  const undeleted = [...from.undeleted]
  const names = profile.models.map((model) => model.name)
  const deletedModels = await modelsWithDirtyDeletions(trx, dialect, names)
  const reaches = createReaches(trx, context, profile.name)
  const learned: Known = { present: new Map(), wary: new Set(), reaches }
  const steps = stepsOf(profile)

  for (const [index, { what, model }] of steps.entries()) {
    if (index < from.step) continue
    if (what === 'deletions' && (!deletedModels.has(model.name) || options.held.has(model.name))) continue
    const start = { after: index === from.step ? from.after : 0, size: sizes.batch }
    if (what === 'deletions') {
      const found = pages(start, (page) => readDirtyDeletions(trx, model, filter, page))
      for await (const { records, last } of found) {
        signal?.throwIfAborted()
        const { deleted, failed } = await deleteDirty(turn, context, { model, deletions: records }, reaches)
        if (failed.length > 0) undeleted.push({ model, deletions: failed })
        total.deleted += deleted
        taken += records.length
        if (taken >= size && last !== undefined) {
          return { ...total, next: { step: index, after: last, undeleted } }
        }
      }
    } else {
      for await (const found of recordBatches(trx, context, model, filter, start)) {
        signal?.throwIfAborted()
        const { records, last } = found
        const { written, failed } = await applyRecords(turn, context, model, found, learned)
        total.written += written
        total.failed += failed
        taken += records.length
        if (taken >= size && last !== undefined) {
          return { ...total, next: { step: index, after: last, undeleted } }
        }
      }
    }
  }
  // What referred to these rows, or was to fall with them, may have been moved elsewhere by now.
  for (const some of undeleted) {
    const { deleted, failed } = await deleteDirty(turn, context, some, reaches, true)
    total.deleted += deleted
    total.failed += failed.length
  }
  await markUnknownModels(trx, profile.name, names, context.clock.now().toISOString())
  return { ...total, next: undefined }
}

/** Deletes rows in groups of one sender and one kind. @returns how many, and the deletions that failed */
async function deleteDirty(
  turn: Turn,
  context: EngineContext,
  { model, deletions }: Undeleted,
  reaches: Reaches,
  last = false,
): Promise<{ readonly deleted: number; readonly failed: readonly DirtyDeletion[] }> {
  const groups = new Map<Reach, { readonly soft: DirtyDeletion[]; readonly hard: DirtyDeletion[] }>()
  for (const deletion of deletions) {
    const reach = await reaches.of(deletion)
    const kinds = groups.get(reach) ?? { soft: [], hard: [] }
    groups.set(reach, kinds)
    ;(deletion.hard === 1 ? kinds.hard : kinds.soft).push(deletion)
  }
  let deleted = 0
  const failed: DirtyDeletion[] = []
  for (const [reach, kinds] of groups) {
    for (const hard of [false, true]) {
      const some = hard ? kinds.hard : kinds.soft
      if (some.length === 0) continue
      const result = await applyDeletions(turn, context, model, some, { hard, reach, last })
      deleted += result.deleted
      const ids = new Set(result.failed.map(({ id }) => id))
      failed.push(...some.filter(({ id }) => ids.has(id)))
    }
  }
  return { deleted, failed }
}

function stepsOf({ models }: CompiledProfile): Step[] {
  return [
    ...models.toReversed().map((model): Step => ({ what: 'deletions', model })),
    ...models.map((model): Step => ({ what: 'records', model })),
  ]
}

async function* pages<Row>(
  start: Page,
  read: (page: Page) => Promise<Found<Row>>,
): AsyncGenerator<Found<Row>> {
  for (let { after } = start; ;) {
    const found = await read({ ...start, after })
    yield found
    if (found.last === undefined) return
    after = found.last
  }
}

async function* recordBatches(
  trx: Kysely<Schema>,
  context: EngineContext,
  model: CompiledModel,
  filter: Filter | undefined,
  start: Page,
): AsyncGenerator<Found<DirtyRecord>> {
  if (model.selfReference === undefined) {
    yield* pages(start, (page) => readDirty(trx, model, filter, page))
    return
  }
  const ids = parentsFirst(await readDirtyParents(trx, model, filter))
  for (let from = 0; from < ids.length; from += start.size) {
    const records = await readDirtyByIds(trx, context.database.dialect, ids.slice(from, from + start.size))
    // A hierarchy is not taken by number, and so as a whole, in one turn.
    yield { records, last: undefined, whole: false }
  }
}
