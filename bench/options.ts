import { parseArgs } from 'node:util'
import { type DatabaseKind, isDatabaseKind } from './databases/kinds.ts'
import { isPeerKind, type PeerKind } from './peers/kinds.ts'

/** What to measure. */
export interface BenchOptions {
  /** Undefined: all there are. */
  readonly records: number | undefined
  readonly direction: 'pull' | 'push'
  readonly client: DatabaseKind
  readonly server: DatabaseKind
  /** Who serves. */
  readonly peer: PeerKind
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

/** What `--help` says. */
export const USAGE = `npm run bench -- [options]

  --records N|all        records of all tables together (20000)
  --direction pull|push  which way the first sync goes (pull)
  --repeat N             first syncs, of which the median counts (1)
  --plain-copies N       plain copies at least, the reference (3)
  --client sqlite        the client's database
  --server sqlite        the server's database
  --vs morango           who serves
  --json FILE            the result as JSON, besides the table
  --directory DIR        where the databases lie (a temporary directory)
  --cpu-profile DIR      a CPU profile of client and server each`

/**
 * Reads the command line; undefined when only help is wanted.
 *
 * @throws Error that says what is wrong with it
 */
export function readOptions(args: readonly string[]): BenchOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      records: { type: 'string', default: '20000' },
      direction: { type: 'string', default: 'pull' },
      repeat: { type: 'string', default: '1' },
      'plain-copies': { type: 'string', default: '3' },
      client: { type: 'string', default: 'sqlite' },
      server: { type: 'string', default: 'sqlite' },
      vs: { type: 'string', default: 'morango' },
      json: { type: 'string' },
      directory: { type: 'string' },
      'cpu-profile': { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) return undefined
  const { direction, client, server, vs: peer } = values
  if (direction !== 'pull' && direction !== 'push') throw new Error('--direction is pull or push')
  if (!isDatabaseKind(client)) throw new Error(`--client: there is no database ${client}`)
  if (!isDatabaseKind(server)) throw new Error(`--server: there is no database ${server}`)
  if (!isPeerKind(peer)) throw new Error(`--vs: there is no peer ${peer}`)
  return {
    records: values.records === 'all' ? undefined : count('--records', values.records),
    direction,
    client,
    server,
    peer,
    repeat: count('--repeat', values.repeat),
    plainCopies: count('--plain-copies', values['plain-copies']),
    json: values.json,
    cpuProfile: values['cpu-profile'],
    directory: values.directory,
  }
}

function count(option: string, text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`${option} is a whole number from 1`)
  return value
}
