import type { Generated } from 'kysely'

/** 0 or 1. Kept as an integer on every database, so that one text of SQL serves all. */
export type Flag = 0 | 1

/** Single values: schema version, database id, the file's fingerprint. */
export interface MetaTable {
  key: string
  value: string
}

/** One row: whether triggers log changes now. The engine clears it inside its own transactions only. */
export interface ControlTable {
  id: number
  tracking: Flag
}

/** This database's instances; the current one has `current = 1`. Counters never fall. */
export interface InstanceTable {
  id: string
  database_id: string
  system_id: string
  node_id: string
  counter: number
  /**
   * The highest counter of a record that was queued for a peer. It rises before records leave, so nobody can hold a
   * version of this instance beyond it. Of a former instance its counter: whoever goes on with it may have sent all.
   */
  exchanged_counter: number
  current: Flag
  created_at: string
}

/** Rows that a statement may be about to evict, for its length; on SQLite. */
export interface EvictedTable {
  model_name: string
  record_id: string
}

/** What triggers append: one short row for each write to a syncable table. */
export interface ChangeLogTable {
  seq: Generated<number>
  model_name: string
  record_id: string
  /** 1 when the record's content has to go everywhere. */
  hard: Flag
}

/** The change log folded to one row a record: what the next serialization has to look at. */
export interface PendingTable {
  model_name: string
  record_id: string
  hard: Flag
  /** Known once looked at, so that a serialization under another filter can pass over it. */
  partition: string | null
  error_code: string | null
  error_message: string | null
  first_failed_at: string | null
  last_failed_at: string | null
  tries: number
}

/** The Store: every record, local or received, as JSON. */
export interface StoreTable {
  no: Generated<number>
  id: string
  profile: string
  model_name: string
  partition: string
  source_id: string
  serialized: string
  conflicting_serialized_data: string
  self_ref_fk: string
  last_saved_instance: string
  last_saved_counter: number
  deleted: Flag
  hard_deleted: Flag
  last_transfer_session_id: string | null
}

/** How many Store records an instance saved last, by partition. */
export interface InstancePartitionTable {
  instance_id: string
  partition: string
  records: number
  /** The sum of the hashes of these versions, in two halves; see `core/version-hash.ts`. */
  sum_high: Generated<number>
  sum_low: Generated<number>
}

/** When sets were compared with a peer last, by its certificate, direction and filter. */
export interface ComparisonTable {
  certificate_id: string
  push: Flag
  /** SHA-256 of the filter. */
  filter_digest: string
  transfer_session_id: string
  /** Milliseconds since 1970, by the database's clock. */
  compared_at: number
}

/** Claims that were forgotten because sets differed: for a while they are not forgotten again. */
export interface ForgottenClaimTable {
  partition: string
  instance_id: string
  /** Milliseconds since 1970, by the database's clock. */
  forgotten_at: number
  /** How often in a row. */
  times: number
}

/** Store records that wait to be deserialized (Morango's dirty bit), with the reason if it failed. */
export interface DirtyTable {
  model_name: string
  store_no: number
  /** The record's. */
  deleted: Flag
  error_code: string | null
  error_message: string | null
  first_failed_at: string | null
  last_failed_at: string | null
  tries: number
  /** Milliseconds since 1970, by the context's clock: not before then. 0: with the next deserialization. */
  next_try_at: Generated<number>
  /** The record whose arrival or change ends the pause. */
  waits_for: string | null
}

/**
 * Whose deletion a record's is, where that is not the transfer which the Store names: with which transfer's deletion its
 * row fell, or (`''`) that it was this device's own.
 */
export interface DeletionSourceTable {
  record_id: string
  transfer_session_id: string
  /** The version that is the deletion; null until it is serialized. */
  last_saved_instance: string | null
  last_saved_counter: number | null
}

/** Store records that were not queued, because they are larger than a record may be. */
export interface UnsentTable {
  store_no: number
  /** The most bytes that were allowed then. */
  most_bytes: number
  first_failed_at: string
  last_failed_at: string
  tries: number
}

/** Why a record was set aside: its id is that of another one here; or the operator has put another in its place. */
export type SetAsideReason = 'id-taken' | 'replaced'

/** Records that have arrived with the id of another record. The one that came first is in the Store. */
export interface SetAsideTable {
  id: string
  profile: string
  model_name: string
  partition: string
  source_id: string
  serialized: string
  conflicting_serialized_data: string
  self_ref_fk: string
  last_saved_instance: string
  last_saved_counter: number
  deleted: Flag
  hard_deleted: Flag
  counters: string | null
  last_transfer_session_id: string | null
  /** The certificate of who sent it, as far as that is known. */
  certificate_id: string | null
  reason: SetAsideReason
  first_failed_at: string
  last_failed_at: string
  tries: number
}

/** A record's history but for its own last-saved pair, which stands in the Store. */
export interface RecordMaxCounterTable {
  store_id: string
  instance_id: string
  counter: number
  /** The record's, which never changes: for finding by instance and partition. */
  partition: string
}

/**
 * "Of the records under this partition I have everything that instance saved up to this counter." The highest of the
 * pair's rows in `morango_claim`.
 */
export interface DatabaseMaxCounterTable {
  partition: string
  instance_id: string
  counter: number
}

/** Who taught a database max counter: only claims that raised it. */
export interface ClaimTable {
  partition: string
  instance_id: string
  /** The certificate of the peer that taught it; empty for what this database knows by itself, or knew before. */
  certificate_id: string
  counter: number
}

/** What a peer said that was not believed: the last of each kind, for `doctor`. */
export interface DoubtTable {
  /** The peer's. */
  certificate_id: string
  kind: string
  detail: string
  happened_at: string
}

/** Certificates known here; those with a private key are held. */
export interface CertificateTable {
  id: string
  parent_id: string | null
  profile: string
  salt: string
  scope_definition_id: string
  scope_version: number
  scope_params: string
  public_key: string
  serialized: string
  signature: string
  private_key: string | null
}

/** Nonces given out and not yet used. */
export interface NonceTable {
  id: string
  created_at: string
  ip: string
  /** Of that address: whose allowance it is on. */
  network: Generated<string>
}

/** Failed sign-ins, and whom a user name was known to come from. Keys are digests: of names, of addresses, of both. */
export interface SignInTable {
  key: string
  failures: number
  /** Milliseconds since 1970, by the database's clock. */
  paused_until: number
  last_at: number
}

/** The key pair for certificate pushing. One row. */
export interface SharedKeyTable {
  id: number
  private_key: string
  public_key: string
}

export interface SyncSessionTable {
  id: string
  profile: string
  is_server: Flag
  active: Flag
  client_certificate_id: string | null
  server_certificate_id: string | null
  /** The base URL of the other side, as the client named it. */
  connection_path: string
  client_ip: string
  server_ip: string
  client_instance_id: string | null
  client_instance: string
  server_instance_id: string | null
  server_instance: string
  /** Capabilities that both sides have, space-separated. */
  capabilities: string
  created_at: string
  last_activity_at: string
  /** Of a session served: on whose allowance it is, besides its certificate's. */
  client_branch: Generated<string>
  client_network: Generated<string>
}

/** The last sync that was begun with each server, whether it came to a session or not. */
export interface AttemptTable {
  url: string
  profile: string
  attempted_at: string
  succeeded_at: string | null
  /** Why the last one failed. */
  error_code: string | null
  error_message: string | null
}

export interface TransferSessionTable {
  id: string
  sync_session_id: string
  push: Flag
  active: Flag
  /** Normalized: one prefix a line. */
  filter: string
  stage: string
  stage_status: string
  /** Why the stage is `errored`; never sent. */
  error: string | null
  records_transferred: number
  records_total: number | null
  bytes_sent: number
  bytes_received: number
  client_fsic: string
  server_fsic: string
  created_at: string
  last_activity_at: string
  /** Whoever runs it: a row of `morango_lease`, if that is alive. Null: nobody. */
  lease_holder: string | null
  /** About how much of what came is in the Buffer. */
  buffered_bytes: Generated<number>
}

/** Until when those who run transfers are taken for alive. Apart from the transfers, as it is renewed all the time. */
export interface LeaseTable {
  holder: string
  /** Milliseconds since 1970, by the database's clock. */
  expires_at: number
}

/** The outgoing Buffer: which records a transfer sends, in which order. */
export interface OutgoingTable {
  transfer_session_id: string
  position: number
  store_no: number
}

/** Records of an outgoing Buffer that changed since they were queued, as they were then. */
export interface OutgoingSnapshotTable {
  transfer_session_id: string
  store_id: string
  serialized: string
  conflicting_serialized_data: string
  self_ref_fk: string
  last_saved_instance: string
  last_saved_counter: number
  deleted: Flag
  hard_deleted: Flag
  /** JSON object of the history, the last-saved pair left out; null when that leaves nothing. */
  counters: string | null
}

/** The incoming Buffer. */
export interface IncomingTable {
  transfer_session_id: string
  id: string
  model_name: string
  partition: string
  source_id: string
  serialized: string
  conflicting_serialized_data: string
  self_ref_fk: string
  last_saved_instance: string
  last_saved_counter: number
  deleted: Flag
  hard_deleted: Flag
  /** JSON object of the history, the last-saved pair left out; null when that leaves nothing. */
  counters: string | null
}

/** The types of our columns that are no texts, as far as rows are inserted by `insertRows`. */
export const OWN_TYPES: Readonly<Record<string, string>> = {
  counter: 'integer',
  deleted: 'integer',
  hard_deleted: 'integer',
  last_saved_counter: 'integer',
  records: 'integer',
  sum_high: 'bigint',
  sum_low: 'bigint',
}

/** Whether somebody has dealt with a conflict. */
export type ConflictState = 'open' | 'restored' | 'dismissed'

/** Conflicts with both contents. They never travel. */
export interface ConflictTable {
  no: Generated<number>
  profile: string
  model_name: string
  record_id: string
  partition: string
  resolution: string
  our_instance: string
  our_counter: number
  our_serialized: string
  our_deleted: Flag
  their_instance: string
  their_counter: number
  their_serialized: string
  their_deleted: Flag
  /** The content that came of it. */
  result: string
  transfer_session_id: string | null
  /** The certificate of the peer that brought theirs. */
  certificate_id: string | null
  state: ConflictState
  /** Whether a listener was told. */
  told: Flag
  happened_at: string
  settled_at: string | null
}

/** Problems that a listener was told of, and not yet that they are solved. */
export interface ToldProblemTable {
  kind: string
  model_name: string
  record_id: string
  code: string
}

/** Our tables, as Kysely sees them. */
export interface Schema {
  morango_meta: MetaTable
  morango_control: ControlTable
  morango_instance: InstanceTable
  morango_change_log: ChangeLogTable
  morango_evicted: EvictedTable
  morango_pending: PendingTable
  morango_store: StoreTable
  morango_instance_partition: InstancePartitionTable
  morango_dirty: DirtyTable
  morango_record_max_counter: RecordMaxCounterTable
  morango_database_max_counter: DatabaseMaxCounterTable
  morango_claim: ClaimTable
  morango_doubt: DoubtTable
  morango_comparison: ComparisonTable
  morango_forgotten_claim: ForgottenClaimTable
  morango_certificate: CertificateTable
  morango_nonce: NonceTable
  morango_sign_in: SignInTable
  morango_shared_key: SharedKeyTable
  morango_sync_session: SyncSessionTable
  morango_attempt: AttemptTable
  morango_transfer_session: TransferSessionTable
  morango_lease: LeaseTable
  morango_outgoing: OutgoingTable
  morango_outgoing_snapshot: OutgoingSnapshotTable
  morango_incoming: IncomingTable
  morango_conflict: ConflictTable
  morango_told_problem: ToldProblemTable
  morango_deletion_source: DeletionSourceTable
  morango_unsent: UnsentTable
  morango_set_aside: SetAsideTable
}
