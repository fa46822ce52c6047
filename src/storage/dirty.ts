import { type Kysely, type RawBuilder, sql } from 'kysely'
import { compareCodePoints } from '../core/code-points.ts'
import type { Filter } from '../core/filter.ts'
import type { CompiledModel } from '../models/compiled.ts'
import { DELETED_BY } from './deletion-source.ts'
import type { Dialect } from './dialect.ts'
import { type Node, parentIn } from './hierarchy.ts'
import { partitionIn } from './ranges.ts'
import { LONGEST_PAUSE_MS, nextTry } from './retry.ts'
import type { Flag, Schema } from './schema.ts'

/** The records after a number, so many at most. */
export interface Page {
  readonly after: number
  readonly size: number
}

/** What was found for a {@link Page}: those of its records that were asked for, under the filter. */
export interface Found<Row> {
  readonly records: readonly Row[]
  /** The number of the last record that was looked at; undefined when there are no more. */
  readonly last: number | undefined
  /** Whether they are all that wait from the first of them to the last, the deleted or those not deleted. */
  readonly whole: boolean
}

/** A Store record that waits to be deserialized. */
export interface DirtyRecord {
  /** Its number in the Store: a pass takes records in the order in which they first arrived. */
  readonly no: number
  readonly id: string
  readonly serialized: string
  readonly sourceId: string
  readonly partition: string
}

const RECORD = sql`s.serialized, s.source_id as "sourceId", s.partition`

/** Why a record could not be applied. */
export interface Failure {
  readonly id: string
  readonly code: string
  readonly message: string
  /** The record that it waits for: when that arrives or changes, it is tried again at once. */
  readonly waitsFor?: string | undefined
}

/** The next dirty, not deleted records of a model under the filter. */
export async function readDirty(
  trx: Kysely<Schema>,
  model: CompiledModel,
  filter: Filter | undefined,
  page: Page,
): Promise<Found<DirtyRecord>> {
  return await readPage(trx, RECORD, model, filter, page, 0)
}

/** The same records by id. */
export async function readDirtyByIds(
  trx: Kysely<Schema>,
  dialect: Dialect,
  ids: readonly string[],
): Promise<DirtyRecord[]> {
  const result =
    await sql<DirtyRecord>`select s.no, s.id, ${RECORD} from morango_store s where s.id in (select value from ${dialect.list(JSON.stringify(ids))})`.execute(
      trx,
    )
  const byId = new Map(result.rows.map((row) => [row.id, row]))
  return ids.flatMap((id) => byId.get(id) ?? [])
}

const PARENTS = 1000

/**
 * Ids and parents of a self-referencing model's dirty, not deleted records under the filter, by id. The parent is what
 * the record's JSON says: the original notes it beside only once, so that it may be an old one (protocol §7).
 */
export async function readDirtyParents(
  trx: Kysely<Schema>,
  model: CompiledModel,
  filter: Filter | undefined,
): Promise<Node[]> {
  const nodes: Node[] = []
  for (let after = 0; ;) {
    const { rows } = await sql<{ no: number; id: string; serialized: string; noted: string }>`
      select d.store_no as no, s.id, s.serialized, s.self_ref_fk as noted
      from morango_dirty d join morango_store s on s.no = d.store_no
      where d.model_name = ${model.name} and d.store_no > ${after} and d.deleted = 0 and d.next_try_at = 0
        and s.profile = ${model.profile} and s.deleted = 0
        and ${within(filter)}
      order by d.store_no limit ${PARENTS}`.execute(trx)
    for (const { id, serialized, noted } of rows) {
      nodes.push({ id, parent: parentIn(serialized, model.selfReference) ?? noted })
    }
    const last = rows.at(-1)
    if (last === undefined || rows.length < PARENTS) break
    after = Number(last.no)
  }
  return nodes.toSorted((a, b) => compareCodePoints(a.id, b.id))
}

/** The models that have any dirty, deleted record, so that the others need not be looked through. */
export async function modelsWithDirtyDeletions(
  trx: Kysely<Schema>,
  dialect: Dialect,
  models: readonly string[],
): Promise<Set<string>> {
  const result = await sql<{ model: string }>`select m.value as model
    from ${dialect.list(JSON.stringify(models))} m where exists (select 1 from morango_dirty d
      where d.model_name = m.value and d.deleted = 1 and d.next_try_at = 0)`.execute(trx)
  return new Set(result.rows.map((row) => row.model))
}

/** A deleted Store record that waits to be deserialized. */
export interface DirtyDeletion {
  readonly no: number
  readonly id: string
  readonly hard: Flag
  readonly sourceId: string
  readonly partition: string
  /** The transfer that brought it; null when it is this device's own. */
  readonly transfer: string | null
}

const DELETION = sql`s.hard_deleted as hard, s.source_id as "sourceId", s.partition,
  ${DELETED_BY} as transfer`

/** The next dirty, deleted records of a model under the filter. */
export async function readDirtyDeletions(
  trx: Kysely<Schema>,
  model: CompiledModel,
  filter: Filter | undefined,
  page: Page,
): Promise<Found<DirtyDeletion>> {
  return await readPage(trx, DELETION, model, filter, page, 1)
}

/** Records that are applied: they wait no longer, and their reason is gone. */
export async function clearDirty(
  trx: Kysely<Schema>,
  dialect: Dialect,
  model: CompiledModel,
  ids: readonly string[],
): Promise<void> {
  if (ids.length === 0) return
  await sql`delete from morango_dirty where model_name = ${model.name} and store_no in (
    select s.no from morango_store s
    where s.id in (select value from ${dialect.list(JSON.stringify(ids))}))`.execute(trx)
}

/** The same for some of the records that {@link readDirty} has found. */
export async function clearApplied(
  trx: Kysely<Schema>,
  dialect: Dialect,
  model: CompiledModel,
  { records, whole }: Pick<Found<DirtyRecord>, 'records' | 'whole'>,
  applied: ReadonlySet<string>,
): Promise<void> {
  const numbers = records.filter(({ id }) => applied.has(id)).map(({ no }) => no)
  const [first, last] = [numbers[0], numbers.at(-1)]
  if (first === undefined || last === undefined) return
  if (whole) {
    // As a range that takes a fraction of the time.
    const others = records.flatMap(({ id, no }) => (applied.has(id) ? [] : [no]))
    const waiting =
      others.length === 0 ? sql`` : sql` and store_no not in (${sql.join(paddedToPower(others))})`
    await sql`delete from morango_dirty where model_name = ${model.name} and store_no >= ${first}
      and store_no <= ${last} and deleted = 0 and next_try_at = 0${waiting}`.execute(trx)
    return
  }
  await sql`delete from morango_dirty where model_name = ${model.name} and store_no in (
    select cast(value as bigint) from ${dialect.list(JSON.stringify(numbers))})`.execute(trx)
}

// SQLite looks a query's result up for each row in four times the time of such a list; few lengths occur.
function paddedToPower(numbers: readonly number[]): number[] {
  const length = 2 ** Math.ceil(Math.log2(numbers.length))
  return Array.from({ length }, (_, index) => numbers[Math.min(index, numbers.length - 1)] ?? 0)
}

/** Records that could not be applied: they go on waiting, with the reason. */
export async function keepDirty(
  trx: Kysely<Schema>,
  dialect: Dialect,
  model: CompiledModel,
  failures: readonly Failure[],
  now: string,
): Promise<void> {
  if (failures.length === 0) return
  const reasons = JSON.stringify(
    Object.fromEntries(failures.map(({ id, code, message, waitsFor }) => [id, { code, message, waitsFor }])),
  )
  const next = (tries: string): RawBuilder<number> => sql.raw(nextTry(Date.parse(now), tries))
  // They wait already. As an update it would be left to a planner to begin with the few and not with all that wait.
  await sql`insert into morango_dirty (model_name, store_no, deleted, error_code, error_message, first_failed_at,
      last_failed_at, tries, next_try_at, waits_for)
    select s.model_name, s.no, s.deleted, ${dialect.textAt(sql`m.value`, 'code')},
      ${dialect.textAt(sql`m.value`, 'message')}, ${now}, ${now}, 1, ${next('0')},
      ${dialect.textAt(sql`m.value`, 'waitsFor')}
    from ${dialect.members(sql`${reasons}`)} m join morango_store s on s.id = m.key
    where s.model_name = ${model.name}
    on conflict (model_name, store_no) do update set error_code = excluded.error_code,
      error_message = excluded.error_message, last_failed_at = excluded.last_failed_at,
      first_failed_at = coalesce(morango_dirty.first_failed_at, excluded.first_failed_at),
      tries = morango_dirty.tries + 1, next_try_at = ${next('morango_dirty.tries')},
      waits_for = excluded.waits_for`.execute(trx)
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
      first_failed_at = coalesce(first_failed_at, ${now}), last_failed_at = ${now}, next_try_at = ${Date.parse(now) + LONGEST_PAUSE_MS}
    where next_try_at = 0 and model_name not in (${sql.join(known)})
      and exists (select 1 from morango_store s where s.no = morango_dirty.store_no and s.profile = ${profile})`.execute(
    trx,
  )
}

// The page is cut before the records are read, and what they must be is no condition of the join: a planner that has
// no statistics yet would take few to be so, and read all of the Store for each page.
async function readPage<Row extends { readonly no: number; readonly id: string }>(
  trx: Kysely<Schema>,
  columns: RawBuilder<unknown>,
  model: CompiledModel,
  filter: Filter | undefined,
  { after, size }: Page,
  deleted: Flag,
): Promise<Found<Row>> {
  const found = await sql<Row | { readonly no: number; readonly id: null }>`select d.store_no as no,
      case when s.profile = ${model.profile} and s.deleted = ${deleted} and ${within(filter)} then s.id end as id,
      ${columns}
    from (select store_no from morango_dirty
      where model_name = ${model.name} and store_no > ${after} and deleted = ${sql.lit(deleted)}
        and next_try_at = 0
      order by store_no limit ${size}) d
    left join morango_store s on s.no = d.store_no`.execute(trx)
  // Here, for SQLite would carry whole records through its sorter.
  const rows = found.rows.toSorted((a, b) => a.no - b.no)
  return {
    records: rows.filter((row): row is Row => row.id !== null),
    last: rows.length < size ? undefined : rows.at(-1)?.no,
    whole: rows.every(({ id }) => id !== null),
  }
}

function within(filter: Filter | undefined): RawBuilder<boolean> {
  return filter === undefined ? sql<boolean>`1 = 1` : partitionIn(sql`s.partition`, filter)
}

/** Records that have to be applied, again or for the first time: what was wrong with an earlier version is past. */
export async function markDirty(trx: Kysely<Schema>, records: RawBuilder<unknown>): Promise<void> {
  await sql`insert into morango_dirty (model_name, store_no, deleted, tries)
    select x.model_name, x.no, x.deleted, 0 from (${records}) x where 1 = 1 order by x.model_name, x.no
    on conflict (model_name, store_no) do update set deleted = excluded.deleted, error_code = null,
      error_message = null, first_failed_at = null, last_failed_at = null, tries = 0, next_try_at = 0,
      waits_for = null`.execute(trx)
}

/** The same for records by their ids. @param ids as a JSON list */
export async function markDirtyByIds(trx: Kysely<Schema>, dialect: Dialect, ids: string): Promise<void> {
  await markDirty(
    trx,
    sql`select s.model_name, s.no, s.deleted from morango_store s where s.id in (select value from ${dialect.list(ids)})`,
  )
}
