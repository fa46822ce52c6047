import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Filter } from '../core/filter.ts'
import type { CompiledModel } from '../models/compiled.ts'
import { BATCH } from './context.ts'
import type { Dialect } from './dialect.ts'
import { partitionIn } from './ranges.ts'
import type { Flag, Schema } from './schema.ts'

/** Where a pass over dirty records has come to: they are taken by partition, then by id. */
export interface DirtyPosition {
  readonly partition: string
  readonly id: string
}

/** Before the first one. */
export const DIRTY_START: DirtyPosition = { partition: '', id: '' }

/** A Store record that waits to be deserialized. */
export interface DirtyRecord extends DirtyPosition {
  readonly serialized: string
  readonly sourceId: string
}

/** Why a record could not be applied. */
export interface Failure {
  readonly id: string
  readonly code: string
  readonly message: string
}

/**
 * The next dirty, not deleted records of a model under the filter. Those of one partition come together: they
 * tend to refer to the same rows, and so to lie together in the indexes of their table.
 */
export async function readDirty(
  trx: Kysely<Schema>,
  model: CompiledModel,
  filter: Filter | undefined,
  after: DirtyPosition,
): Promise<DirtyRecord[]> {
  const result = await sql<DirtyRecord>`select s.id, s.partition, s.serialized, s.source_id as "sourceId"
    ${nextDirty(model, filter, after, 0)}`.execute(trx)
  return result.rows
}

/** The same records by id. */
export async function readDirtyByIds(
  trx: Kysely<Schema>,
  dialect: Dialect,
  ids: readonly string[],
): Promise<DirtyRecord[]> {
  const result = await sql<DirtyRecord>`select s.id, s.partition, s.serialized, s.source_id as "sourceId"
    from morango_store s where s.id in (select value from ${dialect.list(JSON.stringify(ids))})`.execute(trx)
  const byId = new Map(result.rows.map((row) => [row.id, row]))
  return ids.flatMap((id) => byId.get(id) ?? [])
}

/** Ids and parents of a self-referencing model's dirty, not deleted records under the filter. */
export async function readDirtyParents(
  trx: Kysely<Schema>,
  model: CompiledModel,
  filter: Filter | undefined,
): Promise<{ id: string; selfRefFk: string }[]> {
  const result = await sql<{ id: string; selfRefFk: string }>`select s.id, s.self_ref_fk as "selfRefFk"
    from morango_dirty d join morango_store s on s.id = d.id
    where d.model_name = ${model.name} and s.profile = ${model.profile} and s.deleted = 0 and ${within(filter)}
    order by d.id`.execute(trx)
  return result.rows
}

/** The models that have any dirty, deleted record, so that the others need not be looked through. */
export async function modelsWithDirtyDeletions(trx: Kysely<Schema>, profile: string): Promise<Set<string>> {
  const result = await sql<{ model: string }>`select distinct d.model_name as model from morango_dirty d
    where d.deleted = 1 and exists (select 1 from morango_store s where s.id = d.id and s.profile = ${profile})`.execute(
    trx,
  )
  return new Set(result.rows.map((row) => row.model))
}

/** The next dirty, deleted records of a model under the filter. */
export async function readDirtyDeletions(
  trx: Kysely<Schema>,
  model: CompiledModel,
  filter: Filter | undefined,
  after: DirtyPosition,
): Promise<(DirtyPosition & { readonly hard: Flag })[]> {
  const result = await sql<DirtyPosition & { hard: Flag }>`select d.partition, d.id, s.hard_deleted as hard
    ${nextDirty(model, filter, after, 1)}`.execute(trx)
  return result.rows
}

/** Records that are applied: they wait no longer, and their reason is gone. */
export async function clearDirty(
  trx: Kysely<Schema>,
  dialect: Dialect,
  model: CompiledModel,
  ids: readonly string[],
): Promise<void> {
  if (ids.length === 0) return
  await sql`delete from morango_dirty where model_name = ${model.name} and (partition, id) in (
    select s.partition, s.id from morango_store s
    where s.id in (select value from ${dialect.list(JSON.stringify(ids))}))`.execute(trx)
}

/** The same for records read by a pass, whose place among the dirty ones is known. */
export async function clearDirtyPass(
  trx: Kysely<Schema>,
  dialect: Dialect,
  model: CompiledModel,
  pass: readonly DirtyPosition[],
  ids: readonly string[],
): Promise<void> {
  const [first, last] = [pass[0], pass.at(-1)]
  if (ids.length === 0 || first === undefined || last === undefined) return
  await sql`delete from morango_dirty where model_name = ${model.name}
    and (partition, id) >= (${first.partition}, ${first.id}) and (partition, id) <= (${last.partition}, ${last.id})
    and id in (select value from ${dialect.list(JSON.stringify(ids))})`.execute(trx)
}

/** Records that could not be applied: they go on waiting, with the reason. */
export async function keepDirty(
  trx: Kysely<Schema>,
  model: CompiledModel,
  failures: readonly Failure[],
  now: string,
): Promise<void> {
  for (const { id, code, message } of failures) {
    await sql`update morango_dirty set error_code = ${code}, error_message = ${message},
        first_failed_at = coalesce(first_failed_at, ${now}), last_failed_at = ${now}, tries = tries + 1
      where model_name = ${model.name} and id = ${id}
        and partition = (select s.partition from morango_store s where s.id = ${id})`.execute(trx)
  }
}

/** Records of models that this profile does not have wait until a release that knows them; say so. */
export async function markUnknownModels(
  trx: Kysely<Schema>,
  profile: string,
  known: readonly string[],
  now: string,
): Promise<void> {
  await sql`update morango_dirty set error_code = 'unknown-model',
      error_message = 'This application has no such model (yet). The record waits in the store.',
      first_failed_at = ${now}, last_failed_at = ${now}
    where error_code is null and model_name not in (${sql.join(known)})
      and exists (select 1 from morango_store s where s.id = morango_dirty.id and s.profile = ${profile})`.execute(
    trx,
  )
}

function nextDirty(
  model: CompiledModel,
  filter: Filter | undefined,
  after: DirtyPosition,
  deleted: Flag,
): RawBuilder<unknown> {
  return sql`from morango_dirty d join morango_store s on s.id = d.id
    where d.model_name = ${model.name} and (d.partition, d.id) > (${after.partition}, ${after.id})
      and s.profile = ${model.profile} and s.deleted = ${deleted} and ${within(filter)}
    order by d.partition, d.id limit ${BATCH}`
}

function within(filter: Filter | undefined): RawBuilder<boolean> {
  return filter === undefined ? sql<boolean>`1 = 1` : partitionIn(sql`d.partition`, filter)
}
