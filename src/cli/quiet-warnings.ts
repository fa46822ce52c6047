import process from 'node:process'
import { oneLine } from './format.ts'
import { printNote } from './output.ts'

/** What older releases of Node say about features that this command is built on. */
const KNOWN = /SQLite is an experimental feature|Type Stripping is an experimental feature/iu

/**
 * Shows Node's warnings but those that the person at the terminal can do nothing about: the ones about
 * `node:sqlite` and TypeScript, and that a configuration has no `"type": "module"` beside it.
 */
export function quietWarnings(): void {
  process.removeAllListeners('warning')
  process.on('warning', (warning) => {
    const code: unknown = 'code' in warning ? warning.code : undefined
    if (KNOWN.test(warning.message) || code === 'MODULE_TYPELESS_PACKAGE_JSON') return
    printNote(`warning: ${oneLine(warning.message)}`)
  })
}
