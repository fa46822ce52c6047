import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { TestProject } from 'vitest/node'

/** What the tests need to start peers of the original. */
export interface PythonSetup {
  readonly executable: string
  /** A migrated, empty database to copy. */
  readonly database: string
}

declare module 'vitest' {
  interface ProvidedContext {
    /** Undefined where there is no Python to use: the tests are skipped. */
    readonly python: PythonSetup | undefined
  }
}

const run = promisify(execFile)
const ROOT = join(import.meta.dirname, '..')
const SOURCES = join(import.meta.dirname, 'python')
// The Django that the original needs works up to here.
const NEWEST = 11
const OLDEST = 9
const CANDIDATES = ['python3.11', 'python3.10', 'python3.9', 'python3', 'python']

/** Makes the virtual environment once for each requirements.txt, and an empty database once for each set of models. */
export default async function setup(project: TestProject): Promise<void> {
  const problem = await prepare(project)
  if (problem === undefined) return
  if (process.env['CI'] === 'true') throw new Error(`interop: ${problem}`)
  console.warn(`interop: skipped, ${problem}`)
  project.provide('python', undefined)
}

async function prepare(project: TestProject): Promise<string | undefined> {
  const folder = join(ROOT, '.cache', `interop-venv-${hashOf(['requirements.txt'])}`)
  const executable = join(folder, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python')
  const ready = join(folder, 'ready')
  if (!existsSync(ready)) {
    const python = await findPython()
    if (python === undefined) return `no Python 3.${OLDEST} to 3.${NEWEST} found (set PYTHON to one)`
    console.log(`interop: installing the original into ${folder}`)
    try {
      rmSync(folder, { recursive: true, force: true })
      mkdirSync(join(ROOT, '.cache'), { recursive: true })
      await run(python, ['-m', 'venv', folder])
      await run(executable, [
        '-m',
        'pip',
        'install',
        '--quiet',
        '--disable-pip-version-check',
        '-r',
        join(SOURCES, 'requirements.txt'),
      ])
    } catch (error) {
      return `pip could not install interop/python/requirements.txt: ${error instanceof Error ? error.message : String(error)}`
    }
    writeFileSync(ready, '')
  }
  const models = ['prepare.py', 'settings.py', 'survey/models.py', 'survey/fixtures/scopedefinitions.json']
  const database = join(folder, `empty-${hashOf(models)}.db`)
  if (!existsSync(database)) await run(executable, ['-B', join(SOURCES, 'prepare.py'), database])
  project.provide('python', { executable, database })
  return undefined
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

function hashOf(files: readonly string[]): string {
  const hash = createHash('sha256')
  for (const file of files) hash.update(readFileSync(join(SOURCES, file)))
  return hash.digest('hex').slice(0, 12)
}
