import { copyFile } from 'node:fs/promises'
import { z } from 'zod'
import { introduce } from '../../interop/introduce.ts'
import type { Wanted } from '../../interop/peer.ts'
import { medianBy } from '../result.ts'
import { megabytes, type PairKind, type PairPaths, type RunningPair, withPair } from './pairs.ts'
import { createRecords } from './records.ts'
import type { PairRun, StepFigures } from './result.ts'
import { seenSeconds, toldSeconds } from './stages.ts'
import { startWire, type Wire } from './wire.ts'

/** Two databases with certificates, the server's with the records of the first pull, not yet serialized. */
export interface PreparedPair {
  readonly paths: PairPaths
  readonly dataset: string
  /** Records that can be changed, at the server. */
  readonly visits: readonly string[]
  readonly records: number
}

/** Syncs with nothing to do: as many as begin in so much time, within bounds. The median counts. */
const IDLE_SYNCS = { least: 3, most: 25, seconds: 5 }

/** Makes databases ready whose paths begin with `at`. */
export async function preparePair(kind: PairKind, at: string, records: number): Promise<PreparedPair> {
  const paths = { client: `${at}-client.db`, server: `${at}-server.db` }
  await kind.create(paths.client)
  await kind.create(paths.server)
  return await withPair(kind, paths, async ({ client, server }) => {
    const { dataset } = await introduce(client, server)
    const visits = await createRecords(server, { dataset, lot: 'pulled', count: records })
    return { paths, dataset, visits, records }
  })
}

/** All steps on copies of a prepared pair, whose paths begin with `at`. */
export async function runPair(kind: PairKind, prepared: PreparedPair, at: string): Promise<PairRun> {
  const paths = { client: `${at}-client.db`, server: `${at}-server.db` }
  await copyFile(prepared.paths.client, paths.client)
  await copyFile(prepared.paths.server, paths.server)
  kind.adapt(paths.client)
  kind.adapt(paths.server)
  const run = await withPair(kind, paths, async (pair) => {
    const wire = await startWire(pair.server.url)
    try {
      return await runSteps(pair, wire, prepared)
    } finally {
      await wire.close()
    }
  })
  const databaseMb = { client: await megabytes(paths.client), server: await megabytes(paths.server) }
  return { ...run, databaseMb }
}

async function runSteps(
  { client, server }: RunningPair,
  wire: Wire,
  { dataset, visits, records }: PreparedPair,
): Promise<Omit<PairRun, 'databaseMb'>> {
  const pull: Wanted = { push: false, filter: dataset }
  const push: Wanted = { push: true, filter: dataset }
  const sync = async (expected: number, ...transfers: Wanted[]): Promise<StepFigures> => {
    wire.take()
    const start = performance.now()
    const transferred = await client.sync({ url: wire.url, dataset, transfers })
    const end = performance.now()
    const moved = transferred.reduce((total, transfer) => total + transfer.transferred, 0)
    if (moved !== expected)
      throw new Error(`${client.kind}: ${moved} records were synced instead of ${expected}`)
    const { exchanges, bytes } = wire.take()
    const seconds = (end - start) / 1000
    return {
      records: moved,
      seconds,
      stages: toldSeconds(transferred, seconds) ?? seenSeconds(exchanges, { start, end }),
      requests: exchanges.length,
      bytes,
      bytesPerRecord: moved === 0 ? undefined : (bytes.toServer + bytes.toClient) / moved,
    }
  }

  const firstPull = await sync(records, pull)
  const created = await createRecords(client, { dataset, lot: 'pushed', count: records })
  const firstPush = await sync(records, push)
  await requireVisits([client, server], visits.length + created.length)
  const idle: StepFigures[] = []
  const until = performance.now() + IDLE_SYNCS.seconds * 1000
  while (idle.length < IDLE_SYNCS.least || (idle.length < IDLE_SYNCS.most && performance.now() < until)) {
    // oxlint-disable-next-line no-await-in-loop
    idle.push(await sync(0, pull, push))
  }
  const changed = visits.slice(0, Math.ceil(records / 100))
  for (const id of changed) {
    // oxlint-disable-next-line no-await-in-loop
    await server.update({ model: 'visit', id, fields: { note: 'Changed' } })
  }
  const onePercent = await sync(changed.length, pull)
  return {
    version: await versionOf(server.url),
    steps: { firstPull, firstPush, nothingToDo: medianBy(idle, ({ seconds }) => seconds), onePercent },
    peakMemoryMb: { client: await client.memory({}), server: await server.memory({}) },
  }
}

async function requireVisits(peers: readonly RunningPair['client'][], expected: number): Promise<void> {
  const counts = await Promise.all(peers.map(async (peer) => await peer.count({ model: 'visit' })))
  for (const count of counts) {
    if (count !== expected) throw new Error(`There are ${count} visits instead of ${expected}`)
  }
}

const infoSchema = z.object({ version: z.string() })

async function versionOf(url: string): Promise<string> {
  const response = await fetch(new URL('api/morango/v1/morangoinfo/1/', url))
  return infoSchema.parse(await response.json()).version
}
