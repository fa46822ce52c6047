import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { sql } from 'kysely'
import { createMorango, type MergePolicies, type Morango } from '../src/index.ts'
import { listen, type Listening } from '../src/node.ts'
import { sqlite } from '../src/sqlite.ts'
import { zlibCompressor } from '../src/node.ts'
import type { Certificate } from '../src/core/certificate.ts'
import { saveCertificate } from '../src/storage/certificates.ts'
import { fixIdentity, type Identity } from '../test/golden/identity.ts'
import {
  type Dump,
  type Fields,
  type Json,
  type Peer,
  PASSWORD,
  type Transferred,
  USERNAME,
  type Wanted,
} from './peer.ts'
import { MODELS, type ModelName, surveyWith, TABLES } from './profile.ts'

/** A certificate, with its key where it can be used. */
export interface HeldCertificate {
  readonly certificate: Certificate
  readonly privateKeyPem: string | undefined
}

/** Where a source id is kept that is not derived; else in a column of its own. */
const SOURCE_ID: Partial<Record<ModelName, string>> = { person: 'id' }

/** How our peer differs from the default. */
export interface OurOptions {
  /** A file; in memory when missing. */
  readonly path?: string
  readonly port?: number
  readonly withoutCapabilities?: readonly string[]
  readonly allowCertificatePushing?: boolean
  /** Drawn when missing. */
  readonly identity?: Identity
  readonly certificates?: readonly HeldCertificate[]
  /** How conflicts over samples are merged. */
  readonly sampleMerge?: MergePolicies
}

/** A peer of ours, serving on a port of its own in this process. */
export async function createOurPeer(options: OurOptions = {}): Promise<Peer & { readonly morango: Morango }> {
  const connection = new DatabaseSync(options.path ?? ':memory:', { timeout: 5000 })
  connection.exec('pragma journal_mode = wal')
  const isNew = connection.prepare("select 1 from sqlite_master where name = 'sample'").get() === undefined
  if (isNew) connection.exec(TABLES)
  // As an application has it: two connections to one file. What is in memory has only one.
  const database = sqlite(options.path ?? connection)
  const morango = await createMorango({
    database,
    profiles: [surveyWith(options.sampleMerge)],
    migrate: true,
    compressor: zlibCompressor,
    withoutCapabilities: options.withoutCapabilities,
    allowCertificatePushing: options.allowCertificatePushing,
  })
  if (options.identity !== undefined) await fixIdentity(database, options.identity)
  for (const { certificate, privateKeyPem } of options.certificates ?? []) {
    // A parent before its children.
    // oxlint-disable-next-line no-await-in-loop
    await saveCertificate(database.kysely, certificate, privateKeyPem)
  }
  const server: Listening = await listen(morango, {
    port: options.port ?? 0,
    authorize: ({ username, password, fields }) => {
      const name = fields['username'] ?? username
      if (password !== PASSWORD || (name !== USERNAME && name !== 'nobody')) return 'unauthenticated'
      return name === USERNAME
    },
  })

  function insert(model: ModelName, values: Fields): string {
    const { source_id: source, ...fields } = values
    const given = source === undefined ? {} : { [SOURCE_ID[model] ?? 'morango_source_id']: String(source) }
    const row = { ...morango.record(model, { ...rowOf(model, fields), ...given }) }
    const columns = Object.keys(row)
    const places = columns.map(() => '?').join(', ')
    connection
      .prepare(`insert into ${model} (${columns.join(', ')}) values (${places})`)
      .run(...Object.values(row))
    return row.id
  }

  function inTransaction<Result>(work: () => Result): Result {
    connection.exec('begin immediate')
    try {
      const result = work()
      connection.exec('commit')
      return result
    } catch (error) {
      connection.exec('rollback')
      throw error
    }
  }

  return {
    kind: 'ours',
    url: server.url,
    morango,
    async create({ model, rows }) {
      return inTransaction(() => rows.map((values) => insert(model, values)))
    },
    async fill({ dataset, from, count }) {
      inTransaction(() => {
        for (let number = from; number < from + count; number++) insert('sample', numbered(dataset, number))
      })
      return null
    },
    async update({ model, id, fields }) {
      const row = rowOf(model, fields)
      const sets = Object.keys(row).map((column) => `${column} = ?`)
      connection.prepare(`update ${model} set ${sets.join(', ')} where id = ?`).run(...Object.values(row), id)
      return null
    },
    async remove({ model, id, hard }) {
      if (hard === true) await morango.deleteHard(model, [id])
      else connection.prepare(`delete from ${model} where id = ?`).run(id)
      return null
    },
    async serialize() {
      await morango.serialize()
      return null
    },
    async deserialize() {
      await morango.deserialize()
      return null
    },
    async root({ scope }) {
      return (await morango.certificates.createRoot(scope)).id
    },
    async certificates() {
      const held = await morango.certificates.list()
      return held.map(({ id, parentId, scope }) => ({ id, parent: parentId ?? null, scope, held: true }))
    },
    async request({ url, dataset, scope, params, username, password }) {
      const made = await morango.certificates.request(url, {
        scopeDefinition: scope,
        scopeParams: params,
        primaryPartition: dataset,
        credentials: { username, password },
      })
      return { id: made.id, parent: made.parentId ?? null, scope: made.scope, held: true }
    },
    async push({ url, parent, scope, params }) {
      const made = await morango.certificates.push(url, {
        parentId: parent,
        scopeDefinition: scope,
        scopeParams: params,
      })
      return { id: made.id, parent: made.parentId ?? null, scope: made.scope, held: false }
    },
    async sync({ url, transfers, chunk, client, server: serverCertificate }) {
      const out: Transferred[] = []
      for (const { direction: wanted, filter } of inSessions(transfers)) {
        // oxlint-disable-next-line no-await-in-loop
        const report = await morango.sync(url, {
          direction: wanted,
          filter,
          maxChunk: chunk,
          certificate: client,
          serverCertificate,
        })
        for (const { direction, recordsTotal, recordsTransferred, stages } of report.transfers) {
          const push = direction === 'push'
          out.push({ push, total: recordsTotal, transferred: recordsTransferred, stages })
        }
      }
      return out
    },
    dump: () => dump(),
    async count({ model }) {
      return Number(connection.prepare(`select count(*) as n from ${model}`).get()?.['n'])
    },
    async memory() {
      return process.resourceUsage().maxRSS / 1024
    },
    async close() {
      await server.close()
      await morango.close()
      connection.close()
    },
  }

  async function dump(): Promise<Dump> {
    const db = database.kysely
    const status = await morango.status()
    const histories = new Map<string, Record<string, number>>()
    const store = await db.selectFrom('morango_store').selectAll().orderBy('id').execute()
    for (const row of store) histories.set(row.id, { [row.last_saved_instance]: row.last_saved_counter })
    for (const row of await db.selectFrom('morango_record_max_counter').selectAll().execute()) {
      const history = histories.get(row.store_id)
      if (history !== undefined) history[row.instance_id] ??= row.counter
    }
    const dirty = new Set(
      (await db.selectFrom('morango_dirty').select('store_no').execute()).map((row) => row.store_no),
    )
    const counters = await db
      .selectFrom('morango_database_max_counter')
      .selectAll()
      .orderBy('partition')
      .orderBy('instance_id')
      .execute()
    const pending = await sql<{ id: string }>`select record_id as id from morango_change_log
      union select record_id from morango_pending order by 1`.execute(db)
    const left = await sql<{ n: number }>`select (select count(*) from morango_incoming)
      + (select count(*) from morango_outgoing) + (select count(*) from morango_outgoing_snapshot) as n`.execute(
      db,
    )
    return {
      instance: status.instance.id,
      counter: status.instance.counter,
      store: store.map((row) => ({
        id: row.id,
        model: row.model_name,
        partition: row.partition,
        source: row.source_id,
        serialized: row.serialized,
        conflicting: row.conflicting_serialized_data,
        selfRef: row.self_ref_fk,
        instance: row.last_saved_instance,
        counter: row.last_saved_counter,
        deleted: row.deleted === 1,
        hard: row.hard_deleted === 1,
        dirty: dirty.has(row.no),
        history: histories.get(row.id) ?? {},
      })),
      counters: counters.map((row) => [row.partition, row.instance_id, row.counter] as const),
      pending: pending.rows.map(({ id }) => id),
      buffers: Number(left.rows[0]?.n),
      app: { region: rows('region'), person: rows('person'), visit: rows('visit'), sample: rows('sample') },
    }
  }

  function rows(model: ModelName): Fields[] {
    const big = model === 'sample' ? ', cast(big as text) as big' : ''
    const names = connection.prepare(`pragma table_info(${model})`).all()
    const columns = names
      .map((column) => String(column['name']))
      .filter((name) => name !== 'big' && name !== 'morango_source_id')
    const found = connection.prepare(`select ${columns.join(', ')}${big} from ${model} order by id`).all()
    return found.map((row) =>
      Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plain(name, value)])),
    )
  }
}

/** A pull and a push of the same after it go through one session, as the original's all do. */
function* inSessions(
  transfers: readonly Wanted[],
): Generator<{ readonly direction: 'pull' | 'push' | 'both'; readonly filter: string }> {
  let first: Wanted | undefined
  for (const next of transfers) {
    if (first !== undefined && !first.push && next.push && next.filter === first.filter) {
      yield { direction: 'both', filter: next.filter }
      first = undefined
      continue
    }
    if (first !== undefined) yield { direction: first.push ? 'push' : 'pull', filter: first.filter }
    first = next
  }
  if (first !== undefined) yield { direction: first.push ? 'push' : 'pull', filter: first.filter }
}

/** One of many samples; `python/peer.py` makes the same. */
function numbered(dataset: string, number: number): Fields {
  return { dataset_id: dataset, label: `n${number}`, text: `Text of sample ${number}`, small: number }
}

/** From JSON values to what the tables hold. */
function rowOf(model: ModelName, fields: Fields): Record<string, SQLInputValue> {
  const row: Record<string, SQLInputValue> = {}
  for (const [name, value] of Object.entries(fields)) row[columnOf(model, name)] = stored(name, value)
  return row
}

const REFERENCES = new Set(['parent', 'home', 'person', 'region'])

function columnOf(model: ModelName, name: string): string {
  return MODELS.includes(model) && REFERENCES.has(name) ? `${name}_id` : name
}

function stored(name: string, value: Json): SQLInputValue {
  if (name === 'payload') return value === null ? null : JSON.stringify(value)
  if (value === null || typeof value === 'number') return value
  if (typeof value === 'boolean') return value ? 1 : 0
  if (typeof value !== 'string') throw new Error(`${name}: no such value in a table`)
  if (name === 'token') return value.replaceAll('-', '')
  return name === 'big' ? BigInt(value) : value
}

/** From what the tables hold to JSON values. */
function plain(name: string, value: unknown): Json {
  if (value === null) return null
  if (name === 'flag' || name === 'maybe' || name === 'active') {
    if (value !== 0 && value !== 1) throw new Error(`${name}: ${String(value)} is no boolean`)
    return value === 1
  }
  if (name === 'amount') return typeof value === 'number' ? value.toFixed(2) : String(value)
  if (typeof value === 'number') return value
  if (typeof value !== 'string') throw new Error(`${name}: a ${typeof value}`)
  if (name === 'token') return value.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
  return name === 'payload' ? JSON.parse(value) : value
}
