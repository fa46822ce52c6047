import { DatabaseSync } from 'node:sqlite'
import type { Hono } from 'hono'
import { certificateFromItem } from '../../src/core/certificate.ts'
import { createMorango, defineProfile, model, scope } from '../../src/index.ts'
import type { Authorization, CertificateApplicant, Database, Profile } from '../../src/index.ts'
import { createRoutes } from '../../src/server.ts'
import { sqlite } from '../../src/sqlite.ts'
import { saveCertificate } from '../../src/storage/certificates.ts'
import { isJson, readKeys, readRootItem } from './transcripts-data.ts'
import type { Json, StoreRow, Transcript } from './transcripts-data.ts'

/** The instance id of the recorded server. Ours takes it over, so that nothing has to be translated. */
export const SERVER_INSTANCE = '3959fbc94edfe350a66763db9d2897df'

const ROOT_KEY = 0
const SHARED_KEY = 3
const MODELS = ['user', 'facility', 'contentsummarylog', 'contentinteractionlog']
const TABLES = `
  create table user (
    password text not null, last_login text, id text primary key, is_staff integer not null,
    is_superuser integer not null, username text not null
  );
  create table facility (
    id text primary key, name text not null, now_date text not null,
    parent_id text references facility (id) on delete cascade
  );
  create table contentsummarylog (
    id text primary key, user_id text not null references user (id) on delete cascade,
    content_id text not null
  );
  create table contentinteractionlog (
    id text primary key, user_id text references user (id) on delete cascade, content_id text not null
  );`

/** A record as the fixtures have it, in a store or in a buffer. */
export type SeedRecord = Pick<StoreRow, 'model_name' | 'source_id' | 'serialized'>

/** Our server in the place of the recorded one. */
export interface ReplayServer {
  readonly app: Hono
  readonly database: Database
  readonly sqlite: DatabaseSync
  /** Writes records as the application would. */
  seed(records: readonly SeedRecord[]): void
  /** App rows to store, as an application may ask for it. */
  serialize(): Promise<unknown>
  /** Sets the next id that the server makes up, a nonce's or a certificate's salt; undefined: any. */
  invent(id: string | undefined): void
  /** Sets the server's clock forward, or back. */
  advance(ms: number): void
}

/**
 * The app of the recordings (with its "kit" partitions), set up like the recorded server.
 *
 * @param pushedDataset - the dataset of the user `owner`, whom the client pushes. The recorded app has its dataset from
 *   a setting, and never looks at where an arriving record belongs; ours does.
 */
export async function startServer(
  transcript: Transcript,
  dataset: string,
  pushedDataset: string = dataset,
): Promise<ReplayServer> {
  const flags = transcript.server_flags.split(',')
  const connection = new DatabaseSync(':memory:')
  connection.exec(TABLES)
  const database = sqlite(connection)
  let invented: string | undefined
  let now = Date.UTC(2026, 10, 22, 16)
  const morango = await createMorango({
    database,
    profiles: [declareProfile(dataset, pushedDataset), declareOtherProfile()],
    migrate: true,
    allowCertificatePushing: flags.includes('ALLOW_CERTIFICATE_PUSHING'),
    withoutCapabilities: [
      // Ours, which the recorded server did not have.
      'TRANSFER_PREVIEW',
      'JOINED_STAGES',
      'SET_SUMS',
      ...(flags.includes('MORANGO_DISALLOW_ASYNC_OPERATIONS') ? ['ASYNC_OPERATIONS'] : []),
      ...(flags.includes('MORANGO_DISABLE_FSIC_V2_FORMAT') ? ['FSIC_V2_FORMAT'] : []),
    ],
    clock: { now: () => new Date(now++) },
    random: { uuid: () => invented ?? globalThis.crypto.randomUUID().replaceAll('-', '') },
  })
  await database.kysely.updateTable('morango_instance').set({ id: SERVER_INSTANCE }).execute()
  await saveKeys(database)
  const service = morango.service({ authorize })
  const here = () => '127.0.0.1'
  return {
    app: createRoutes(service, { packedBuffers: false, clientIp: here, serverIp: here }),
    database,
    sqlite: connection,
    seed: (records) => {
      seed(connection, records)
    },
    serialize: () => morango.serialize(),
    invent: (id) => {
      invented = id
    },
    advance: (ms) => {
      now += ms
    },
  }
}

function declareProfile(dataset: string, pushedDataset: string): Profile {
  return defineProfile({
    name: 'facilitydata',
    models: {
      user: model({
        table: 'user',
        id: 'source-id',
        partition: ({ id, username }: Readonly<Record<string, unknown>>) =>
          `${username === 'owner' ? pushedDataset : dataset}:${String(id)}:user`,
        columns: { last_login: 'date-time', is_staff: 'boolean', is_superuser: 'boolean' },
      }),
      facility: model({
        table: 'facility',
        sourceId: '${name}',
        partition: `${dataset}:facility:\${name}`,
        columns: { now_date: 'date-time' },
      }),
      contentsummarylog: model({
        table: 'contentsummarylog',
        sourceId: '${user_id}:${content_id}',
        partition: `${dataset}:\${user_id}:user:summary`,
      }),
      contentinteractionlog: model({
        table: 'contentinteractionlog',
        partition: `${dataset}:\${user_id}:user:interaction`,
      }),
    },
    scopes: {
      rootcert: scope({ root: 'mainpartition', readWrite: '${mainpartition}' }),
      fullsub: scope({ readWrite: '${mainpartition}' }),
      subcert: scope({
        read: ['${mainpartition}:shared', '${mainpartition}:${subpartition}'],
        write: '${mainpartition}:${subpartition}',
      }),
    },
  })
}

function declareOtherProfile(): Profile {
  return defineProfile({
    name: 'otherprofile',
    models: {},
    scopes: { otherroot: scope({ root: 'mainpartition', readWrite: '${mainpartition}' }) },
  })
}

async function saveKeys({ kysely }: Database): Promise<void> {
  const keys = readKeys()
  const root = keys[ROOT_KEY]
  const shared = keys[SHARED_KEY]
  if (root === undefined || shared === undefined) throw new Error('keys.json lacks a key')
  await saveCertificate(kysely, certificateFromItem(signedItem(readRootItem())), root.private_key_pem)
  const row = { id: 1, private_key: shared.private_key_pem, public_key: shared.public_key_string }
  await kysely.insertInto('morango_shared_key').values(row).execute()
}

/** What of a recorded certificate a receiver reads. */
export function signedItem(item: Json): { id: string; serialized: string; signature: string } {
  const { id, serialized, signature } = item
  if (typeof id !== 'string' || typeof serialized !== 'string' || typeof signature !== 'string') {
    throw new Error('That is no certificate')
  }
  return { id, serialized, signature }
}

/** The users of the recorded server: one administrator, and one who may nothing. */
function authorize({ username, password, fields }: CertificateApplicant): Authorization {
  const name = fields['username'] ?? username
  if (password !== 'password' || (name !== 'admin' && name !== 'plain')) return 'unauthenticated'
  return name === 'admin' ? true : 'forbidden'
}

function seed(connection: DatabaseSync, records: readonly SeedRecord[]): void {
  connection.exec('begin; pragma defer_foreign_keys = on')
  for (const table of MODELS) {
    for (const record of records.filter(({ model_name }) => model_name === table)) {
      const row = rowOf(record)
      const names = Object.keys(row)
      const places = names.map(() => '?').join(', ')
      connection
        .prepare(`insert into ${table} (${names.join(', ')}) values (${places})`)
        .run(...Object.values(row))
    }
  }
  connection.exec('commit')
}

function rowOf({ model_name, source_id, serialized }: SeedRecord): Record<string, string | number | null> {
  const fields: unknown = JSON.parse(serialized)
  if (!isJson(fields)) throw new Error('A record is no object')
  const row: Record<string, string | number | null> = {}
  for (const [name, value] of Object.entries(fields)) {
    if (!name.startsWith('_morango_')) row[name] = typeof value === 'boolean' ? Number(value) : cell(value)
  }
  if (model_name === 'contentinteractionlog') row['morango_source_id'] = source_id
  return row
}

function cell(value: unknown): string | number | null {
  if (value === null || typeof value === 'string' || typeof value === 'number') return value
  throw new Error('A field is neither a text nor a number')
}
