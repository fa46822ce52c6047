import { writeFile } from 'node:fs/promises'
import { preparePython } from '../interop/python-environment.ts'
import { measure } from './measure.ts'
import { type BenchOptions, readOptions, USAGE, type VsPythonOptions } from './options.ts'
import { formatResult } from './report.ts'
import type { BenchResult } from './result.ts'
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
  const results: BenchResult[] = []
  for (const pair of options.pairs) {
    note(`Client ${pair.client}, server ${pair.server}`)
    // oxlint-disable-next-line no-await-in-loop
    results.push(await measure(options, pair, note))
  }
  const [first, ...others] = results
  const result = first !== undefined && others.length === 0 ? first : results
  return { table: results.map(formatResult).join('\n\n\n'), result }
}

async function againstPython(options: VsPythonOptions): Promise<Outcome> {
  const python = await preparePython(note, options.original)
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
