import type { TestProject } from 'vitest/node'
import { preparePython, type PythonSetup } from './python-environment.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Undefined where there is no Python to use: the tests are skipped. */
    readonly python: PythonSetup | undefined
  }
}

/** Has the original ready for the tests. */
export default async function setup(project: TestProject): Promise<void> {
  const python = await preparePython((what) => console.log(`interop: ${what}`))
  if (python.kind === 'missing') {
    if (process.env['CI'] === 'true') throw new Error(`interop: ${python.problem}`)
    console.warn(`interop: skipped, ${python.problem}`)
  }
  project.provide('python', python.kind === 'ready' ? python.setup : undefined)
}
