import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import process from 'node:process'
import { pathToFileURL } from 'node:url'
import type { MorangoConfig } from '../config.ts'
import { explain, usageError } from './failure.ts'

const NAMES = ['morango.config.ts', 'morango.config.mts', 'morango.config.js', 'morango.config.mjs']

/**
 * The configuration: that of `path`, or the one in the current directory.
 *
 * @throws CommandError when there is none, or none that can be used
 */
export async function loadConfig(path: string | undefined): Promise<MorangoConfig> {
  const file = resolve(path ?? NAMES.find((name) => existsSync(name)) ?? '.')
  if (path === undefined && file === process.cwd()) {
    throw usageError(
      'There is no morango.config.ts in this directory',
      'Go to the directory that has one, name it with --config, or write one: see `morango --help`.',
    )
  }
  if (!existsSync(file)) throw usageError(`There is no file ${file}`, 'Check what --config names.')
  const config = readDefault(await importFile(file))
  if (isConfig(config)) return config
  throw usageError(
    `${file} does not give a configuration`,
    'Write `export default defineConfig({ database, profiles })` in it, with at least one profile.',
  )
}

async function importFile(file: string): Promise<unknown> {
  try {
    return await import(pathToFileURL(file).href)
  } catch (error) {
    const { message, hint } = explain(error)
    throw usageError(
      `${file} cannot be loaded: ${message}`,
      hint ?? 'Run it again with --verbose to see where.',
      error,
    )
  }
}

function readDefault(module: unknown): unknown {
  return typeof module === 'object' && module !== null && 'default' in module ? module.default : undefined
}

function isConfig(value: unknown): value is MorangoConfig {
  if (typeof value !== 'object' || value === null) return false
  if (!('database' in value) || !('profiles' in value)) return false
  const { database, profiles } = value
  const isDatabase = typeof database === 'function' || (typeof database === 'object' && database !== null)
  return isDatabase && Array.isArray(profiles) && profiles.length > 0
}
