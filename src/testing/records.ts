import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import { type Kysely, sql } from 'kysely'
import type { Filter } from '../core/filter.ts'
import type { Database } from '../storage/dialect.ts'
import { partitionIn } from '../storage/ranges.ts'
import type { Flag, Schema } from '../storage/schema.ts'

/** A record of the Store, for comparing peers. */
export interface TestRecord {
  readonly id: string
  readonly profile: string
  readonly model: string
  readonly partition: string
  readonly sourceId: string
  readonly serialized: string
  readonly conflicting: string
  readonly selfRef: string
  readonly deleted: boolean
  readonly hardDeleted: boolean
  /** `instance:counter`, who saved it last and when. */
  readonly version: string
}

/** The Store's records under a filter, by id. */
export async function readRecords(db: Kysely<Schema>, filter: Filter | undefined): Promise<TestRecord[]> {
  const within = filter === undefined ? sql<boolean>`1 = 1` : partitionIn(sql`partition`, filter)
  const found = await sql<{
    id: string
    profile: string
    model_name: string
    partition: string
    source_id: string
    serialized: string
    conflicting_serialized_data: string
    self_ref_fk: string
    deleted: Flag
    hard_deleted: Flag
    last_saved_instance: string
    last_saved_counter: number
  }>`select * from morango_store where ${within} order by id`.execute(db)
  return found.rows.map((row) => ({
    id: row.id,
    profile: row.profile,
    model: row.model_name,
    partition: row.partition,
    sourceId: row.source_id,
    serialized: row.serialized,
    conflicting: row.conflicting_serialized_data,
    selfRef: row.self_ref_fk,
    deleted: row.deleted === 1,
    hardDeleted: row.hard_deleted === 1,
    version: `${row.last_saved_instance}:${row.last_saved_counter}`,
  }))
}

/** One short text for many records: equal for equal ones. */
export function digestOf(records: readonly TestRecord[]): string {
  return bytesToHex(sha256(new TextEncoder().encode(JSON.stringify(records))))
}

const OWN_TABLES: Readonly<Record<keyof Schema, true>> = {
  morango_meta: true,
  morango_control: true,
  morango_instance: true,
  morango_change_log: true,
  morango_evicted: true,
  morango_pending: true,
  morango_store: true,
  morango_dirty: true,
  morango_instance_partition: true,
  morango_record_max_counter: true,
  morango_database_max_counter: true,
  morango_claim: true,
  morango_doubt: true,
  morango_comparison: true,
  morango_forgotten_claim: true,
  morango_certificate: true,
  morango_nonce: true,
  morango_sign_in: true,
  morango_shared_key: true,
  morango_sync_session: true,
  morango_transfer_session: true,
  morango_outgoing: true,
  morango_outgoing_snapshot: true,
  morango_lease: true,
  morango_attempt: true,
  morango_incoming: true,
  morango_conflict: true,
  morango_told_problem: true,
  morango_deletion_source: true,
  morango_unsent: true,
  morango_set_aside: true,
}

/** The tables in which some row has that text in it. */
export async function findText({ kysely, dialect }: Database, text: string): Promise<string[]> {
  const found: string[] = []
  for (const table of [...(await dialect.tableNames(kysely)), ...Object.keys(OWN_TABLES)]) {
    const { rows } = await sql<Record<string, unknown>>`select * from ${sql.id(table)}`.execute(kysely)
    const holds = (value: unknown): boolean => typeof value === 'string' && value.includes(text)
    if (rows.some((row) => Object.values(row).some(holds))) found.push(table)
  }
  return found
}
