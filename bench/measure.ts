import { type DatabaseKind, databaseOf, type Place, withDatabases } from './databases/kinds.ts'
import type { BenchOptions, DatabasePair } from './options.ts'
import { startProcess, withProcess } from './processes/calls.ts'
import type { PrepareApi } from './processes/prepare.ts'
import { type BenchResult, medianBy, spreadOf } from './result.ts'
import { type PlainCopy, runPlainCopy } from './run-plain-copy.ts'
import { runSyncs, type SyncRun } from './run-syncs.ts'
import { inWorkDirectory } from './work-directory.ts'

/**
 * Measures all for one pair of databases, in processes of their own.
 *
 * @param note - told what is going on
 */
export async function measure(
  options: BenchOptions,
  pair: DatabasePair,
  note: (what: string) => void,
): Promise<BenchResult> {
  return await inWorkDirectory(options.directory, async (directory) => {
    if ((options.records ?? Infinity) >= WORTH_WARMING_UP) await warmUp()
    return await measureIn(directory, options, pair, note)
  })
}

/** With fewer records memory and time are mostly those of starting, and not of interest. */
const WORTH_WARMING_UP = 10_000

// What is compiled is kept when a process ends.
async function warmUp(): Promise<void> {
  const files = ['serve.ts', 'sync.ts', 'plain-source.ts', 'plain-target.ts']
  await Promise.all(
    files.map(async (file) => {
      const remote = startProcess<object>(file)
      await remote.peakMemoryMb()
      await remote.stop()
    }),
  )
}

async function measureIn(
  directory: string,
  options: BenchOptions,
  pair: DatabasePair,
  note: (what: string) => void,
): Promise<BenchResult> {
  const place = (kind: DatabaseKind, name: string): Place => ({
    kind,
    at: databaseOf(kind).locate(directory, name),
  })
  const server = place(pair.server, 'server')
  const client = place(pair.client, 'client')
  const plainTarget = place(options.direction === 'pull' ? pair.client : pair.server, 'plain')
  return await withDatabases(
    [server, client, plainTarget],
    async () => await measureBetween({ server, client, plainTarget }, options, note),
  )
}

interface Places {
  readonly server: Place
  readonly client: Place
  readonly plainTarget: Place
}

async function measureBetween(
  { server, client, plainTarget }: Places,
  options: BenchOptions,
  note: (what: string) => void,
): Promise<BenchResult> {
  const producer = options.direction === 'pull' ? 'server' : 'client'
  const source = producer === 'server' ? server : client

  note('Preparing the databases')
  const preparation = { server, client, producer, records: options.records, plainTarget } as const
  const { records, filter } = await withProcess<PrepareApi, { records: number; filter: string }>(
    'prepare.ts',
    [],
    async (preparing) => await preparing.call('prepare', preparation),
  )
  for (const { kind, at } of [server, client, plainTarget]) {
    // oxlint-disable-next-line no-await-in-loop
    await databaseOf(kind).save(at)
  }

  const copies: PlainCopy[] = []
  const copy = async (): Promise<void> => {
    note(`Plain copy ${copies.length + 1}`)
    copies.push(await runPlainCopy(source, plainTarget, records))
  }
  const runs: SyncRun[] = []
  // In turn, so that a noisy machine is noisy for both.
  while (runs.length < options.repeat) {
    // oxlint-disable-next-line no-await-in-loop
    await copy()
    note(`First sync ${runs.length + 1}, then with nothing to do, then after changes`)
    // oxlint-disable-next-line no-await-in-loop
    runs.push(await runSyncs(options, { server, client, records, filter }))
  }
  while (copies.length < options.plainCopies) {
    // oxlint-disable-next-line no-await-in-loop
    await copy()
  }

  const plainSeconds = spreadOf(copies.map(({ seconds }) => seconds))
  const syncSeconds = spreadOf(runs.map(({ firstSync }) => firstSync.seconds))
  const plain = medianBy(copies, ({ seconds }) => seconds)
  const run = medianBy(runs, ({ firstSync }) => firstSync.seconds)
  return {
    records,
    direction: options.direction,
    client: client.kind,
    server: server.kind,
    plainCopySeconds: plainSeconds.median,
    plainCopy: {
      seconds: plainSeconds,
      bytes: plain.bytes,
      peakMemoryMb: plain.peakMemoryMb,
      databaseMb: (await databaseOf(plainTarget.kind).bytes(plainTarget.at)) / 1e6,
    },
    ...run,
    longestAnswerSeconds: Math.max(...runs.map(({ longestAnswerSeconds }) => longestAnswerSeconds)),
    firstSync: {
      ...run.firstSync,
      spread: syncSeconds,
      ratioToPlainCopy: run.firstSync.seconds / plainSeconds.median,
      ratioOfFastest: syncSeconds.min / plainSeconds.min,
    },
  }
}
