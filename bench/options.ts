import { parseArgs } from 'node:util'
import { DATABASE_KINDS, type DatabaseKind, isDatabaseKind } from './databases/kinds.ts'
import { isReadingName, READING_NAMES, type ReadingName } from './vs-python/readings.ts'

/** Which databases sync. */
export interface DatabasePair {
  readonly client: DatabaseKind
  readonly server: DatabaseKind
}

/** What to measure beside a plain copy. */
export interface BenchOptions {
  readonly vs: 'plain-copy'
  /** Undefined: all there are. */
  readonly records: number | undefined
  readonly direction: 'pull' | 'push'
  /** The databases of client and server, in the order of the reports; a run for each. */
  readonly pairs: readonly DatabasePair[]
  /** How often the first sync is made; the median counts. */
  readonly repeat: number
  /** How often the plain copy is made at least, before, between and after the syncs. */
  readonly plainCopies: number
  readonly json: string | undefined
  /** Where client and server leave a CPU profile each. */
  readonly cpuProfile: string | undefined
  /** Where the databases lie while it runs. Undefined: in a temporary directory. */
  readonly directory: string | undefined
}

/** What to measure beside Python's Morango. */
export interface VsPythonOptions {
  readonly vs: 'python'
  readonly records: number
  /** Which readings of the original, in the order of the report. */
  readonly readings: readonly ReadingName[]
  /** A version of the original. Undefined: the one that the tests are run against. */
  readonly original: string | undefined
  readonly json: string | undefined
  readonly directory: string | undefined
}

/** What `--help` says. */
export const USAGE = `npm run bench -- [options]

  --vs plain-copy        beside a plain copy of the same rows (the default)
  --records N|all        records of all tables together (20000)
  --direction pull|push  which way the first sync goes (pull)
  --repeat N             first syncs, of which the median counts (1)
  --plain-copies N       plain copies at least, the reference (3)
  --client LIST          the client's databases: sqlite, postgres, pglite, by
                         commas (sqlite); a table for each pair
  --server LIST          the server's databases, likewise (sqlite)
  --pairs all            each database with each
  --cpu-profile DIR      a CPU profile of client and server each

  --vs python            the same between two peers of Python's Morango
  --records N            records pulled, and as many pushed (10000)
  --readings LIST        as-is, no-sleeps and kindest (all, by commas);
                         as-is takes minutes
  --original VERSION     of Python's Morango (that of the tests)

  --json FILE            the result as JSON, besides the table; of several pairs
                         a list of results
  --directory DIR        where the databases lie (a temporary directory)`

const OPTIONS = {
  vs: { type: 'string' },
  records: { type: 'string' },
  direction: { type: 'string' },
  repeat: { type: 'string' },
  'plain-copies': { type: 'string' },
  client: { type: 'string' },
  server: { type: 'string' },
  pairs: { type: 'string' },
  readings: { type: 'string' },
  original: { type: 'string' },
  json: { type: 'string' },
  directory: { type: 'string' },
  'cpu-profile': { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const

type Values = Readonly<Partial<Record<Exclude<keyof typeof OPTIONS, 'help'>, string>>>

/**
 * Reads the command line; undefined when only help is wanted.
 *
 * @throws Error that says what is wrong with it
 */
export function readOptions(args: readonly string[]): BenchOptions | VsPythonOptions | undefined {
  const { values } = parseArgs({ args: [...args], options: OPTIONS })
  const { help, ...given } = values
  if (help === true) return undefined
  const { vs = 'plain-copy' } = given
  if (vs === 'python') return readVsPython(given)
  if (vs !== 'plain-copy') throw new Error('--vs is plain-copy or python')
  return readPlainCopy(given)
}

function readPlainCopy(given: Values): BenchOptions {
  refuse(given, ['readings', 'original'], 'goes with --vs python only')
  const { records = '20000', direction = 'pull' } = given
  if (direction !== 'pull' && direction !== 'push') throw new Error('--direction is pull or push')
  return {
    vs: 'plain-copy',
    records: records === 'all' ? undefined : count('--records', records, 1),
    direction,
    pairs: readPairs(given),
    repeat: count('--repeat', given.repeat ?? '1', 1),
    plainCopies: count('--plain-copies', given['plain-copies'] ?? '3', 1),
    json: given.json,
    cpuProfile: given['cpu-profile'],
    directory: given.directory,
  }
}

function readPairs({ client, pairs, server }: Values): DatabasePair[] {
  if (pairs === undefined) return everyPair(kindsOf('--client', client), kindsOf('--server', server))
  if (pairs !== 'all') throw new Error('--pairs is all, or else left out for --client and --server')
  if (client !== undefined || server !== undefined)
    throw new Error('--pairs all is every pair: leave out --client and --server')
  return everyPair(DATABASE_KINDS, DATABASE_KINDS)
}

function everyPair(clients: readonly DatabaseKind[], servers: readonly DatabaseKind[]): DatabasePair[] {
  return clients.flatMap((client) => servers.map((server) => ({ client, server })))
}

function kindsOf(option: string, list: string = 'sqlite'): DatabaseKind[] {
  return list.split(',').map((name) => {
    if (isDatabaseKind(name)) return name
    throw new Error(
      `${option}: there is no ${name === '' ? 'database without a name' : `database ${name}`}, only ${DATABASE_KINDS.join(', ')}`,
    )
  })
}

/** A region, a person, and visits of which some can be changed. */
const FEWEST_RECORDS = 10

function readVsPython(given: Values): VsPythonOptions {
  refuse(
    given,
    ['direction', 'repeat', 'plain-copies', 'client', 'server', 'pairs', 'cpu-profile'],
    'does not go with --vs python',
  )
  const names = given.readings?.split(',') ?? READING_NAMES
  const unknown = names.find((name) => !isReadingName(name))
  if (unknown !== undefined)
    throw new Error(`--readings: there is no ${unknown || 'empty reading'}, only ${READING_NAMES.join(', ')}`)
  const { original } = given
  if (original !== undefined && !/^\d+(\.\d+)+$/.test(original))
    throw new Error('--original is a version such as 0.8.2')
  return {
    vs: 'python',
    original,
    records: count('--records', given.records ?? '10000', FEWEST_RECORDS),
    readings: READING_NAMES.filter((name) => names.includes(name)),
    json: given.json,
    directory: given.directory,
  }
}

function refuse(given: Values, options: readonly (keyof Values)[], reason: string): void {
  for (const option of options) {
    if (given[option] !== undefined) throw new Error(`--${option} ${reason}`)
  }
}

function count(option: string, text: string, least: number): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < least)
    throw new Error(`${option} is a whole number from ${least}`)
  return value
}
