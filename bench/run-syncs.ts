import type { SyncReport } from '../src/index.ts'
import { databaseOf, type Place } from './databases/kinds.ts'
import type { BenchOptions } from './options.ts'
import { SMALL_YOUNG_GENERATION } from './memory.ts'
import { secondsByPart } from './parts.ts'
import { startProbe } from './probe.ts'
import { type RemoteProcess, withProcess } from './processes/calls.ts'
import type { ServeApi } from './processes/serve.ts'
import type { SyncApi, TimedSync } from './processes/sync.ts'
import { type BenchResult, medianBy, type SyncFigures } from './result.ts'

/** Where the sides are, and what they sync. */
export interface SyncSetup {
  readonly server: Place
  readonly client: Place
  readonly records: number
  readonly filter: string
}

/** A first sync and what follows it. */
export type SyncRun = SyncedRun & Pick<BenchResult, 'databaseMb'>

type SyncedRun = Pick<BenchResult, 'nothingToDo' | 'onePercent' | 'peakMemoryMb' | 'longestAnswerSeconds'> & {
  readonly firstSync: SyncFigures
}

const IDLE_SYNCS = 3

/** A first sync between two fresh processes, then one with nothing to do and one after a few changes. */
export async function runSyncs(options: BenchOptions, setup: SyncSetup): Promise<SyncRun> {
  const { server, client } = setup
  await databaseOf(server.kind).restore(server.at)
  await databaseOf(client.kind).restore(client.at)
  const run = await syncAll(options, setup)
  // Both are closed by now: nothing is left in a log beside the file.
  const databaseMb = {
    client: (await databaseOf(client.kind).bytes(client.at)) / 1e6,
    server: (await databaseOf(server.kind).bytes(server.at)) / 1e6,
  }
  return { ...run, databaseMb }
}

async function syncAll(options: BenchOptions, setup: SyncSetup): Promise<SyncedRun> {
  const profiling =
    options.cpuProfile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${options.cpuProfile}`]
  // The plain copy runs without.
  const execArgv = [SMALL_YOUNG_GENERATION, ...profiling]
  return await withProcess<ServeApi, SyncedRun>(
    'serve.ts',
    execArgv,
    async (serving) =>
      await withProcess<SyncApi, SyncedRun>('sync.ts', execArgv, async (syncing) => {
        const run = await syncBetween(serving, syncing, options.direction, setup)
        await syncing.call('close')
        await serving.call('close')
        return run
      }),
  )
}

async function syncBetween(
  serving: RemoteProcess<ServeApi>,
  syncing: RemoteProcess<SyncApi>,
  direction: BenchOptions['direction'],
  { server, client, records, filter }: SyncSetup,
): Promise<SyncedRun> {
  const { url } = await serving.call('start', server)
  await syncing.call('open', client)
  const sync = async (way: 'pull' | 'push' | 'both'): Promise<TimedSync> =>
    await syncing.call('sync', { url, filter, direction: way })

  const probe = startProbe(url)
  const first = await sync(direction)
  const longestAnswerSeconds = await probe.stop()
  requireMoved(first.report, records)
  const peakMemoryMb = { client: await syncing.peakMemoryMb(), server: await serving.peakMemoryMb() }

  const idle: TimedSync[] = []
  for (let turn = 0; turn < IDLE_SYNCS; turn++) {
    // oxlint-disable-next-line no-await-in-loop
    const again = await sync('both')
    requireMoved(again.report, 0)
    idle.push(again)
  }

  const changed = await (direction === 'pull' ? serving : syncing).call('change')
  const onePercent = await sync(direction)
  requireMoved(onePercent.report, changed.records)

  const { seconds, report } = medianBy(idle, (each) => each.seconds)
  return {
    firstSync: figures(first),
    nothingToDo: { milliseconds: seconds * 1000, roundTrips: report.roundTrips, bytes: bytesOf(report) },
    onePercent: figures(onePercent),
    peakMemoryMb,
    longestAnswerSeconds,
  }
}

function requireMoved({ pulled, pushed, problems }: SyncReport, records: number): void {
  if (pulled + pushed === records && problems.unserialized + problems.undeserialized === 0) return
  throw new Error(
    `${pulled + pushed} records were synced instead of ${records}; problems: ${JSON.stringify(problems)}`,
  )
}

function figures({ seconds, report }: TimedSync): SyncFigures {
  return {
    records: report.pulled + report.pushed,
    seconds,
    stages: secondsByPart(report.transfers.map(({ stages }) => stages)),
    bytes: bytesOf(report),
    roundTrips: report.roundTrips,
  }
}

function bytesOf({ bytes }: SyncReport): number {
  return bytes.sent + bytes.received
}
