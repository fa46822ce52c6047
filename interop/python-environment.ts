import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** What is needed to start peers of the original. */
export interface PythonSetup {
  readonly executable: string
  /** A migrated, empty database to copy. */
  readonly database: string
}

/** Whether there is an original to be had on this machine. */
export type PythonEnvironment =
  | { readonly kind: 'ready'; readonly setup: PythonSetup }
  | { readonly kind: 'missing'; readonly problem: string }

const run = promisify(execFile)
const ROOT = join(import.meta.dirname, '..')
const SOURCES = join(import.meta.dirname, 'python')
// The Django that the original needs works up to here.
const NEWEST = 11
const OLDEST = 9
const CANDIDATES = ['python3.11', 'python3.10', 'python3.9', 'python3', 'python']

/**
 * Makes the virtual environment once for each requirements.txt, and an empty database once for each set of models.
 *
 * @param note - told what takes long
 * @param version - of the original, instead of the one that requirements.txt names
 */
export async function preparePython(
  note: (what: string) => void,
  version?: string,
): Promise<PythonEnvironment> {
  const pinned = readFileSync(join(SOURCES, 'requirements.txt'), 'utf8')
  const requirements =
    version === undefined ? pinned : pinned.replace(/^morango==.*$/m, () => `morango==${version}`)
  const folder = join(ROOT, '.cache', `interop-venv-${hashOf([requirements])}`)
  const executable = join(folder, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python')
  const ready = join(folder, 'ready')
  if (!existsSync(ready)) {
    const python = await findPython()
    if (python === undefined) return missing(`no Python 3.${OLDEST} to 3.${NEWEST} found (set PYTHON to one)`)
    note(`Installing the original into ${folder}`)
    try {
      rmSync(folder, { recursive: true, force: true })
      mkdirSync(join(ROOT, '.cache'), { recursive: true })
      await run(python, ['-m', 'venv', folder])
      const list = join(folder, 'requirements.txt')
      writeFileSync(list, requirements)
      await run(executable, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', list])
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      return missing(
        `pip could not install ${version === undefined ? 'interop/python/requirements.txt' : `morango ${version}`}: ${reason}`,
      )
    }
    writeFileSync(ready, '')
  }
  const models = ['prepare.py', 'settings.py', 'survey/models.py', 'survey/fixtures/scopedefinitions.json']
  const database = join(folder, `empty-${hashOf(models.map((file) => readFileSync(join(SOURCES, file))))}.db`)
  if (!existsSync(database)) await run(executable, ['-B', join(SOURCES, 'prepare.py'), database])
  return { kind: 'ready', setup: { executable, database } }
}

function missing(problem: string): PythonEnvironment {
  return { kind: 'missing', problem }
}

async function findPython(): Promise<string | undefined> {
  const named = process.env['PYTHON']
  for (const candidate of named === undefined ? CANDIDATES : [named]) {
    try {
      // One after the other: the first that will do.
      // oxlint-disable-next-line no-await-in-loop
      const { stdout } = await run(candidate, [
        '-c',
        'import sys, venv, ensurepip; print(*sys.version_info[:2])',
      ])
      const [major, minor] = stdout.trim().split(' ').map(Number)
      if (major === 3 && minor !== undefined && minor >= OLDEST && minor <= NEWEST) return candidate
    } catch {
      // Not there, or without venv or pip.
    }
  }
  return undefined
}

function hashOf(contents: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256')
  for (const content of contents) hash.update(content)
  return hash.digest('hex').slice(0, 12)
}
