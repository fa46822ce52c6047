import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { databaseOf, isDatabaseKind, type DatabaseKind, withDatabases } from '../databases/kinds.ts'
import { inWorkDirectory } from '../work-directory.ts'
import { BY_ANYBODY } from './attacks/anybody.ts'
import { CERTIFICATES } from './attacks/certificates.ts'
import { CHUNKS } from './attacks/chunks.ts'
import { CLAIMS } from './attacks/claims.ts'
import { TOGETHER } from './attacks/together.ts'
import { measure, type Reading } from './measure.ts'
import { formatReadings, readingLine } from './report.ts'
import { prepareTarget } from './target.ts'

const USAGE = `npm run bench:hostile -- [options]

  --database NAME   sqlite, postgres or pglite (sqlite)
  --only TEXT       attacks whose names have the text
  --json FILE       the readings as JSON, besides the table
  --directory DIR   where the database lies (a temporary directory)`

// How long the worst requests keep others waiting, and what memory they take.
const { values } = parseArgs({
  options: {
    database: { type: 'string', default: 'sqlite' },
    only: { type: 'string', default: '' },
    json: { type: 'string' },
    directory: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
})

async function run(kind: DatabaseKind): Promise<void> {
  const attacks = [...BY_ANYBODY, ...CERTIFICATES, ...CHUNKS, ...CLAIMS, ...TOGETHER].filter(({ name }) =>
    name.includes(values.only),
  )
  const readings: Reading[] = []
  await inWorkDirectory(values.directory, async (directory) => {
    const place = { kind, at: databaseOf(kind).locate(directory, 'hostile') }
    await withDatabases([place], async () => {
      const attacker = await prepareTarget(place)
      await databaseOf(kind).save(place.at)
      for (const attack of attacks) {
        const reading = await measure(place, attacker, attack)
        readings.push(reading)
        process.stderr.write(`${readingLine(reading)}\n`)
      }
    })
  })
  console.log(formatReadings(readings))
  if (values.json !== undefined) await writeFile(values.json, JSON.stringify({ database: kind, readings }))
  if (readings.some(({ failures }) => failures.length > 0)) process.exitCode = 1
}

if (values.help) console.log(USAGE)
else if (isDatabaseKind(values.database)) await run(values.database)
else {
  console.error(`There is no database "${values.database}".`)
  process.exitCode = 1
}
