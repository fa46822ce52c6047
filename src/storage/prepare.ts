import { type Kysely, sql } from 'kysely'
import { MorangoError } from '../core/errors.ts'
import { compileProfile, missingSourceIdColumn } from '../models/compile-profile.ts'
import type { CompiledModel, CompiledProfile } from '../models/compiled.ts'
import type { Profile } from '../models/profile.ts'
import type { TableInfo } from '../models/table-info.ts'
import type { Database, Dialect } from './dialect.ts'
import { migrateOwnTables, SCHEMA_VERSION, schemaVersion } from './migrations.ts'
import { quote } from './rows.ts'
import type { Schema } from './schema.ts'
import { inTransaction } from './transaction.ts'

/** What {@link migrate} changed on the application's tables. */
export interface MigrationReport {
  /** Columns added for random source ids, as `table.column`. */
  readonly addedColumns: readonly string[]
  /** Tables whose triggers were made or made anew. */
  readonly tracked: readonly string[]
  /** Rows that were there before they were tracked, and are now due to be serialized. */
  readonly logged: number
}

/**
 * Brings a database up to date for the given profiles: our own tables, the source id columns, and the triggers
 * that log changes. Rows that no trigger has seen are logged, so that nothing written before is missed. Safe
 * to call at every start.
 *
 * @throws MorangoError `invalid-declaration`
 */
export async function migrate(database: Database, profiles: readonly Profile[]): Promise<MigrationReport> {
  const { kysely, dialect } = database
  await migrateOwnTables(database)
  return await inTransaction(kysely, dialect, async (trx) => {
    const addedColumns: string[] = []
    const tracked: string[] = []
    let logged = 0
    for (const profile of profiles) {
      const before = await readTables(trx, dialect, profile)
      for (const { table, column } of missingSourceIdColumn(profile, before.tables)) {
        await sql.raw(`alter table ${quote(table)} add column ${quote(column)} text`).execute(trx)
        addedColumns.push(`${table}.${column}`)
      }
      const after = addedColumns.length === 0 ? before : await readTables(trx, dialect, profile)
      for (const model of compileProfile(profile, after.tables, after.names).models) {
        if (!(await installTriggers(trx, dialect, model))) continue
        tracked.push(model.table)
        logged += await logUnseen(trx, model)
      }
    }
    return { addedColumns, tracked, logged }
  })
}

/**
 * The profiles joined with the database's tables.
 *
 * @throws MorangoError `invalid-declaration`; `not-migrated` when tables or triggers are missing or older than
 *   the declaration, naming them.
 */
export async function compileProfiles(
  database: Database,
  profiles: readonly Profile[],
): Promise<Map<string, CompiledProfile>> {
  const { kysely, dialect } = database
  const version = await ownVersion(database)
  if (version !== SCHEMA_VERSION) {
    throw version > SCHEMA_VERSION
      ? new MorangoError('not-migrated', 'The database was migrated by a newer release of morango.', {
          hint: 'Update the morango package.',
        })
      : notMigrated('Its tables are missing or of an older release.')
  }
  const installed = await dialect.installedTriggers(kysely)
  const compiled = new Map<string, CompiledProfile>()
  for (const profile of profiles) {
    const { tables, names } = await readTables(kysely, dialect, profile)
    const missing = missingSourceIdColumn(profile, tables)
    if (missing[0] !== undefined) {
      throw notMigrated(`The table "${missing[0].table}" lacks the column "${missing[0].column}".`)
    }
    const result = compileProfile(profile, tables, names)
    for (const model of result.models) {
      const stale = dialect.triggers(model).filter(({ name, text }) => installed.get(name) !== text)
      if (stale.length > 0) {
        throw notMigrated(
          `Changes to the table "${model.table}" are not seen: ${stale.map(({ name }) => name).join(', ')} ` +
            `${stale.length === 1 ? 'is' : 'are'} missing or out of date. A tool that rebuilt the table does that.`,
        )
      }
    }
    compiled.set(profile.name, result)
  }
  return compiled
}

function notMigrated(message: string): MorangoError {
  return new MorangoError('not-migrated', `The database is not ready to sync. ${message}`, {
    hint: 'Run `morango migrate`, or call createMorango() with migrate: true.',
  })
}

async function ownVersion({ kysely, dialect }: Database): Promise<number> {
  try {
    return await schemaVersion(kysely)
  } catch (error) {
    // Only a missing table means "not yet".
    if ((await dialect.readTable(kysely, 'morango_meta')) === undefined) return 0
    throw error
  }
}

async function readTables(
  db: Kysely<Schema>,
  dialect: Dialect,
  profile: Profile,
): Promise<{ tables: Map<string, TableInfo>; names: string[] }> {
  const tables = new Map<string, TableInfo>()
  for (const { table } of Object.values(profile.models)) {
    const info = await dialect.readTable(db, table)
    if (info !== undefined) tables.set(table, info)
  }
  return { tables, names: await dialect.tableNames(db) }
}

async function installTriggers(
  trx: Kysely<Schema>,
  dialect: Dialect,
  model: CompiledModel,
): Promise<boolean> {
  const installed = await dialect.installedTriggers(trx)
  const wanted = dialect.triggers(model)
  if (wanted.every(({ name, text }) => installed.get(name) === text)) return false
  for (const { name, statements } of wanted) {
    await sql.raw(dialect.dropTrigger(name, model.table)).execute(trx)
    for (const statement of statements) await sql.raw(statement).execute(trx)
  }
  return true
}

// Rows that came to be while no trigger watched. Edits and deletions of that time leave nothing to find them by
// but a comparison of every row with the Store.
async function logUnseen(trx: Kysely<Schema>, model: CompiledModel): Promise<number> {
  const table = sql.id(model.table)
  const id = sql.raw(model.id.read('t.id'))
  const unseen = await sql`insert into morango_change_log (model_name, record_id, hard)
    select ${model.name}, ${id}, 0 from ${table} t
    where not exists (select 1 from morango_store s where s.id = ${id})`.execute(trx)
  return Number(unseen.numAffectedRows ?? 0n)
}
