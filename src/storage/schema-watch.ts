import { MorangoError } from '../core/errors.ts'
import type { CompiledProfile } from '../models/compiled.ts'
import type { Profile } from '../models/profile.ts'
import { compileProfiles } from './check-tracking.ts'
import type { Database } from './dialect.ts'

/** Profiles compiled for as long as the tables stay as they are, and what follows them when they do not. */
export interface WatchedProfiles {
  readonly profiles: ReadonlyMap<string, CompiledProfile>
  /**
   * Costs one short statement while nothing has changed. When something has, the profiles are compiled anew.
   * @throws MorangoError `not-migrated`, `invalid-declaration`
   */
  readonly verify: () => Promise<void>
}

/**
 * The profiles joined with the database's tables, for a process that goes on while others change those.
 *
 * @throws MorangoError as {@link compileProfiles}
 */
export async function watchProfiles(
  database: Database,
  declared: readonly Profile[],
): Promise<WatchedProfiles> {
  const tables = [
    ...new Set(declared.flatMap(({ models }) => Object.values(models).map(({ table }) => table))),
  ]
  const readState = (): Promise<string> => database.dialect.schemaState(database.kysely, tables)
  // Before the tables are read: what changes in between is found the next time.
  let known = await stateOf(database, readState)
  const profiles = await compileProfiles(database, declared)
  if (known === undefined) known = await readState()
  return {
    profiles,
    verify: async () => {
      const state = await readState()
      if (state === known) return
      for (const [name, profile] of await compileAgain(database, declared)) profiles.set(name, profile)
      known = state
    },
  }
}

// Where our own tables are not there yet, compiling says so.
async function stateOf(
  { dialect, kysely }: Database,
  read: () => Promise<string>,
): Promise<string | undefined> {
  return (await dialect.readTable(kysely, 'morango_meta')) === undefined ? undefined : await read()
}

async function compileAgain(
  database: Database,
  declared: readonly Profile[],
): Promise<Map<string, CompiledProfile>> {
  try {
    return await compileProfiles(database, declared)
  } catch (error) {
    if (!(error instanceof MorangoError)) throw error
    throw new MorangoError(error.code, `The tables were changed while this process ran. ${error.message}`, {
      hint: error.hint ?? 'Run `morango migrate`.',
      cause: error,
      details: error.details,
    })
  }
}
