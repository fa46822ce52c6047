import { parseArgs } from 'node:util'
import { sql } from 'kysely'
import { createMorango } from '../../src/index.ts'
import { databaseOf, isDatabaseKind, openDatabase, type Place, withDatabases } from '../databases/kinds.ts'
import { medianBy } from '../result.ts'
import { inWorkDirectory } from '../work-directory.ts'
import { expectedCodes, fillStore, profile } from './store.ts'

// How long it takes to deserialize a store in which some records are bad, beside one in which none is.
const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '100000' },
    bad: { type: 'string', default: '1000' },
    databases: { type: 'string', default: 'sqlite,postgres' },
    repeat: { type: 'string', default: '3' },
  },
})
const records = Number(values.records)
const bad = Number(values.bad)

interface Run {
  readonly ms: number
  readonly written: number
  /** A second time, when only what is bad waits. */
  readonly againMs: number
  readonly codes: Readonly<Record<string, number>>
}

async function run(place: Place, badOnes: number): Promise<Run> {
  const database = openDatabase(place)
  try {
    await fillStore(database, records, badOnes)
    const morango = await createMorango({ database, profiles: [profile] })
    const begun = performance.now()
    const { written } = await morango.deserialize()
    const ms = performance.now() - begun
    const again = performance.now()
    await morango.deserialize()
    const againMs = performance.now() - again
    const found = await sql<{ code: string; count: number }>`select error_code as code, count(*) as count
      from morango_dirty group by error_code`.execute(database.kysely)
    return {
      ms,
      written,
      againMs,
      codes: Object.fromEntries(found.rows.map((row) => [row.code, Number(row.count)])),
    }
  } finally {
    await database.close()
  }
}

async function measure(kind: string): Promise<void> {
  if (!isDatabaseKind(kind)) throw new Error(`There is no database "${kind}".`)
  const clean: Run[] = []
  const dirty: Run[] = []
  for (let time = 0; time < Number(values.repeat); time++) {
    for (const [badOnes, runs] of [[0, clean] as const, [bad, dirty] as const]) {
      await inWorkDirectory(undefined, async (directory) => {
        const place = { kind, at: databaseOf(kind).locate(directory, 'bad') }
        await withDatabases([place], async () => void runs.push(await run(place, badOnes)))
      })
    }
  }
  const codes = dirty[0]?.codes ?? {}
  const expected = expectedCodes(records, bad)
  const complete = Object.entries(expected).every(([code, count]) => codes[code] === count)
  const [cleanMs, dirtyMs] = [medianBy(clean, ({ ms }) => ms).ms, medianBy(dirty, ({ ms }) => ms).ms]
  console.log(
    `${kind}: ${records} records; clean ${cleanMs.toFixed(0)} ms, with ${bad} bad ones ${dirtyMs.toFixed(0)} ms ` +
      `(${(dirtyMs / cleanMs).toFixed(2)} times); those alone once more ${(dirty[0]?.againMs ?? 0).toFixed(0)} ms`,
  )
  console.log(
    `  ${Object.entries(codes)
      .map(([code, count]) => `${count} ${code}`)
      .join(', ')}`,
  )
  if (complete) return
  console.error(`  There should be ${JSON.stringify(expected)}`)
  process.exitCode = 1
}

for (const kind of values.databases.split(',')) await measure(kind)
