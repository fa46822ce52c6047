import { writeFile } from 'node:fs/promises'
import { preparePython } from '../interop/python-environment.ts'
import { measure } from './measure.ts'
import { type BenchOptions, readOptions, USAGE, type VsPythonOptions } from './options.ts'
import { formatResult } from './report.ts'
import { measureVsPython } from './vs-python/measure.ts'
import { formatVsPython } from './vs-python/report.ts'

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2))
  if (options === undefined) {
    console.log(USAGE)
    return
  }
  const { table, result } = options.vs === 'python' ? await againstPython(options) : await alone(options)
  console.log(`\n${table}`)
  if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(result, null, 2)}\n`)
}

interface Outcome {
  readonly table: string
  readonly result: object
}

async function alone(options: BenchOptions): Promise<Outcome> {
  const result = await measure(options, note)
  return { table: formatResult(result), result }
}

async function againstPython(options: VsPythonOptions): Promise<Outcome> {
  const python = await preparePython(note)
  if (python.kind === 'missing') throw new Error(`--vs python: ${python.problem}`)
  const result = await measureVsPython(options, python.setup, note)
  return { table: formatVsPython(result), result }
}

function note(what: string): void {
  console.error(`${what} …`)
}

try {
  await main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
