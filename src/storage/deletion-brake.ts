import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Filter } from '../core/filter.ts'
import { MorangoError } from '../core/errors.ts'
import type { CompiledModel } from '../models/compiled.ts'
import { DEFAULT_DELETION_BRAKE, type DeletionBrake } from '../models/deletion-brake.ts'
import { type EngineContext, requireProfile } from './context.ts'
import type { Dialect } from './dialect.ts'
import { heldDeletions } from './held-deletions.ts'
import { pendingRows, pendingUnder } from './pending.ts'
import { partitionIn } from './ranges.ts'
import type { Schema } from './schema.ts'

/** What a serialization or deserialization works on. */
interface Scope {
  readonly profile: string
  readonly filter?: Filter | undefined
}

/** A model of which too much would be deleted. */
interface Excess {
  readonly model: string
  readonly deleted: number
  readonly records: number
  /** Whether a tool rebuilt its table, or one it refers to, since it was synced last. */
  readonly held: boolean
}

/**
 * Refuses to serialize a mass of deletions that nobody has confirmed: a migration tool, a test run against the wrong
 * database or a forgotten `where` must not travel to every peer. Looks at all that is pending of a model, whatever the
 * filter, for by parts each would be few. Costs by the number of pending changes; the Store's records are counted
 * only when there are deletions enough.
 *
 * @throws MorangoError `too-many-deletions`
 */
export async function requirePlausibleDeletions(
  trx: Kysely<Schema>,
  context: EngineContext,
  { profile: name, filter }: Scope,
): Promise<void> {
  const { dialect } = context.database
  const profile = requireProfile(context, name)
  const pending = await sql<{
    model: string
  }>`select distinct model_name as model from ${pendingRows(dialect)} p
    where hard = 0 and ${pendingUnder(filter, sql`p.partition`)}`.execute(trx)
  let held: ReadonlySet<string> | undefined
  const excesses: Excess[] = []
  for (const { model: known } of pending.rows) {
    const model = profile.model(known)
    if (model === undefined) continue
    if ((await countPendingDeletions(trx, dialect, model, filter)) === 0) continue
    held ??= await heldDeletions(trx, profile.name)
    const isHeld = held.has(model.name)
    const brake = brakeOf(context, model)
    if (!isHeld && brake === false) continue
    const deleted = await countPendingDeletions(trx, dialect, model, undefined)
    if (!isHeld && (brake === false || deleted <= brake.count)) continue
    const records = await countLive(trx, model)
    if (isHeld || (brake !== false && deleted > records * brake.share)) {
      excesses.push({ model: model.name, deleted, records, held: isHeld })
    }
  }
  if (excesses.length > 0) throw tooManyDeletions(excesses)
}

/** How many records of a model are pending because their rows were deleted, hard deletions aside. */
export async function countPendingDeletions(
  db: Kysely<Schema>,
  dialect: Dialect,
  model: CompiledModel,
  filter: Filter | undefined,
): Promise<number> {
  const within = filter === undefined ? sql`1 = 1` : partitionIn(sql`s.partition`, filter)
  const found = await sql<{ deleted: number }>`select count(*) as deleted
    from (select p.record_id from ${pendingRows(dialect)} p where p.model_name = ${model.name} and p.hard = 0
      and ${pendingUnder(filter, sql`p.partition`)}) p
    join morango_store s on s.id = p.record_id
    where s.deleted = 0 and ${within} and ${rowIsGone(model, 'p.record_id')}`.execute(db)
  return Number(found.rows[0]?.deleted ?? 0)
}

/** SQL condition: the application has no row of that id. */
export function rowIsGone(model: CompiledModel, id: string): RawBuilder<boolean> {
  return sql<boolean>`not exists (select 1 from ${sql.id(model.table)} t
    where t.id = ${sql.raw(model.id.cast(id))})`
}

/**
 * The models of which too many deletions have arrived to be taken for meant; those deletions are noted as waiting
 * with that reason. None unless the application asked for it.
 */
export async function holdArrivingDeletions(
  trx: Kysely<Schema>,
  context: EngineContext,
  { profile: name, filter }: Scope,
): Promise<{ readonly models: ReadonlySet<string>; readonly waiting: number }> {
  const models = new Set<string>()
  let waiting = 0
  for (const model of requireProfile(context, name).models) {
    const brake = brakeOf(context, model)
    if (brake === false) continue
    const arrived = sql`from morango_dirty d join morango_store s on s.no = d.store_no
      where d.model_name = ${model.name} and d.deleted = 1 and s.profile = ${model.profile}`
    const found = await sql<{ deleted: number }>`select count(*) as deleted ${arrived}
      and exists (select 1 from ${sql.id(model.table)} t where t.id = ${sql.raw(model.id.cast('s.id'))})`.execute(
      trx,
    )
    const deleted = Number(found.rows[0]?.deleted ?? 0)
    if (deleted <= brake.count) continue
    const records = deleted + (await countLive(trx, model))
    if (deleted <= records * brake.share) continue
    models.add(model.name)
    const within = filter === undefined ? sql`1 = 1` : partitionIn(sql`s.partition`, filter)
    const now = context.clock.now().toISOString()
    const message =
      `${deleted} of ${records} records of this model were deleted at a peer, which is more than may be ` +
      `taken for meant. They stay here until that is confirmed.`
    const noted =
      await sql`update morango_dirty set error_code = 'too-many-deletions', error_message = ${message},
        first_failed_at = coalesce(first_failed_at, ${now}), last_failed_at = ${now}, tries = tries + 1
      where model_name = ${model.name} and deleted = 1
        and store_no in (select d.store_no ${arrived} and ${within})`.execute(trx)
    waiting += Number(noted.numAffectedRows ?? 0n)
  }
  return { models, waiting }
}

function brakeOf(context: EngineContext, model: CompiledModel): DeletionBrake | false {
  return model.deletionBrake ?? context.deletionBrake ?? DEFAULT_DELETION_BRAKE
}

async function countLive(trx: Kysely<Schema>, model: CompiledModel): Promise<number> {
  const found = await sql<{ records: number }>`select count(*) as records from morango_store
    where profile = ${model.profile} and model_name = ${model.name} and deleted = 0`.execute(trx)
  return Number(found.rows[0]?.records ?? 0)
}

function tooManyDeletions(excesses: readonly Excess[]): MorangoError {
  const what = excesses
    .map(({ model, deleted, records }) => `${deleted} of ${records} of "${model}"`)
    .join(', ')
  const rebuilt = excesses.some(({ held }) => held)
    ? ' A tool rebuilt tables since the last sync, which may have deleted them by cascade.'
    : ''
  return new MorangoError(
    'too-many-deletions',
    `Records would be deleted on every peer: ${what}.${rebuilt} Nothing was serialized.`,
    {
      hint:
        'If they were deleted by accident, `morango rescan --restore` brings the rows back; if on purpose, ' +
        'go on with --confirm-deletions (confirmDeletions: true).',
      details: { models: excesses },
    },
  )
}
