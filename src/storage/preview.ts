import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Filter } from '../core/filter.ts'
import type { CompiledModel } from '../models/compiled.ts'
import type { FsicFormat, PreviewedModel, QueuePreview } from '../session/ports.ts'
import { type EngineContext, requireProfile } from './context.ts'
import type { Dialect } from './dialect.ts'
import { readFsic } from './fsic.ts'
import { currentInstance } from './instance.ts'
import { conditionsOf, rangesToQueue } from './queue.ts'
import { rowColumns } from './row-columns.ts'
import type { Schema } from './schema.ts'
import { type Candidate, decide, type Stored } from './serialize-decision.ts'
import { WITHHELD } from './withheld.ts'

/** What would be queued for whom. */
export interface PreviewOptions {
  readonly profile: string
  readonly filter: Filter
  /** What the receiver has, as it says itself. */
  readonly peerFsic: string
  readonly format: FsicFormat
  readonly signal?: AbortSignal | undefined
}

/** So many ids are named. More would cost more than they tell. */
const MOST_IDS = 10_000
const BATCH = 2000

/**
 * What a transfer would send to a receiver: the Store's records that it lacks, and the pending changes as they would
 * be serialized. Reads only, and stamps nothing.
 *
 * @throws MorangoError `fsic-malformed`, `fsic-outside-filter`
 */
export async function previewQueue(
  db: Kysely<Schema>,
  context: EngineContext,
  options: PreviewOptions,
): Promise<QueuePreview> {
  const { dialect } = context.database
  const profile = requireProfile(context, options.profile)
  const ownFsic = await readFsic(db, { ...options, role: 'producer' })
  const ranges = rangesToQueue({ ...options, ownFsic })
  const lacking: Lacking = {
    dialect,
    profile: profile.name,
    conditions: conditionsOf(ranges).map((wanted) => sql<boolean>`(${wanted} and not ${WITHHELD})`),
  }
  const { id: instance } = await currentInstance(db)
  const models = new Map<string, PreviewedModel>()
  for (const row of await countStored(db, lacking)) add(models, row, 1)
  let unserializable = 0
  const pendingIds: string[] = []
  for (const model of profile.models) {
    for (let after = ''; ;) {
      options.signal?.throwIfAborted()
      const batch = await readPending(db, model, { after, size: BATCH })
      const last = batch.at(-1)
      if (last === undefined) break
      after = last.morango_record_id
      const stored = await readStored(db, dialect, batch)
      const settled: string[] = []
      for (const candidate of batch) {
        const id = candidate.morango_record_id
        const outcome = decide(
          model,
          candidate,
          stored.get(id),
          options.filter,
          instance,
          context.maxRecordBytes,
        )
        if (outcome.kind === 'kept' && outcome.kept.failure !== undefined) unserializable += 1
        if (outcome.kind === 'kept' || outcome.kind === 'nothing') continue
        const deletions = outcome.kind === 'deleted' || outcome.kind === 'hard-deleted' ? 1 : 0
        const bytes = textLength(outcome.row.values)
        add(models, { model: model.name, records: 1, deletions, bytes }, 1)
        settled.push(id)
      }
      // Their versions in the Store would not be sent any more.
      for (const row of await countStored(db, lacking, settled)) add(models, row, -1)
      for (const id of settled) if (pendingIds.length <= MOST_IDS) pendingIds.push(id)
      if (batch.length < BATCH) break
    }
  }
  const ids = new Set([...pendingIds, ...(await storedIds(db, lacking))])
  return {
    models: [...models.values()].filter(({ records }) => records > 0),
    ids: ids.size > MOST_IDS ? undefined : [...ids],
    unserializable,
  }
}

/**
 * How many of the records named were changed here since the receiver has heard of them: those of them that a peer sends
 * are conflicts.
 */
export async function countChanged(
  db: Kysely<Schema>,
  context: EngineContext,
  options: PreviewOptions & { readonly ids: readonly string[] },
): Promise<number> {
  const { dialect } = context.database
  const profile = requireProfile(context, options.profile)
  const ownFsic = await readFsic(db, { ...options, role: 'producer' })
  const ranges = rangesToQueue({ ...options, ownFsic })
  const models = sql.join(profile.models.map((model) => model.name))
  const among = sql`in (select value from ${dialect.list(JSON.stringify(options.ids))})`
  const changed = await sql<{ id: string }>`
    select record_id as id from morango_pending where model_name in (${models}) and record_id ${among}
    union select record_id from morango_change_log where model_name in (${models}) and record_id ${among}`.execute(
    db,
  )
  const ids = new Set(changed.rows.map(({ id }) => id))
  for (const condition of conditionsOf(ranges)) {
    const stored = await sql<{ id: string }>`select s.id from morango_store s
      where s.id ${among} and s.profile = ${profile.name} and ${condition}`.execute(db)
    for (const { id } of stored.rows) ids.add(id)
  }
  return ids.size
}

interface Lacking {
  readonly dialect: Dialect
  readonly profile: string
  readonly conditions: readonly RawBuilder<boolean>[]
}

async function countStored(
  db: Kysely<Schema>,
  { dialect, profile, conditions }: Lacking,
  only?: readonly string[],
): Promise<PreviewedModel[]> {
  if (only?.length === 0) return []
  const among =
    only === undefined ? sql`` : sql`and s.id in (select value from ${dialect.list(JSON.stringify(only))})`
  const counts: PreviewedModel[] = []
  for (const condition of conditions) {
    const { rows } = await sql<PreviewedModel>`select s.model_name as model, count(*) as records,
        sum(s.deleted) as deletions,
        sum(length(s.serialized) + length(s.conflicting_serialized_data)) as bytes
      from morango_store s where s.profile = ${profile} and ${condition} ${among}
      group by s.model_name order by s.model_name`.execute(db)
    for (const { model, records, deletions, bytes } of rows) {
      counts.push({
        model,
        records: Number(records),
        deletions: Number(deletions),
        bytes: Number(bytes),
      })
    }
  }
  return counts
}

async function storedIds(db: Kysely<Schema>, { profile, conditions }: Lacking): Promise<string[]> {
  const ids: string[] = []
  for (const condition of conditions) {
    if (ids.length > MOST_IDS) break
    const result = await sql<{ id: string }>`select s.id from morango_store s
      where s.profile = ${profile} and ${condition} limit ${MOST_IDS + 1}`.execute(db)
    ids.push(...result.rows.map(({ id }) => id))
  }
  return ids
}

function add(models: Map<string, PreviewedModel>, row: PreviewedModel, sign: 1 | -1): void {
  const { model } = row
  const present = models.get(model) ?? { model, records: 0, deletions: 0, bytes: 0 }
  models.set(model, {
    model,
    records: present.records + sign * row.records,
    deletions: present.deletions + sign * row.deletions,
    bytes: present.bytes + sign * row.bytes,
  })
}

// Of a row for the Store only its JSON and what lost conflicts are long.
function textLength(values: readonly unknown[]): number {
  return [values[3], values[4]].reduce<number>(
    (sum, value) => sum + (typeof value === 'string' ? value.length : 0),
    0,
  )
}

/** Pending changes, those that are still in the change log too: folding it would be writing. */
async function readPending(
  db: Kysely<Schema>,
  model: CompiledModel,
  { after, size }: { readonly after: string; readonly size: number },
): Promise<Candidate[]> {
  const result = await sql<Candidate>`
    select p.record_id as morango_record_id, p.hard as morango_hard,
      ${sql.raw(model.id.read('t.id'))} as morango_row_exists, s.id as morango_store_exists, ${rowColumns(model)}
    from (select q.record_id, max(q.hard) as hard from (
        select record_id, hard from morango_pending where model_name = ${model.name} and record_id > ${after}
        union all
        select record_id, hard from morango_change_log where model_name = ${model.name} and record_id > ${after}) q
      group by q.record_id order by q.record_id limit ${size}) p
    left join ${sql.id(model.table)} t on t.id = ${sql.raw(model.id.cast('p.record_id'))}
    left join morango_store s on s.id = p.record_id
    order by p.record_id`.execute(db)
  return result.rows
}

async function readStored(
  db: Kysely<Schema>,
  dialect: Dialect,
  batch: readonly Candidate[],
): Promise<Map<string, Stored>> {
  const ids = batch.flatMap((candidate) => candidate.morango_store_exists ?? [])
  if (ids.length === 0) return new Map()
  const result = await sql<Stored>`select s.id, s.partition, s.source_id as "sourceId", s.serialized,
      s.conflicting_serialized_data as conflicting, s.self_ref_fk as "selfRef", s.deleted,
      s.hard_deleted as "hardDeleted", s.last_transfer_session_id as transfer, d.store_no as dirty,
      s.model_name as model
    from morango_store s left join morango_dirty d on d.model_name = s.model_name and d.store_no = s.no
    where s.id in (select value from ${dialect.list(JSON.stringify(ids))})`.execute(db)
  return new Map(result.rows.map((row) => [row.id, row]))
}
