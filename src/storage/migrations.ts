import { type Kysely, sql } from 'kysely'
import type { Database, Dialect } from './dialect.ts'
import { literal } from './rows.ts'
import { sumStore } from './saved-partitions.ts'
import type { Schema } from './schema.ts'
import { inTransaction } from './transaction.ts'

interface Step {
  readonly version: number
  readonly up: (db: Kysely<Schema>, dialect: Dialect) => Promise<void>
}

/**
 * Our tables, version by version. A step that was released is never changed; a new one is appended.
 */
const STEPS: readonly Step[] = [
  { version: 1, up: createTables },
  { version: 2, up: createEvicted },
  { version: 3, up: createAttempts },
  { version: 4, up: createConflicts },
  { version: 5, up: createPeerIndex },
  { version: 6, up: createQuotas },
  { version: 7, up: createClaims },
  { version: 8, up: createScopedContent },
  { version: 9, up: createSetSums },
]

/** The version that this release needs. */
export const SCHEMA_VERSION: number = STEPS.at(-1)?.version ?? 0

/** Brings our own tables up to date; application tables are not touched here. Safe to call at every start. */
export async function migrateOwnTables({ kysely, dialect }: Database): Promise<void> {
  await inTransaction(kysely, dialect, async (trx) => {
    await sql`create table if not exists morango_meta (key text primary key not null, value text not null)`.execute(
      trx,
    )
    const current = await schemaVersion(trx)
    for (const step of STEPS) {
      if (step.version <= current) continue
      await step.up(trx, dialect)
      await setMeta(trx, 'schema_version', String(step.version))
    }
  })
}

/** The version of our tables in this database, 0 when there are none. */
export async function schemaVersion(db: Kysely<Schema>): Promise<number> {
  return Number((await getMeta(db, 'schema_version')) ?? 0)
}

/** One value of `morango_meta`. */
export async function getMeta(db: Kysely<Schema>, key: string): Promise<string | undefined> {
  const row = await db.selectFrom('morango_meta').select('value').where('key', '=', key).executeTakeFirst()
  return row?.value
}

/** Sets one value of `morango_meta`. */
export async function setMeta(db: Kysely<Schema>, key: string, value: string): Promise<void> {
  await db
    .insertInto('morango_meta')
    .values({ key, value })
    .onConflict((conflict) => conflict.column('key').doUpdateSet({ value }))
    .execute()
}

/** Removes one value of `morango_meta`. */
export async function deleteMeta(db: Kysely<Schema>, key: string): Promise<void> {
  await db.deleteFrom('morango_meta').where('key', '=', key).execute()
}

/** What columns and tables are, in the words of a database. */
interface Types {
  /** Prefix ranges need code point order whatever the database's locale says. */
  readonly text: string
  /** A number by which others name a row. */
  readonly counted: string
  /** The same, where a row that comes later never takes the place of one that was read. */
  readonly serial: string
  readonly number: string
  /** Behind a narrow table, which is its own index. */
  readonly narrow: string
}

function typesOf({ name }: Dialect): Types {
  if (name === 'postgres') {
    const identity = 'bigint generated always as identity primary key'
    return { text: 'text collate "C"', counted: identity, serial: identity, number: 'bigint', narrow: '' }
  }
  return {
    text: 'text',
    counted: 'integer primary key not null',
    serial: 'integer primary key autoincrement',
    number: 'integer',
    narrow: ' without rowid',
  }
}

// Rows that a statement on SQLite may be about to evict: a few, and for the length of that statement only.
async function createEvicted(db: Kysely<Schema>): Promise<void> {
  await sql`create table morango_evicted (model_name text not null, record_id text not null)`.execute(db)
}

async function createAttempts(db: Kysely<Schema>, dialect: Dialect): Promise<void> {
  const { text } = typesOf(dialect)
  const statement = `create table morango_attempt (url ${text} not null, profile ${text} not null,
    attempted_at ${text} not null, succeeded_at ${text}, error_code ${text}, error_message ${text},
    primary key (url, profile))`
  await sql.raw(statement).execute(db)
}

async function createTables(db: Kysely<Schema>, dialect: Dialect): Promise<void> {
  const { text, counted, serial, number, narrow } = typesOf(dialect)
  const statements = [
    `create table morango_control (id integer primary key not null, tracking integer not null)`,
    `insert into morango_control (id, tracking) values (1, 1)`,
    `create table morango_instance (id ${text} primary key not null, database_id ${text} not null,
      system_id ${text} not null, node_id ${text} not null, counter integer not null,
      exchanged_counter integer not null, current integer not null, created_at ${text} not null)`,
    `create table morango_change_log (seq ${serial}, model_name ${text} not null, record_id ${text} not null,
      hard integer not null)`,
    `create table morango_pending (model_name ${text} not null, record_id ${text} not null, hard integer not null,
      partition ${text}, error_code ${text}, error_message ${text}, first_failed_at ${text}, last_failed_at ${text},
      tries integer not null, primary key (model_name, record_id))${narrow}`,
    // What names many of its rows for a while (dirty records, Buffers) does so by number, which takes a tenth of
    // the room of an id. Numbers follow the order of arrival.
    `create table morango_store (no ${counted}, id ${text} not null unique, profile ${text} not null,
      model_name ${text} not null, partition ${text} not null, source_id ${text} not null,
      serialized ${text} not null, conflicting_serialized_data ${text} not null, self_ref_fk ${text} not null,
      last_saved_instance ${text} not null, last_saved_counter integer not null, deleted integer not null,
      hard_deleted integer not null, last_transfer_session_id ${text})`,
    // What to queue: the records an instance saved after a counter.
    `create index morango_store_version on morango_store (last_saved_instance, last_saved_counter)`,
    `create table morango_instance_partition (instance_id ${text} not null, partition ${text} not null,
      records integer not null, primary key (instance_id, partition))${narrow}`,
    // Few, and found without looking through the rest.
    `create index morango_instance_partition_empty on morango_instance_partition (records) where records = 0`,
    `create table morango_dirty (model_name ${text} not null, store_no ${number} not null, deleted integer not null, error_code ${text}, error_message ${text},
      first_failed_at ${text}, last_failed_at ${text}, tries integer not null, primary key (model_name, store_no))${narrow}`,
    // Few, and looked for in every turn.
    `create index morango_dirty_deleted on morango_dirty (model_name) where deleted = 1`,
    `create table morango_record_max_counter (store_id ${text} not null, instance_id ${text} not null,
      counter integer not null, partition ${text} not null, primary key (store_id, instance_id))${narrow}`,
    `create index morango_rmc_instance_partition on morango_record_max_counter (instance_id, partition)`,
    `create table morango_database_max_counter (partition ${text} not null, instance_id ${text} not null,
      counter integer not null, primary key (partition, instance_id))${narrow}`,
    `create table morango_certificate (id ${text} primary key not null, parent_id ${text}, profile ${text} not null,
      salt ${text} not null, scope_definition_id ${text} not null, scope_version integer not null,
      scope_params ${text} not null, public_key ${text} not null, serialized ${text} not null,
      signature ${text} not null, private_key ${text})`,
    `create index morango_certificate_parent on morango_certificate (parent_id)`,
    `create table morango_nonce (id ${text} primary key not null, created_at ${text} not null, ip ${text} not null)`,
    `create table morango_shared_key (id integer primary key not null, private_key ${text} not null,
      public_key ${text} not null)`,
    `create table morango_sync_session (id ${text} primary key not null, profile ${text} not null,
      is_server integer not null, active integer not null, client_certificate_id ${text},
      server_certificate_id ${text}, connection_path ${text} not null, client_ip ${text} not null,
      server_ip ${text} not null, client_instance_id ${text}, client_instance ${text} not null,
      server_instance_id ${text}, server_instance ${text} not null, capabilities ${text} not null,
      created_at ${text} not null, last_activity_at ${text} not null)`,
    `create index morango_sync_session_active on morango_sync_session (active, last_activity_at)`,
    `create table morango_transfer_session (id ${text} primary key not null, sync_session_id ${text} not null,
      push integer not null, active integer not null, filter ${text} not null, stage ${text} not null,
      stage_status ${text} not null, error ${text}, records_transferred integer not null, records_total integer,
      bytes_sent bigint not null, bytes_received bigint not null, client_fsic ${text} not null,
      server_fsic ${text} not null, created_at ${text} not null, last_activity_at ${text} not null,
      lease_holder ${text})`,
    `create table morango_lease (holder ${text} primary key not null, expires_at bigint not null)${narrow}`,
    `create index morango_transfer_session_sync_session on morango_transfer_session (sync_session_id, active)`,
    `create table morango_outgoing (transfer_session_id ${text} not null, position integer not null,
      store_no ${number} not null, primary key (transfer_session_id, position))${narrow}`,
    `create index morango_outgoing_store on morango_outgoing (store_no)`,
    `create table morango_outgoing_snapshot (transfer_session_id ${text} not null, store_id ${text} not null,
      serialized ${text} not null, conflicting_serialized_data ${text} not null, self_ref_fk ${text} not null,
      last_saved_instance ${text} not null, last_saved_counter integer not null, deleted integer not null,
      hard_deleted integer not null, counters ${text}, primary key (transfer_session_id, store_id))`,
    `create table morango_incoming (transfer_session_id ${text} not null, id ${text} not null,
      model_name ${text} not null, partition ${text} not null, source_id ${text} not null,
      serialized ${text} not null, conflicting_serialized_data ${text} not null, self_ref_fk ${text} not null,
      last_saved_instance ${text} not null, last_saved_counter integer not null, deleted integer not null,
      hard_deleted integer not null, counters ${text}, primary key (transfer_session_id, id))`,
  ]
  if (dialect.name === 'postgres') {
    // One way to the server and back instead of many.
    const body = `begin ${statements.join('; ')}; end`
    await sql.raw(`do ${literal(body)}`).execute(db)
    return
  }
  for (const statement of statements) await sql.raw(statement).execute(db)
}

// Each sync looks for the last session with its peer, among all that there ever were.
async function createPeerIndex(db: Kysely<Schema>): Promise<void> {
  await sql`create index morango_sync_session_peer
    on morango_sync_session (connection_path, client_certificate_id, created_at)`.execute(db)
}

// Who uses what, to be counted by covering indexes: sessions and transfers have long texts.
async function createQuotas(db: Kysely<Schema>, dialect: Dialect): Promise<void> {
  const { text, narrow } = typesOf(dialect)
  const statements = [
    `alter table morango_sync_session add column client_branch ${text} not null default ''`,
    `alter table morango_sync_session add column client_network ${text} not null default ''`,
    `create index morango_sync_session_open on morango_sync_session
      (is_server, client_branch, client_certificate_id, client_network) where active = 1`,
    `create index morango_sync_session_certificate on morango_sync_session (client_certificate_id, is_server, created_at)`,
    `alter table morango_transfer_session add column buffered_bytes bigint not null default 0`,
    `create index morango_transfer_session_open on morango_transfer_session
      (sync_session_id, push, records_transferred, records_total, buffered_bytes) where active = 1`,
    // They are good for a minute.
    `delete from morango_nonce`,
    `alter table morango_nonce add column network ${text} not null default ''`,
    `create index morango_nonce_network on morango_nonce (network, created_at)`,
    `create table morango_sign_in (key ${text} primary key not null, failures integer not null,
      paused_until bigint not null, last_at bigint not null)${narrow}`,
    `create index morango_sign_in_last on morango_sign_in (last_at)`,
  ]
  for (const statement of statements) await sql.raw(statement).execute(db)
}

async function createConflicts(db: Kysely<Schema>, dialect: Dialect): Promise<void> {
  const { text, serial, narrow } = typesOf(dialect)
  const statements = [
    `create table morango_conflict (no ${serial}, profile ${text} not null, model_name ${text} not null,
      record_id ${text} not null, partition ${text} not null, resolution ${text} not null,
      our_instance ${text} not null, our_counter integer not null, our_serialized ${text} not null,
      our_deleted integer not null, their_instance ${text} not null, their_counter integer not null,
      their_serialized ${text} not null, their_deleted integer not null, result ${text} not null,
      transfer_session_id ${text}, state ${text} not null, told integer not null, happened_at ${text} not null,
      settled_at ${text})`,
    `create index morango_conflict_record on morango_conflict (record_id)`,
    `create index morango_conflict_state on morango_conflict (state, no)`,
    `create table morango_told_problem (kind ${text} not null, model_name ${text} not null,
      record_id ${text} not null, code ${text} not null, primary key (kind, model_name, record_id))${narrow}`,
  ]
  for (const statement of statements) await sql.raw(statement).execute(db)
}

async function createClaims(db: Kysely<Schema>, dialect: Dialect): Promise<void> {
  const { text, narrow } = typesOf(dialect)
  const statements = [
    `create table morango_claim (partition ${text} not null, instance_id ${text} not null,
      certificate_id ${text} not null, counter integer not null,
      primary key (partition, instance_id, certificate_id))${narrow}`,
    `create index morango_claim_certificate on morango_claim (certificate_id)`,
    `insert into morango_claim (partition, instance_id, certificate_id, counter)
      select partition, instance_id, '', counter from morango_database_max_counter`,
    `create table morango_doubt (certificate_id ${text} not null, kind ${text} not null, detail ${text} not null,
      happened_at ${text} not null, primary key (certificate_id, kind))${narrow}`,
    `alter table morango_conflict add column certificate_id ${text}`,
    // A transfer that was killed did not note what had left with it. Others may hold all of a former instance.
    `update morango_instance set exchanged_counter = counter`,
  ]
  for (const statement of statements) await sql.raw(statement).execute(db)
}

// What is not applied is tried again after growing pauses: those in a pause are not in the index that is read. Records
// whose ids are taken, deletions by their sender, and records too large to be sent have their places.
async function createScopedContent(db: Kysely<Schema>, dialect: Dialect): Promise<void> {
  const { text, number, narrow } = typesOf(dialect)
  const statements = [
    `alter table morango_dirty add column next_try_at bigint not null default 0`,
    `alter table morango_dirty add column waits_for ${text}`,
    `create index morango_dirty_due on morango_dirty (model_name, deleted, store_no) where next_try_at = 0`,
    `create index morango_dirty_paused on morango_dirty (next_try_at) where next_try_at > 0`,
    `create index morango_dirty_waits_for on morango_dirty (waits_for) where waits_for is not null`,
    `create table morango_deletion_source (record_id ${text} primary key not null,
      transfer_session_id ${text} not null, last_saved_instance ${text}, last_saved_counter integer)${narrow}`,
    `create table morango_unsent (store_no ${number} primary key not null, most_bytes bigint not null,
      first_failed_at ${text} not null, last_failed_at ${text} not null, tries integer not null)`,
    `create table morango_set_aside (id ${text} not null, profile ${text} not null, model_name ${text} not null,
      partition ${text} not null, source_id ${text} not null, serialized ${text} not null,
      conflicting_serialized_data ${text} not null, self_ref_fk ${text} not null,
      last_saved_instance ${text} not null, last_saved_counter integer not null, deleted integer not null,
      hard_deleted integer not null, counters ${text}, last_transfer_session_id ${text}, certificate_id ${text},
      reason ${text} not null, first_failed_at ${text} not null, last_failed_at ${text} not null,
      tries integer not null, primary key (id, partition, model_name, source_id))`,
    `create index morango_set_aside_certificate on morango_set_aside (certificate_id)`,
  ]
  for (const statement of statements) await sql.raw(statement).execute(db)
}

// What an older database has is summed in slices, so that each statement is short. They are in one transaction: whoever
// wrote in between would not keep sums.
async function createSetSums(db: Kysely<Schema>, dialect: Dialect): Promise<void> {
  const { text, narrow } = typesOf(dialect)
  const statements = [
    `alter table morango_instance_partition add column sum_high bigint not null default 0`,
    `alter table morango_instance_partition add column sum_low bigint not null default 0`,
    `create table morango_comparison (certificate_id ${text} not null, push integer not null,
      filter_digest ${text} not null, transfer_session_id ${text} not null, compared_at bigint not null,
      primary key (certificate_id, push, filter_digest))${narrow}`,
    `create table morango_forgotten_claim (partition ${text} not null, instance_id ${text} not null,
      forgotten_at bigint not null, times integer not null, primary key (partition, instance_id))${narrow}`,
    ...dialect.noteRemovals,
  ]
  for (const statement of statements) await sql.raw(statement).execute(db)
  await sumStore(db, dialect)
}
