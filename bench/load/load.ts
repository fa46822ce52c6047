import { performance } from 'node:perf_hooks'
import { sql } from 'kysely'
import { startProcess } from '../processes/calls.ts'
import { startFleet } from '../processes/fleet.ts'
import type { LoadServerApi } from './serve.ts'
import { addBooks, contentOf, openCloud, openDevice, shareCertificate, type Site } from './site.ts'
import { startWriters } from './writers.ts'

const SERVER = new URL('serve.ts', import.meta.url).href
const WRITERS = 2

/** Clients that sync at once with some server processes on one database. */
export interface LoadOptions {
  /** An empty database, which nobody else uses. */
  readonly url: string
  readonly clients: number
  readonly processes: number
  /** New records of each client, and as many on the servers for each partition. */
  readonly records: number
}

/** What came of it. */
export interface LoadResult {
  /** For all clients to have synced once, both ways. */
  readonly seconds: number
  /** Statements that the application ran meanwhile. */
  readonly written: number
  /** Transactions that were begun again because of another, or for a stamp. */
  readonly rolledBack: number
  readonly deadlocks: number
  /** What servers answered with 5xx. */
  readonly failures: readonly string[]
  /** Clients that do not hold what the servers hold, after a last sync. */
  readonly unequal: number
}

/** Half of the clients are on one primary partition, the others on one each; an application writes to all. */
export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const cloud = await openCloud(options.url)
  const devices: { readonly site: Site; readonly root: string }[] = []
  const shared = (await cloud.morango.certificates.createRoot('all')).id
  for (let client = 0; client < options.clients; client++) {
    const alone = client % 2 === 1
    const root = alone ? (await cloud.morango.certificates.createRoot('all')).id : shared
    const site = await openDevice()
    await shareCertificate(cloud, site, root)
    const owner = `u${client}`
    const titles = Array.from({ length: options.records }, (_, index) => `${owner} ${index}`)
    await addBooks(site, { root, owner }, titles)
    if (alone || client === 0) await addBooks(cloud, { root, owner: 'cloud' }, titles)
    devices.push({ site, root })
  }
  const fleet = await startFleet(options.processes, async () => {
    const remote = startProcess<LoadServerApi>(SERVER)
    const { url } = await remote.call('start', options.url)
    return { url, remote }
  })
  const roots = [...new Set(devices.map(({ root }) => root))]
  const syncAll = async (): Promise<void> => {
    await Promise.all(devices.map(({ site, root }) => site.morango.sync(fleet.url, { filter: root })))
  }
  const before = await databaseStatistics(cloud)
  const writers = startWriters(cloud, roots, WRITERS)
  const start = performance.now()
  await syncAll()
  const seconds = (performance.now() - start) / 1000
  const written = await writers.stop()
  const after = await databaseStatistics(cloud)
  // The first of these two brings everything to the servers, the second to the clients.
  await syncAll()
  await syncAll()
  const failures = (await Promise.all(fleet.servers.map(({ remote }) => remote.call('failures')))).flat()
  let unequal = 0
  for (const { site, root } of devices) {
    if ((await contentOf(site, root)) !== (await contentOf(cloud, root))) unequal++
    await site.close()
  }
  await fleet.close()
  await cloud.close()
  return {
    seconds,
    written,
    rolledBack: after.rollbacks - before.rollbacks,
    deadlocks: after.deadlocks - before.deadlocks,
    failures,
    unequal,
  }
}

async function databaseStatistics({ database }: Site): Promise<{ rollbacks: number; deadlocks: number }> {
  const found = await sql<{
    rollbacks: number
    deadlocks: number
  }>`select xact_rollback as rollbacks, deadlocks
    from pg_stat_database where datname = current_database()`.execute(database.kysely)
  return found.rows[0] ?? { rollbacks: 0, deadlocks: 0 }
}
