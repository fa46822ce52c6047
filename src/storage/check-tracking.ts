import { isMorangoError, MorangoError } from '../core/errors.ts'
import { compileProfile, missingSourceIdColumn } from '../models/compile-profile.ts'
import type { CompiledProfile } from '../models/compiled.ts'
import type { Profile } from '../models/profile.ts'
import type { Database } from './dialect.ts'
import { markedMigration } from './migration-mark.ts'
import { SCHEMA_VERSION, schemaVersion } from './migrations.ts'
import { readTables } from './read-tables.ts'
import { isTracking } from './tracking.ts'
import { changedColumns, notedColumns } from './synced-columns.ts'

/** A reason why changes of the application's tables would not be seen, or not as a whole. */
export interface TrackingFinding {
  readonly code:
    | 'own-tables-older'
    | 'own-tables-newer'
    | 'migration-unfinished'
    | 'invalid-declaration'
    | 'source-id-column-missing'
    | 'triggers-missing'
    | 'triggers-outdated'
    | 'triggers-off'
    | 'columns-changed'
  readonly model: string | undefined
  readonly table: string | undefined
  readonly message: string
  /** What to do about it. */
  readonly hint: string
}

interface Inspection {
  readonly findings: readonly TrackingFinding[]
  readonly compiled: Map<string, CompiledProfile>
  /** Why a profile does not fit the tables. */
  readonly invalid: unknown
}

const MIGRATE = 'Run `morango migrate`, or call createMorango() with migrate: true.'

/** Everything that keeps changes of the profiles' tables from being seen; empty when all is well. Changes nothing. */
export async function checkTracking(
  database: Database,
  profiles: readonly Profile[],
): Promise<TrackingFinding[]> {
  return [...(await inspect(database, profiles)).findings]
}

/**
 * The profiles joined with the database's tables.
 *
 * @throws MorangoError `invalid-declaration`; `not-migrated` when tables, triggers or columns are not as `migrate`
 *   left them or as they are declared, naming them.
 */
export async function compileProfiles(
  database: Database,
  profiles: readonly Profile[],
): Promise<Map<string, CompiledProfile>> {
  const { findings, compiled, invalid } = await inspect(database, profiles)
  if (invalid !== undefined) throw invalid
  const [first, ...others] = findings
  if (first === undefined) return compiled
  const more = others.length === 0 ? '' : ` (${others.length} more like this.)`
  throw new MorangoError('not-migrated', `The database is not ready to sync. ${first.message}${more}`, {
    hint: first.hint,
    details: { findings },
  })
}

async function inspect(database: Database, profiles: readonly Profile[]): Promise<Inspection> {
  const { kysely, dialect } = database
  const findings: TrackingFinding[] = []
  const find = (
    code: TrackingFinding['code'],
    where: { readonly name: string; readonly table: string } | undefined,
    message: string,
    hint: string = MIGRATE,
  ): void => void findings.push({ code, model: where?.name, table: where?.table, message, hint })
  const compiled = new Map<string, CompiledProfile>()
  let invalid: unknown

  const version = await ownVersion(database)
  if (version !== SCHEMA_VERSION) {
    if (version < SCHEMA_VERSION) {
      find('own-tables-older', undefined, 'Its tables are missing or of an older release.')
    } else {
      const hint = 'Update the morango package.'
      find('own-tables-newer', undefined, 'It was migrated by a newer release of morango.', hint)
    }
    return { findings, compiled, invalid }
  }
  if ((await markedMigration(kysely)) !== undefined) {
    const message =
      'A tool is at work on its tables under `morango migrate`, or was and did not come to its end.'
    find('migration-unfinished', undefined, message, 'Wait for it; if it is over, run `morango migrate`.')
  }
  if (!(await isTracking(kysely))) {
    find('triggers-off', undefined, 'Somebody has switched its triggers off (morango_control).')
  }
  const installed = await dialect.installedTriggers(kysely)
  for (const profile of profiles) {
    const { tables, names } = await readTables(kysely, dialect, profile)
    let result: CompiledProfile
    let lacking: ReturnType<typeof missingSourceIdColumn>
    try {
      lacking = missingSourceIdColumn(profile, tables)
      for (const { model, table, column } of lacking) {
        const message = `The table "${table}" lacks the column "${column}".`
        find('source-id-column-missing', { name: model, table }, message)
      }
      result = compileProfile(profile, tables, names)
    } catch (error) {
      if (!isMorangoError(error)) throw error
      invalid ??= error
      find('invalid-declaration', undefined, error.message, error.hint ?? 'Mend the declaration.')
      continue
    }
    const noted = await notedColumns(kysely, profile.name)
    for (const model of result.models) {
      const stale = dialect.triggers(model).filter(({ name, text }) => installed.get(name) !== text)
      if (stale.length > 0) {
        const missing = stale.some(({ name }) => !installed.has(name))
        const list = stale.map(({ name }) => name).join(', ')
        find(
          missing ? 'triggers-missing' : 'triggers-outdated',
          model,
          `Changes to the table "${model.table}" are not seen: ${list} ` +
            `${stale.length === 1 ? 'is' : 'are'} missing or out of date. A tool that rebuilt the table does that.`,
        )
        continue
      }
      if (lacking.some(({ table }) => table === model.table)) continue
      const changed = changedColumns(noted, model)
      if (changed !== undefined) {
        find('columns-changed', model, `The table "${model.table}" ${changed}.`)
      }
    }
    compiled.set(profile.name, result)
  }
  return { findings, compiled, invalid }
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
