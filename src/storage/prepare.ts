import { type Kysely, sql } from 'kysely'
import { compileProfile, missingSourceIdColumn } from '../models/compile-profile.ts'
import type { CompiledModel, CompiledProfile } from '../models/compiled.ts'
import type { Profile } from '../models/profile.ts'
import { countPendingDeletions } from './deletion-brake.ts'
import type { Database, Dialect } from './dialect.ts'
import { fillColumns } from './fill-columns.ts'
import { holdDeletions } from './held-deletions.ts'
import { markedMigration, unmarkMigration } from './migration-mark.ts'
import { migrateOwnTables } from './migrations.ts'
import { foldChangeLog } from './pending.ts'
import { readTables } from './read-tables.ts'
import { differs, rescanIn, type RescanFinding } from './rescan.ts'
import { takeBackDeletions } from './restore-deleted.ts'
import { quote } from './rows.ts'
import type { Schema } from './schema.ts'
import { recoverSourceIds } from './source-ids.ts'
import { changedColumns, newColumns, noteColumns, notedColumns } from './synced-columns.ts'
import { isTracking, untracked } from './tracking.ts'
import { inTransaction } from './transaction.ts'

/** What {@link migrate} changed on the application's tables. */
export interface MigrationReport {
  /** Columns added for random source ids, as `table.column`. */
  readonly addedColumns: readonly string[]
  /** Models whose columns had changed since they were last made ready, and how, in words. */
  readonly changedColumns: readonly { readonly model: string; readonly change: string }[]
  /** Tables whose triggers were made or made anew. */
  readonly tracked: readonly string[]
  /** Rows in which a column that is new here got what peers had written into theirs before. */
  readonly filled: number
  /** Changes that no trigger had seen, and that are now due to be serialized. */
  readonly logged: number
  /** What they are, where the Store had records to compare the rows with. */
  readonly found: readonly RescanFinding[]
  /** Rows that a tool has deleted, and that the next deserialization brings back. */
  readonly restored: number
  /** Models whose deletions wait to be confirmed, because a tool has rebuilt a table they depend on. */
  readonly held: readonly string[]
}

/** What {@link migrate} may be told. */
export interface MigrationOptions {
  /** Rows that a tool deleted under `migrateAround` were meant to be deleted, on all peers. Default: they come back. */
  readonly keepDeletions?: boolean | undefined
}

/**
 * Brings a database up to date for the given profiles: our own tables, the source id columns, and the triggers
 * that log changes. What no trigger has seen is found and logged: rows of tables that were not tracked, and, where
 * a table was rebuilt or its columns were changed, whatever differs from the Store. Safe to call at every start.
 *
 * Rows that were deleted while a tool was at work under `migrateAround` come back at the next deserialization. Where
 * a tool has rebuilt a table by itself, pending deletions of that model and of those that refer to it wait until they
 * are confirmed.
 *
 * @throws MorangoError `invalid-declaration`
 */
export async function migrate(
  database: Database,
  profiles: readonly Profile[],
  options: MigrationOptions = {},
): Promise<MigrationReport> {
  const { kysely, dialect } = database
  await migrateOwnTables(database)
  return await inTransaction(kysely, dialect, async (trx) => {
    const addedColumns = await addSourceIdColumns(trx, dialect, profiles)
    const changed: { model: string; change: string }[] = []
    const tracked: string[] = []
    const found: RescanFinding[] = []
    const held: string[] = []
    let logged = 0
    let filled = 0
    let restored = 0
    const marked = (await markedMigration(trx)) !== undefined
    const unwatched = !(await isTracking(trx))
    if (unwatched) await trx.updateTable('morango_control').set({ tracking: 1 }).execute()
    for (const profile of profiles) {
      const { tables, names } = await readTables(trx, dialect, profile)
      const compiled = compileProfile(profile, tables, names)
      const noted = await notedColumns(trx, compiled.name)
      const rebuilt: CompiledModel[] = []
      if (marked && options.keepDeletions !== true) {
        await foldChangeLog(trx, dialect)
        restored += await takeBackDeletions(trx, compiled)
      }
      for (const model of compiled.models) {
        const installed = await installTriggers(trx, dialect, model)
        const change = changedColumns(noted, model)
        if (change !== undefined && noted?.[model.name] !== undefined)
          changed.push({ model: model.name, change })
        if (installed !== 'kept') tracked.push(model.table)
        else if (!marked && !unwatched && change === undefined) continue
        if (!(await hasRecords(trx, model))) {
          if (installed !== 'kept' || marked || unwatched) logged += await logUnseen(trx, model)
          continue
        }
        await untracked(trx, dialect, async () => {
          await recoverSourceIds(trx, model)
          filled += await fillColumns(trx, dialect, model, newColumns(noted, model))
        })
        await foldChangeLog(trx, dialect)
        const finding = await rescanIn(trx, dialect, model)
        if (differs(finding)) found.push(finding)
        logged += finding.missing + finding.different + finding.extra
        if (installed === 'made') rebuilt.push(model)
      }
      if (!marked) held.push(...(await holdSuspects(trx, dialect, compiled, rebuilt)))
      await noteColumns(trx, compiled)
    }
    await unmarkMigration(trx)
    return { addedColumns, changedColumns: changed, tracked, filled, logged, found, restored, held }
  })
}

async function addSourceIdColumns(
  trx: Kysely<Schema>,
  dialect: Dialect,
  profiles: readonly Profile[],
): Promise<string[]> {
  const added: string[] = []
  for (const profile of profiles) {
    const { tables } = await readTables(trx, dialect, profile)
    for (const { table, column } of missingSourceIdColumn(profile, tables)) {
      await sql.raw(`alter table ${quote(table)} add column ${quote(column)} text`).execute(trx)
      added.push(`${table}.${column}`)
    }
  }
  return added
}

/** Removes the triggers of profiles as far as they are there: for the time in which a tool changes the tables. */
export async function removeTriggers(
  trx: Kysely<Schema>,
  dialect: Dialect,
  { models }: CompiledProfile,
): Promise<void> {
  for (const model of models) {
    for (const { name } of dialect.triggers(model)) await sql.raw(dialect.dropTrigger(name)).execute(trx)
  }
}

/** @returns `made` where some were not there, so that writes may have gone unseen */
async function installTriggers(
  trx: Kysely<Schema>,
  dialect: Dialect,
  model: CompiledModel,
): Promise<'kept' | 'made' | 'mended'> {
  const installed = await dialect.installedTriggers(trx)
  const wanted = dialect.triggers(model)
  if (wanted.every(({ name, text }) => installed.get(name) === text)) return 'kept'
  for (const { name, statements } of wanted) {
    await sql.raw(dialect.dropTrigger(name)).execute(trx)
    for (const statement of statements) await sql.raw(statement).execute(trx)
  }
  return wanted.every(({ name }) => installed.has(name)) ? 'mended' : 'made'
}

async function hasRecords(trx: Kysely<Schema>, model: CompiledModel): Promise<boolean> {
  const found = await sql`select 1 from morango_store
    where profile = ${model.profile} and model_name = ${model.name} limit 1`.execute(trx)
  return found.rows.length > 0
}

// Rows that came to be while no trigger watched, of a model that the Store has nothing of: they need not be compared.
async function logUnseen(trx: Kysely<Schema>, model: CompiledModel): Promise<number> {
  const id = sql.raw(model.id.read('t.id'))
  const unseen = await sql`insert into morango_change_log (model_name, record_id, hard)
    select ${model.name}, ${id}, 0 from ${sql.id(model.table)} t`.execute(trx)
  return Number(unseen.numAffectedRows ?? 0n)
}

// Whoever drops a table to rebuild it may delete what refers to it, and rows of its own.
async function holdSuspects(
  trx: Kysely<Schema>,
  dialect: Dialect,
  { name, models }: CompiledProfile,
  rebuilt: readonly CompiledModel[],
): Promise<string[]> {
  const suspects = new Set(rebuilt.map((model) => model.name))
  // In dependency order, so that one pass finds all.
  for (const model of models) {
    if (model.foreignKeys.some(({ targetModel }) => suspects.has(targetModel))) suspects.add(model.name)
  }
  if (suspects.size === 0) return []
  await foldChangeLog(trx, dialect)
  const held: string[] = []
  for (const model of models) {
    if (!suspects.has(model.name)) continue
    if ((await countPendingDeletions(trx, dialect, model, undefined)) > 0) held.push(model.name)
  }
  await holdDeletions(trx, name, held)
  return held
}
