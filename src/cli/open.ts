import type { MorangoConfig } from '../config.ts'
import type { Profile } from '../models/profile.ts'
import type { Morango } from '../morango.ts'
import type { Database } from '../storage/dialect.ts'
import { usageError } from './failure.ts'
import { oneLine } from './format.ts'
import { loadConfig } from './load-config.ts'
import { printNote } from './output.ts'

/** The options of every command. */
export interface GlobalFlags {
  readonly config?: string
  readonly verbose?: boolean
}

/** What a command works with. */
export interface Opened {
  readonly config: MorangoConfig
  readonly database: Database
  readonly morango: Morango
}

/** The configured database, open. */
export async function openDatabase({ database }: MorangoConfig): Promise<Database> {
  return typeof database === 'function' ? await database() : database
}

/** Opens the configured database, does `work` with it, and closes it whatever happens. */
export async function withDatabase<T>(
  flags: GlobalFlags,
  work: (database: Database, config: MorangoConfig) => Promise<T>,
): Promise<T> {
  const config = await loadConfig(flags.config)
  const database = await openDatabase(config)
  try {
    return await work(database, config)
  } finally {
    await database.close()
  }
}

/** {@link withDatabase}, ready to sync the profile that is named, or the first. */
export function withMorango<T>(
  flags: GlobalFlags & { readonly profile?: string | undefined },
  work: (opened: Opened) => Promise<T>,
  onWarning: (text: string) => void = (text) => printNote(`warning: ${text}`),
): Promise<T> {
  return withDatabase(flags, async (database, config) => {
    const profiles = firstProfile(config.profiles, flags.profile)
    // Here, so that --help does not wait for all of it.
    const [{ createMorango }, { zlibCompressor }] = await Promise.all([
      import('../morango.ts'),
      import('../node/zlib-compressor.ts'),
    ])
    const morango = await createMorango({
      database,
      profiles,
      allowCertificatePushing: config.allowCertificatePushing,
      refusedCertificates: config.refusedCertificates,
      withoutCapabilities: config.withoutCapabilities,
      chunkSize: config.chunkSize,
      deletionBrake: config.deletionBrake,
      brakeArriving: config.brakeArriving,
      compressor: zlibCompressor,
      onWarning: ({ message }) => onWarning(oneLine(message)),
    })
    return work({ config, database, morango })
  })
}

/** The profiles with the named one in front, for it is the first that is meant where none is named. */
function firstProfile(
  profiles: MorangoConfig['profiles'],
  name: string | undefined,
): readonly [Profile, ...Profile[]] {
  if (name === undefined) return profiles
  const named = profiles.find((profile) => profile.name === name)
  if (named !== undefined) return [named, ...profiles.filter((profile) => profile !== named)]
  throw usageError(
    `There is no profile "${name}" in the configuration`,
    `Use one of: ${profiles.map((profile) => profile.name).join(', ')}.`,
  )
}
