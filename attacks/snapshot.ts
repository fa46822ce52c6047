import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Schema } from '../src/storage/schema.ts'

/** Whose rows are not looked at: those that the attacker may change. */
export interface OwnGround {
  /** The prefixes that the attacker's certificate may write. */
  readonly write: readonly string[]
  /** The certificate that the attacker was given, and all that were made below it. */
  readonly certificates: ReadonlySet<string>
}

type Row = Readonly<Record<string, unknown>>

/** Everything that a server has, by table. */
export type Snapshot = ReadonlyMap<string, readonly Row[]>

/** What is read of each table, with the partition that a row belongs to by what is in it. */
const TABLES: Readonly<Record<string, RawBuilder<Row>>> = {
  region: sql`select r.*, r.dataset_id || ':shared' as area from region r`,
  person: sql`select p.*, p.dataset_id || ':user:' || p.id as area from person p`,
  visit: sql`select v.*, v.dataset_id || ':user:' || v.person_id as area from visit v`,
  sample: sql`select s.*, s.dataset_id || ':shared:sample' as area from sample s`,
  store: sql`select s.*, s.partition as area from morango_store s`,
  history: sql`select m.*, m.partition as area from morango_record_max_counter m`,
  saved: sql`select p.*, p.partition as area from morango_instance_partition p`,
  changes: sql`select c.record_id, s.partition as area from morango_change_log c
    left join morango_store s on s.id = c.record_id
    union select p.record_id, s.partition from morango_pending p left join morango_store s on s.id = p.record_id`,
  dirty: sql`select s.id, d.error_code, s.partition as area
    from morango_dirty d join morango_store s on s.no = d.store_no`,
  'set aside': sql`select a.id, a.partition as area, a.serialized from morango_set_aside a`,
  conflicts: sql`select c.*, c.partition as area from morango_conflict c`,
  counters: sql`select d.*, d.partition as area from morango_database_max_counter d
    where d.instance_id not in (select i.id from morango_instance i where i.current = 1)`,
  claims: sql`select c.*, c.partition as area from morango_claim c where c.certificate_id <> ''`,
  certificates: sql`select * from morango_certificate`,
  'sync sessions': sql`select s.*, s.client_certificate_id as certificate from morango_sync_session s`,
  transfers: sql`select t.*, s.client_certificate_id as certificate
    from morango_transfer_session t join morango_sync_session s on s.id = t.sync_session_id`,
  'buffers in': sql`select i.*, s.client_certificate_id as certificate from morango_incoming i
    left join morango_transfer_session t on t.id = i.transfer_session_id
    left join morango_sync_session s on s.id = t.sync_session_id`,
  'buffers out': sql`select o.*, s.client_certificate_id as certificate from morango_outgoing o
    left join morango_transfer_session t on t.id = o.transfer_session_id
    left join morango_sync_session s on s.id = t.sync_session_id`,
  instance: sql`select id, database_id, system_id, node_id, current from morango_instance`,
  meta: sql`select * from morango_meta`,
  control: sql`select * from morango_control`,
}

/** Reads all that may not change under an attack. */
export async function takeSnapshot(kysely: Kysely<Schema>): Promise<Snapshot> {
  const snapshot = new Map<string, readonly Row[]>()
  for (const [table, query] of Object.entries(TABLES)) {
    snapshot.set(table, (await query.execute(kysely)).rows)
  }
  return snapshot
}

/** The rows outside the attacker's own ground that are there on one side alone. */
export function differences(before: Snapshot, after: Snapshot, own: OwnGround): string[] {
  return Object.keys(TABLES).flatMap((table) => {
    const isProtected = (row: Row): boolean => !isOwn(table, row, own)
    const [was, is] = [before, after].map(
      (snapshot) => new Set((snapshot.get(table) ?? []).filter(isProtected).map(textOf)),
    )
    const gone = [...(was ?? [])].filter((row) => is?.has(row) !== true)
    const come = [...(is ?? [])].filter((row) => was?.has(row) !== true)
    return [...gone.map((row) => `${table}: - ${row}`), ...come.map((row) => `${table}: + ${row}`)]
  })
}

function isOwn(table: string, row: Row, own: OwnGround): boolean {
  const isUnder = (prefixes: readonly string[]): boolean => {
    const area = row['area']
    return typeof area === 'string' && prefixes.some((prefix) => area.startsWith(prefix))
  }
  switch (table) {
    case 'claims':
      return own.certificates.has(String(row['certificate_id'])) && isUnder(own.write)
    case 'certificates':
      return own.certificates.has(String(row['id'])) || own.certificates.has(String(row['parent_id']))
    case 'sync sessions':
    case 'transfers':
    case 'buffers in':
    case 'buffers out':
      return own.certificates.has(String(row['certificate']))
    default:
      return isUnder(own.write)
  }
}

function textOf(row: Row): string {
  return JSON.stringify(row, (_key, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value))
}
