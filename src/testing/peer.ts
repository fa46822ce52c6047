import { type Kysely, sql } from 'kysely'
import { MorangoError } from '../core/errors.ts'
import { parseFilter } from '../core/filter.ts'
import type { Random } from '../core/ports.ts'
import type { Profile } from '../models/profile.ts'
import { createMorango, type Morango, type MorangoOptions, type ServeOptions } from '../morango.ts'
import type { Service } from '../protocol/peer.ts'
import type { Sleep } from '../session/timing.ts'
import { saveCertificate } from '../storage/certificates.ts'
import type { Database } from '../storage/dialect.ts'
import type { Schema } from '../storage/schema.ts'
import type { TestAuthority, TestScope } from './certificates.ts'
import { createProcessLife, type ProcessLife } from './process-life.ts'
import { findText, readRecords, type TestRecord } from './records.ts'
import type { TestDatabase } from './test-database.ts'

/** A row as the database gives it. */
export type TestRow = Readonly<Record<string, unknown>>

/** One instance in a test network: a database, and a process on it that can be killed and started again. */
export interface TestPeer {
  readonly name: string
  /** The running instance; another one after each restart. */
  readonly morango: Morango
  /** Its server's side; another one after each restart. */
  readonly service: Service
  /** Its database, for whatever the methods here do not do. */
  readonly database: Database
  /** Writes a new row of a model, id and source id filled in. */
  insert(model: string, values: object): Promise<TestRow & { readonly id: string }>
  update(model: string, id: string, values: object): Promise<void>
  delete(model: string, ...ids: string[]): Promise<void>
  /** Deletes records so that nothing of their content is left anywhere. */
  deleteHard(model: string, ...ids: string[]): Promise<void>
  /** A model's rows by id. */
  rows(model: string): Promise<TestRow[]>
  row(model: string, id: string): Promise<TestRow | undefined>
  /** The Store's records, by id; those under a filter when it is given. */
  records(filter?: string): Promise<TestRecord[]>
  /** The tables, the application's and our own, in which some row has that text in it. */
  tablesWith(text: string): Promise<string[]>
  /** The process dies and is started again. */
  restart(): Promise<void>
}

/** What the network needs of a peer besides. */
export interface RunningPeer extends TestPeer {
  readonly life: ProcessLife
  readonly scope: TestScope | undefined
  close(): Promise<void>
}

/** What a peer is made of. */
export interface PeerSetup {
  readonly name: string
  readonly store: TestDatabase
  readonly schema: readonly string[]
  readonly profiles: readonly [Profile, ...Profile[]]
  readonly authorities: readonly TestAuthority[]
  readonly scope: TestScope | undefined
  readonly options: Partial<MorangoOptions>
  readonly serve: ServeOptions
  readonly random: Random
  readonly clock: NonNullable<MorangoOptions['clock']>
  readonly sleep: Sleep
  readonly pulse: Sleep
  /** Lets the time pass that it takes to notice that a process has died. */
  readonly lapse: () => void
}

/** Makes the tables and the certificates of a peer, and starts it. */
export async function startPeer(setup: PeerSetup): Promise<RunningPeer> {
  const { name, store, profiles, scope } = setup
  const first = await store.open()
  for (const statement of setup.schema) await sql.raw(statement).execute(first.kysely)
  let running = await boot(first, true)
  for (const [index, authority] of setup.authorities.entries()) {
    const { certificate, privateKeyPem } = authority.root
    const own = index === 0 && scope !== undefined ? await authority.issue(scope) : undefined
    // Who has a scope of its own does not have the root's key.
    await saveCertificate(first.kysely, certificate, own === undefined ? privateKeyPem : undefined)
    if (own !== undefined) await saveCertificate(first.kysely, own.certificate, own.privateKeyPem)
  }

  async function boot(
    opened: Database,
    migrate: boolean,
  ): Promise<{ database: Database; morango: Morango; service: Service; life: ProcessLife }> {
    // Instance ids must not depend on the machine that runs the test.
    const database = { ...opened, machine: { ...opened.machine, systemId: 'test', nodeId: name } }
    const life = createProcessLife(setup.sleep)
    const { clock, random } = setup
    const morango = await createMorango({
      onWarning: () => {},
      ...setup.options,
      database: life.connect(database),
      profiles,
      migrate,
      clock,
      random,
      sleep: life.sleep,
      pulse: (ms, signal) => life.through(setup.pulse(ms, signal)),
    })
    return { database, morango, service: morango.service(setup.serve), life }
  }

  const tableOf = (model: string): string => {
    for (const profile of profiles) {
      for (const [key, declared] of Object.entries(profile.models)) {
        if ((declared.name ?? key) === model) return declared.table
      }
    }
    throw new MorangoError('unknown-model', `There is no model "${model}".`)
  }
  const db = (): Kysely<Schema> => running.database.kysely

  return {
    name,
    scope,
    get morango() {
      return running.morango
    },
    get database() {
      return running.database
    },
    get service() {
      return running.service
    },
    get life() {
      return running.life
    },
    async insert(model, values) {
      const record: TestRow & { readonly id: string } = running.morango.record(model, { ...values })
      const columns = Object.keys(record).map((column) => sql.id(column))
      await sql`insert into ${sql.id(tableOf(model))} (${sql.join(columns)})
        values (${sql.join(Object.values(record))})`.execute(db())
      return record
    },
    async update(model, id, values) {
      const changes = Object.entries(values).map(([column, value]) => sql`${sql.id(column)} = ${value}`)
      await sql`update ${sql.id(tableOf(model))} set ${sql.join(changes)} where id = ${id}`.execute(db())
    },
    async delete(model, ...ids) {
      for (const id of ids) await sql`delete from ${sql.id(tableOf(model))} where id = ${id}`.execute(db())
    },
    deleteHard: (model, ...ids) => running.morango.deleteHard(model, ids),
    rows: async (model) =>
      (await sql<TestRow>`select * from ${sql.id(tableOf(model))} order by id`.execute(db())).rows,
    row: async (model, id) =>
      (await sql<TestRow>`select * from ${sql.id(tableOf(model))} where id = ${id}`.execute(db())).rows[0],
    records: (filter) => readRecords(db(), filter === undefined ? undefined : parseFilter(filter)),
    tablesWith: (text) => findText(running.database, text),
    async restart() {
      running.life.kill()
      await store.crash()
      setup.lapse()
      running = await boot(await store.open(), false)
    },
    async close() {
      running.life.kill()
      await store.crash()
      await running.database.close()
      await store.destroy()
    },
  }
}
