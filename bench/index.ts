import { writeFile } from 'node:fs/promises'
import { measure } from './measure.ts'
import { readOptions, USAGE } from './options.ts'
import { formatResult } from './report.ts'

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2))
  if (options === undefined) {
    console.log(USAGE)
    return 0
  }
  const result = await measure(options, (what) => console.error(`${what} …`))
  console.log(`\n${formatResult(result)}`)
  if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(result, null, 2)}\n`)
  return 0
}

try {
  process.exitCode = await main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
