import { closeSync, openSync } from 'node:fs'

/** Nobody but the owner reads or writes. SQLite gives `-wal` and `-shm` the mode of the database. */
const OWNER_ONLY = 0o600

/**
 * Makes the file of a database that is not there yet, empty, readable and writable by its owner alone: private keys lie
 * in it in clear. A file that exists keeps its mode. What cannot be made is left for SQLite to report.
 *
 * @param location - as SQLite takes it: a path, `:memory:`, or a `file:` URI
 */
export function createPrivately(location: string): void {
  const path = pathOf(location)
  if (path === undefined) return
  try {
    closeSync(openSync(path, 'wx', OWNER_ONLY))
  } catch {
    // It exists, or SQLite will say what is wrong with its place.
  }
}

/** The path of the file that SQLite would make; undefined where it makes none. */
function pathOf(location: string): string | undefined {
  if (location === '' || location === ':memory:' || location.includes('\0')) return undefined
  if (!location.startsWith('file:')) return location
  const [path = '', query = ''] =
    location
      .slice('file:'.length)
      .split('#')[0]
      ?.split(/\?(.*)/su) ?? []
  const parameters = new URLSearchParams(query)
  const mode = parameters.get('mode')
  if (mode !== null && mode !== 'rwc') return undefined
  try {
    const decoded = decodeURIComponent(path.replace(/^\/\/(?:localhost)?(?=\/)/u, ''))
    return decoded === '' || decoded === ':memory:' ? undefined : decoded
  } catch {
    return undefined
  }
}
