import { type Kysely } from 'kysely'
import type { Filter } from '../core/filter.ts'
import type { CompiledModel } from '../models/compiled.ts'
import type { DeserializeResult, WorkOptions } from '../session/ports.ts'
import { applyDeletions } from './apply-deletions.ts'
import { applyRecords } from './apply-records.ts'
import { BATCH, type EngineContext, requireProfile } from './context.ts'
import {
  markUnknownModels,
  modelsWithDirtyDeletions,
  readDirty,
  readDirtyByIds,
  readDirtyDeletions,
  readDirtyParents,
} from './dirty.ts'
import { parentsFirst } from './hierarchy.ts'
import type { PresentRows } from './references.ts'
import type { Schema } from './schema.ts'
import { serializeIn } from './serialize.ts'

/**
 * Store to application rows (protocol §9), in the caller's transaction: changed rows are serialized first, then
 * deletions are applied, children before parents, then records, parents before children. A record that cannot
 * be applied waits with its reason, alone.
 */
export async function deserializeIn(
  trx: Kysely<Schema>,
  context: EngineContext,
  options: { profile: string; filter?: Filter | undefined; raise?: 'always' | 'if-needed' } & WorkOptions,
): Promise<DeserializeResult> {
  const profile = requireProfile(context, options.profile)
  await serializeIn(trx, context, { raise: 'always', ...options, onProgress: undefined })
  const total = { written: 0, deleted: 0, failed: 0 }
  const step = (part: { written?: number; deleted?: number; failed?: number }): void => {
    total.written += part.written ?? 0
    total.deleted += part.deleted ?? 0
    total.failed += part.failed ?? 0
    options.signal?.throwIfAborted()
    options.onProgress?.({ done: total.written + total.deleted + total.failed, total: undefined })
  }

  const undeleted: { model: CompiledModel; hard: boolean; ids: string[] }[] = []
  const deletedModels = await modelsWithDirtyDeletions(trx, profile.name)
  for (const model of profile.models.toReversed()) {
    if (!deletedModels.has(model.name)) continue
    for (let after = 0; ;) {
      const batch = await readDirtyDeletions(trx, model, options.filter, after)
      const last = batch.at(-1)
      if (last === undefined) break
      after = last.no
      for (const hard of [false, true]) {
        const ids = batch.filter((record) => (record.hard === 1) === hard).map((record) => record.id)
        if (ids.length === 0) continue
        const { deleted, failed } = await applyDeletions(trx, context, model, ids, { hard })
        if (failed.length > 0) undeleted.push({ model, hard, ids: failed.map(({ id }) => id) })
        step({ deleted })
      }
      if (batch.length < BATCH) break
    }
  }
  const present: PresentRows = new Map()
  for (const model of profile.models) {
    for await (const records of dirtyBatches(trx, context, model, options.filter)) {
      step(await applyRecords(trx, context, model, records, present))
    }
  }
  // What still referred to these rows may have been moved elsewhere by now.
  for (const { model, hard, ids } of undeleted) {
    const { deleted, failed } = await applyDeletions(trx, context, model, ids, { hard, keepFailures: true })
    step({ deleted, failed: failed.length })
  }
  const known = profile.models.map((model) => model.name)
  await markUnknownModels(trx, profile.name, known, context.clock.now().toISOString())
  return total
}

async function* dirtyBatches(
  trx: Kysely<Schema>,
  context: EngineContext,
  model: CompiledModel,
  filter: Filter | undefined,
): AsyncGenerator<Awaited<ReturnType<typeof readDirty>>> {
  if (model.selfReference !== undefined) {
    const ids = parentsFirst(await readDirtyParents(trx, model, filter))
    for (let start = 0; start < ids.length; start += BATCH) {
      yield await readDirtyByIds(trx, context.database.dialect, ids.slice(start, start + BATCH))
    }
    return
  }
  for (let after = 0; ;) {
    const records = await readDirty(trx, model, filter, after)
    const last = records.at(-1)
    if (last === undefined) return
    after = last.no
    yield records
    if (records.length < BATCH) return
  }
}
