import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Fleet, type FleetServer, startFleet } from '../../bench/processes/fleet.ts'
import { startProcess } from '../../bench/processes/calls.ts'
import { createHttpPeer } from '../../src/client.ts'
import { createMorango, type Database, type Morango } from '../../src/index.ts'
import { realSleep } from '../../src/session/timing.ts'
import { library, librarySchema } from '../../src/testing/index.ts'
import { createMemoryPeer } from '../../src/transport/memory.ts'
import { DATABASE } from '../databases/index.ts'
import type { ServerDatabase } from '../databases/server.ts'
import { openPlace, type Place } from './places.ts'
import type { ServerApi } from './server.ts'

const SERVER = new URL('server.ts', import.meta.url).href
const PROCESSES = 3
const LEASE_MS = 250
const BOOKS = 12

/** Only where there is a server: the module connects to it. */
async function makeOnServer(): Promise<ServerDatabase> {
  return await (await import('../databases/server.ts')).makeOnServer()
}

/** A sync waits as it would, only shorter. */
const impatient: typeof realSleep = (ms, signal) => realSleep(Math.min(ms, 25), signal)

/** An application with its database. */
interface Site {
  readonly place: Place
  readonly database: Database
  readonly morango: Morango
}

// PGlite is a database within one process.
describe.skipIf(DATABASE === 'pglite')(`several server processes on one database: ${DATABASE}`, () => {
  const directory = mkdtempSync(join(tmpdir(), 'morango-processes-'))
  let onServer: ServerDatabase | undefined
  let cloud: Site
  let tablet: Site
  let fleet: Fleet<ServerApi>
  let filter = ''
  let root = ''
  let books = 0

  const file = (name: string): Place => ({ kind: 'sqlite', at: join(directory, `${name}.db`) })

  async function open(place: Place, withoutCapabilities: string[] = []): Promise<Site> {
    const database = openPlace(place)
    for (const statement of librarySchema) {
      const text = statement.replace('create table', 'create table if not exists')
      // oxlint-disable-next-line no-await-in-loop
      await sql.raw(text).execute(database.kysely)
    }
    const morango = await createMorango({
      database,
      profiles: [library],
      migrate: true,
      chunkSize: 4,
      withoutCapabilities,
      sleep: impatient,
    })
    return { place, database, morango }
  }

  async function startServer(): Promise<FleetServer<ServerApi>> {
    const remote = startProcess<ServerApi>(SERVER)
    const { url } = await remote.call('start', { place: cloud.place, leaseMs: LEASE_MS })
    return { url, remote }
  }

  beforeAll(async () => {
    onServer = DATABASE === 'postgres' ? await makeOnServer() : undefined
    cloud = await open(onServer === undefined ? file('cloud') : { kind: 'postgres', at: onServer.url })
    tablet = await open(file('tablet'))
    root = (await cloud.morango.certificates.createRoot('all')).id
    filter = `${root}:u1`
    const service = cloud.morango.service({ authorize: () => true })
    await tablet.morango.certificates.request(
      createMemoryPeer(service, { capabilities: tablet.morango.capabilities }),
      {
        scopeDefinition: 'owner',
        scopeParams: { root, owner: 'u1' },
        credentials: { username: 'ana', password: 'x' },
      },
    )
    fleet = await startFleet(PROCESSES, startServer)
  })

  afterAll(async () => {
    await fleet.close()
    await cloud.database.close()
    await tablet.database.close()
    await onServer?.destroy()
    rmSync(directory, { recursive: true, force: true })
  })

  async function write(site: Site): Promise<void> {
    const rows = Array.from({ length: BOOKS }, () =>
      site.morango.record('book', { root, owner: 'u1', title: `book ${books++}` }),
    )
    const columns = Object.keys(rows[0] ?? {}).map((column) => sql.id(column))
    const values = rows.map((row) => sql`(${sql.join(Object.values(row))})`)
    await sql`insert into book (${sql.join(columns)}) values ${sql.join(values)}`.execute(
      site.database.kysely,
    )
  }

  async function sync(client: Morango): Promise<{ pulled: number; pushed: number; conflicts: number }> {
    const peer = createHttpPeer(fleet.url, { capabilities: client.capabilities, sleep: impatient })
    const { pulled, pushed, conflicts } = await client.sync(peer, { filter })
    return { pulled, pushed, conflicts }
  }

  async function contentOf({ database }: Site): Promise<object> {
    const db = database.kysely
    const rows = await sql<{ title: string }>`select id, title from book order by id`.execute(db)
    const store = await sql`select id, serialized from morango_store order by id`.execute(db)
    const active = await sql`select id from morango_transfer_session where active = 1`.execute(db)
    const incoming = await sql`select id from morango_incoming`.execute(db)
    const outgoing = await sql`select store_no from morango_outgoing`.execute(db)
    return {
      rows: rows.rows,
      store: store.rows,
      left: [...active.rows, ...incoming.rows, ...outgoing.rows],
      titles: new Set(rows.rows.map(({ title }) => title)).size,
    }
  }

  async function expectEqual(): Promise<void> {
    const content = await contentOf(cloud)
    expect(await contentOf(tablet)).toEqual(content)
    expect(content).toMatchObject({ titles: books, left: [] })
    expect(content).toMatchObject({ rows: { length: books }, store: { length: books } })
  }

  it('answer the requests of one transfer in turn', async () => {
    await write(cloud)
    await write(tablet)
    expect(await sync(tablet.morango)).toEqual({ pulled: BOOKS, pushed: BOOKS, conflicts: 0 })
    await expectEqual()
    expect([...fleet.balancer.given.values()].every((requests) => requests > 5)).toBe(true)
    expect(fleet.balancer.given.size).toBe(PROCESSES)
  })

  describe.each([
    ['joined', [], [5, 24, 43]],
    ['stage by stage', ['JOINED_STAGES'], [5, 24, 43]],
    ['bundled', ['ASYNC_OPERATIONS'], [11, 33]],
  ])('%s', (_mode, without, points) => {
    it.each(points)('two of them killed, the first after %i statements', async (statements) => {
      await fleet.complete()
      const deaths = fleet.deaths
      await write(cloud)
      await write(tablet)
      const [first, second] = fleet.servers
      await first?.remote.call('dieBefore', statements)
      await second?.remote.call('dieBefore', statements + 7)
      const { morango, database } = without.length === 0 ? tablet : await open(file('tablet'), without)
      expect(await sync(morango)).toEqual({ pulled: BOOKS, pushed: BOOKS, conflicts: 0 })
      if (database !== tablet.database) await database.close()
      expect(fleet.deaths).toBeGreaterThan(deaths)
      await expectEqual()
    })
  })
})
