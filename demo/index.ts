// The user story of the overview, played by three processes: `npm run demo`.

import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { type CloudDatabase, type CloudOption, parseCloud, prepareCloud } from './databases/cloud.ts'
import { createFleet, type Fleet } from './devices.ts'
import { createNarrator, milliseconds, type Narrator } from './narrator.ts'
import { tellStory } from './story.ts'

const COUNTRIES = 'PE,EC,CO,BO,CL,BR'

interface Options {
  readonly countries: string
  readonly cloud: CloudOption
  readonly all: boolean
  readonly keep: boolean
}

const options = new Command('npm run demo --')
  .description(
    'Three devices, each a process with a database of its own, sync places of GeoNames.\n' +
      'Exits with 1 if anything does not hold that is claimed.',
  )
  .option('--countries <codes>', 'which countries, the first of them for City', COUNTRIES)
  .option('--cloud <database>', "Cloud's database: pglite, sqlite or postgres://…", parseCloud, {
    kind: 'pglite',
  })
  .option('--all', 'every country of the world: 171,000 places', false)
  .option('--keep', 'keep the databases and say where', false)
  .parse()
  .opts<Options>()

/** Plays the story with devices of the fleet, and sees them off. */
async function play(database: CloudDatabase, { all, countries }: Options): Promise<void> {
  const codes = [...new Set(countries.toUpperCase().match(/\w+/g))]
  const [home = ''] = codes
  const start = performance.now()
  narrator.title(
    'Morango: three devices, one gazetteer',
    'Remote, City and Cloud are three processes, each with its own database and\n' +
      'address. Only Remote has data: places of GeoNames. No server is above them.\n' +
      database.text,
  )
  const cloud = fleet.start('Cloud', database.choice)
  // The story asks for it later; until then a failure is nobody's.
  cloud.catch(() => undefined)
  const [remote, city] = await Promise.all([
    fleet.start('Remote', { kind: 'sqlite', file: join(directory, 'remote.db') }),
    fleet.start('City', { kind: 'sqlite', file: join(directory, 'city.db') }),
  ])
  await tellStory({ remote, city, narrator }, cloud, { home, countries: all ? undefined : codes })
  narrator.claim('All three processes have ended by themselves', await fleet.stop())
  const { held, broken } = narrator.claims
  const took = milliseconds(performance.now() - start)
  narrator.end(
    broken === 0
      ? `All ${held} claims hold. ${took}`
      : `${broken} of ${held + broken} claims failed. ${took}`,
  )
}

const stopped = Promise.withResolvers<never>()
const signals = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 }
for (const [signal, exitCode] of Object.entries(signals)) {
  process.on(signal, () => {
    process.exitCode = exitCode
    stopped.reject(new Error('Stopped.'))
  })
}
// Whoever read our output has gone, as `head` does.
process.stdout.once('error', () => {
  stopped.reject(new Error('Nobody reads the output any more.'))
})

const directory = mkdtempSync(join(tmpdir(), 'morango-demo-'))
const narrator: Narrator = createNarrator(process.stdout)
const fleet: Fleet = createFleet((text) => {
  narrator.progress(text)
})

let cloudDatabase: CloudDatabase | undefined

try {
  cloudDatabase = await prepareCloud(options.cloud, directory)
  await Promise.race([play(cloudDatabase, options), stopped.promise])
  if (narrator.claims.broken > 0) process.exitCode = 1
} catch (error) {
  process.exitCode ??= 1
  console.error(`\n${error instanceof Error ? error.message : String(error)}`)
} finally {
  await fleet.kill()
  await cloudDatabase?.release(options.keep)
  if (options.keep) {
    const also =
      cloudDatabase?.place === undefined ? '' : `, and Cloud's is the schema ${cloudDatabase.place}`
    console.log(`The databases are in ${directory}${also}`)
  } else await rm(directory, { recursive: true, force: true })
}
