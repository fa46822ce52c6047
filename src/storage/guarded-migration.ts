import { isMorangoError } from '../core/errors.ts'
import type { Clock, Random } from '../core/ports.ts'
import { compileProfile } from '../models/compile-profile.ts'
import type { Profile } from '../models/profile.ts'
import { checkTracking, compileProfiles } from './check-tracking.ts'
import { workSizes } from './context.ts'
import type { Database } from './dialect.ts'
import { createEngine } from './engine.ts'
import { openInstance } from './instance.ts'
import { markMigration, markedMigration } from './migration-mark.ts'
import { migrateOwnTables } from './migrations.ts'
import { migrate, type MigrationOptions, type MigrationReport, removeTriggers } from './prepare.ts'
import { readTables } from './read-tables.ts'
import { inTransaction } from './transaction.ts'

interface Ports {
  readonly clock: Clock
  readonly random: Random
}

/** What came of a tool's work on the tables. */
export interface GuardedMigrationReport extends MigrationReport {
  /** Rows that the tool had deleted and that are back; those that could not be written are problems. */
  readonly broughtBack: number
}

/**
 * Makes a database ready for a tool that changes its tables: everything changed so far is serialized, so that the
 * Store has it; our triggers are taken away, so that nothing that the tool does is taken for the application's; and
 * until {@link finishMigration} nothing is serialized. The application must not write meanwhile. Of models whose
 * tables do not fit their declaration yet only that is noted.
 *
 * @returns what could not be serialized before, as models; the Store lacks that
 * @throws MorangoError `too-many-deletions`
 */
export async function beginMigration(
  database: Database,
  profiles: readonly Profile[],
  ports: Ports = systemPorts(),
): Promise<{ readonly unprotected: readonly string[] }> {
  const { kysely, dialect } = database
  await migrateOwnTables(database)
  if ((await markedMigration(kysely)) !== undefined) return { unprotected: [] }
  const ready = await readyProfiles(database, profiles)
  const compiled = await compileProfiles(database, ready)
  await openInstance(database, ports)
  const engine = createEngine({ database, profiles: compiled, ...ports, sizes: workSizes() })
  for (const { name } of ready) await engine.serialize({ profile: name })
  await inTransaction(kysely, dialect, async (trx) => {
    await markMigration(trx, ports.clock.now().toISOString())
    for (const profile of compiled.values()) await removeTriggers(trx, dialect, profile)
  })
  const protectedModels = new Set(
    [...compiled.values()].flatMap(({ models }) => models.map(({ name }) => name)),
  )
  const declared = profiles.flatMap(({ models }) =>
    Object.entries(models).map(([key, one]) => one.name ?? key),
  )
  return { unprotected: declared.filter((name) => !protectedModels.has(name)) }
}

/**
 * Looks through what a tool has done since {@link beginMigration}: `migrate`, then the rows that it has deleted are
 * written again from the Store.
 *
 * @throws MorangoError `invalid-declaration`
 */
export async function finishMigration(
  database: Database,
  profiles: readonly Profile[],
  ports: Ports = systemPorts(),
  options: MigrationOptions = {},
): Promise<GuardedMigrationReport> {
  const report = await migrate(database, profiles, options)
  let broughtBack = 0
  if (report.restored > 0) {
    const compiled = await compileProfiles(database, profiles)
    await openInstance(database, ports)
    const engine = createEngine({ database, profiles: compiled, ...ports, sizes: workSizes() })
    for (const { name } of profiles) broughtBack += (await engine.deserialize({ profile: name })).written
  }
  return { ...report, broughtBack }
}

/**
 * Runs a migration tool so that nothing it does to rows is taken for the application's doing: rows that it deletes, by
 * rebuilding a table that others refer to with a cascade, come back; what it edits is found and serialized; triggers
 * are put back. Nobody else may write meanwhile.
 *
 * @throws MorangoError `invalid-declaration`, `too-many-deletions`; what `work` throws, once all is put back
 * @example
 * await migrateAround(database, [profile], async () => migrate(db, { migrationsFolder: 'drizzle' }))
 */
export async function migrateAround(
  database: Database,
  profiles: readonly Profile[],
  work: () => Promise<void> | void,
  options: MigrationOptions = {},
): Promise<GuardedMigrationReport> {
  await beginMigration(database, profiles)
  let failure: { readonly error: unknown } | undefined
  try {
    await work()
  } catch (error) {
    failure = { error }
  }
  const report = await finishMigration(database, profiles, systemPorts(), options)
  if (failure !== undefined) throw failure.error
  return report
}

function systemPorts(): Ports {
  return {
    clock: { now: () => new Date() },
    random: { uuid: () => globalThis.crypto.randomUUID().replaceAll('-', '') },
  }
}

// The declaration is often that of after the migration. What of it fits the tables as they are is enough.
async function readyProfiles(database: Database, profiles: readonly Profile[]): Promise<Profile[]> {
  const ready: Profile[] = []
  for (const profile of profiles) {
    const part = await fittingPart(database, profile)
    if (part === undefined) continue
    // Changes that no trigger has seen must get to the Store as well.
    if ((await checkTracking(database, [part])).length > 0) await migrate(database, [part])
    ready.push(part)
  }
  return ready
}

async function fittingPart(database: Database, profile: Profile): Promise<Profile | undefined> {
  const { tables, names } = await readTables(database.kysely, database.dialect, profile)
  const models = Object.fromEntries(
    Object.entries(profile.models).flatMap(([key, model]) => {
      const info = tables.get(model.table)
      if (info === undefined) return []
      const present = (column: string): boolean => info.columns.some(({ name }) => name === column)
      const columns = Object.fromEntries(Object.entries(model.columns).filter(([name]) => present(name)))
      return [[key, { ...model, columns, exclude: model.exclude.filter(present) }]]
    }),
  )
  if (Object.keys(models).length === 0) return undefined
  const part = { ...profile, models }
  try {
    compileProfile(part, tables, names)
    return part
  } catch (error) {
    if (isMorangoError(error, 'invalid-declaration')) return undefined
    throw error
  }
}
