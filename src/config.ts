import type { MorangoOptions, ServeOptions } from './morango.ts'
import type { ListenOptions } from './node/serve.ts'
import type { Database } from './storage/dialect.ts'

/** What the command `morango` works on: the default export of `morango.config.ts`. */
export interface MorangoConfig extends Pick<
  MorangoOptions,
  | 'profiles'
  | 'allowCertificatePushing'
  | 'refusedCertificates'
  | 'withoutCapabilities'
  | 'chunkSize'
  | 'deletionBrake'
  | 'brakeArriving'
> {
  /** A database, or a function that gives one, so that nothing is opened before a command needs it. */
  readonly database: Database | (() => Database | Promise<Database>)
  /** Decides who gets certificates of `morango serve`. Without it, nobody does. */
  readonly authorize?: ServeOptions['authorize']
  /** More to tell in `morangoinfo`. */
  readonly customInfo?: ServeOptions['customInfo']
  /** Where `morango serve` listens, unless `--port` and `--host` say otherwise, and how. */
  readonly listen?: Pick<ListenOptions, 'port' | 'hostname' | 'hosts' | 'routes'> | undefined
}

/**
 * Gives the configuration back as it is, with its type checked.
 *
 * @example
 * // morango.config.ts
 * import { defineConfig } from 'morango/config'
 * import { sqlite } from 'morango/sqlite'
 * import { gazetteer } from './src/gazetteer.ts'
 *
 * export default defineConfig({
 *   database: () => sqlite('field.db'),
 *   profiles: [gazetteer],
 * })
 */
export function defineConfig(config: MorangoConfig): MorangoConfig {
  return config
}
