import { sql } from 'kysely'
import type { JsonValue } from '../../src/core/python-json.ts'
import type { Database } from '../../src/index.ts'
import { normalizeInstant } from '../../src/models/kinds/calendar.ts'
import { MODELS } from './histories-app.ts'
import { text } from './histories-golden.ts'
import type { GoldenDump } from './histories-golden.ts'

/**
 * What a peer has, flat:
 *
 * - `instance`, and `counter`, its; `buffer`, how many records wait there; `claims/<partition>`, the database max
 *   counters, written `A3 B2`: instance A's 3, instance B's 2
 * - `store/<record>/…`: `who` (profile, model, partition, source id, parent), `json`, `conflicting`, `version`
 *   (the record max counters, a `*` before the last saved one), `state`, `transfer` (the last one)
 * - `app/<record>`, its row; `log/<record>`, what the next serialization will see
 *
 * What is empty or zero is left out.
 */
export type Dump = ReadonlyMap<string, string>

/** Puts readable names in the place of ids in a text. One id, one name: equal stays equal. */
export type Rename = (text: string) => string

/** A dump of the original. */
export function goldenDump(dump: GoldenDump, rename: Rename): Dump {
  const builder = createBuilder(rename)
  builder.put('instance', dump.instance.id)
  builder.put('counter', dump.instance.counter)
  builder.put('buffer', dump.buffer)
  for (const row of dump.store) {
    builder.putStore({ ...row, hasError: row.deserialization_error !== '', selfRef: row._self_ref_fk })
  }
  const saved = new Map(
    dump.store.map((row) => [row.id, row.last_saved_instance + String(row.last_saved_counter)]),
  )
  for (const { store_model_id: id, instance_id: instance, counter } of dump.recordmaxcounter) {
    const isLast = saved.get(id) === instance + String(counter)
    builder.addVersion(`store/${id}/version`, instance, counter, isLast)
  }
  for (const row of dump.databasemaxcounter) {
    builder.addVersion(`claims/${row.partition}`, row.instance_id, row.counter)
  }
  for (const { id } of dump.deletedmodels) builder.put(`log/${id}`, 'deleted')
  for (const { id } of dump.harddeletedmodels) builder.put(`log/${id}`, 'hard-deleted')
  for (const rows of Object.values(dump.app)) {
    for (const row of rows) {
      const { _morango_dirty_bit: changed, _morango_source_id, _morango_partition, ...columns } = row
      builder.put(`app/${text(row['id'])}`, rowText(columns))
      if (changed === true) builder.put(`log/${text(row['id'])}`, 'changed')
    }
  }
  return builder.finish()
}

/** The same of ours. */
export async function ourDump(
  { kysely }: Database,
  transferLabels: ReadonlyMap<string, string>,
  rename: Rename,
): Promise<Dump> {
  const builder = createBuilder(rename)
  const instance = await kysely
    .selectFrom('morango_instance')
    .select(['id', 'counter'])
    .where('current', '=', 1)
    .executeTakeFirstOrThrow()
  builder.put('instance', instance.id)
  builder.put('counter', instance.counter)
  const buffers = await sql<{ count: number }>`select (select count(*) from morango_outgoing)
    + (select count(*) from morango_outgoing_snapshot) + (select count(*) from morango_incoming) as count`.execute(
    kysely,
  )
  builder.put('buffer', buffers.rows[0]?.count ?? 0)

  const store = await kysely
    .selectFrom('morango_store as s')
    .leftJoin('morango_dirty as d', 'd.store_no', 's.no')
    .selectAll('s')
    .select(['d.store_no as dirty', 'd.error_message'])
    .execute()
  for (const row of store) {
    const transfer = row.last_transfer_session_id
    builder.putStore({
      ...row,
      deleted: row.deleted === 1,
      hard_deleted: row.hard_deleted === 1,
      dirty_bit: row.dirty !== null,
      hasError: row.error_message !== null,
      selfRef: row.self_ref_fk,
      last_transfer_session_id: transfer === null ? null : (transferLabels.get(transfer) ?? transfer),
    })
    builder.addVersion(`store/${row.id}/version`, row.last_saved_instance, row.last_saved_counter, true)
  }
  for (const row of await kysely.selectFrom('morango_record_max_counter').selectAll().execute()) {
    builder.addVersion(`store/${row.store_id}/version`, row.instance_id, row.counter)
  }
  for (const row of await kysely.selectFrom('morango_database_max_counter').selectAll().execute()) {
    builder.addVersion(`claims/${row.partition}`, row.instance_id, row.counter)
  }
  const present = new Set<string>()
  for (const model of MODELS) {
    const rows = await sql<Record<string, JsonValue>>`select * from ${sql.id(model)}`.execute(kysely)
    for (const { morango_source_id: _hidden, ...row } of rows.rows) {
      present.add(text(row['id']))
      builder.put(`app/${text(row['id'])}`, rowText(row))
    }
  }
  const changes = await sql<{ id: string; hard: number }>`select record_id as id, max(hard) as hard
    from (select record_id, hard from morango_change_log union all select record_id, hard from morango_pending) x
    group by record_id`.execute(kysely)
  for (const { id, hard } of changes.rows) {
    builder.put(`log/${id}`, present.has(id) ? 'changed' : hard === 1 ? 'hard-deleted' : 'deleted')
  }
  return builder.finish()
}

interface StoreRow {
  readonly id: string
  readonly profile: string
  readonly model_name: string
  readonly partition: string
  readonly source_id: string
  readonly serialized: string
  readonly conflicting_serialized_data: string
  readonly selfRef: string
  readonly deleted: boolean
  readonly hard_deleted: boolean
  readonly dirty_bit: boolean
  readonly hasError: boolean
  readonly last_transfer_session_id: string | null
}

interface Builder {
  put(path: string, value: string | number): void
  addVersion(path: string, instance: string, counter: number, isLast?: boolean): void
  putStore(row: StoreRow): void
  finish(): Dump
}

function createBuilder(rename: Rename): Builder {
  const dump = new Map<string, string>()
  const versions = new Map<string, string[]>()
  const put = (path: string, value: string | number): void => {
    if (value !== '' && value !== 0) dump.set(rename(path), rename(String(value)))
  }
  return {
    put,
    addVersion(path, instance, counter, isLast = false) {
      const list = versions.get(path) ?? []
      list.push(`${isLast ? '*' : ''}${rename(instance)}${counter}`)
      versions.set(path, list)
    },
    putStore(row) {
      const at = `store/${row.id}`
      put(
        `${at}/who`,
        [row.profile, row.model_name, row.partition, row.source_id, row.selfRef].join(' ').trim(),
      )
      put(`${at}/json`, row.serialized)
      put(`${at}/conflicting`, row.conflicting_serialized_data)
      put(`${at}/state`, stateOf(row))
      put(`${at}/transfer`, row.last_transfer_session_id ?? '')
    },
    finish() {
      for (const [path, list] of versions) put(path, list.toSorted(byInstance).join(' '))
      return dump
    },
  }
}

function stateOf(row: StoreRow): string {
  const states = [row.hard_deleted && 'hard', row.deleted ? 'deleted' : 'alive', row.dirty_bit && 'dirty']
  // The wording of reasons is everyone's own.
  return [...states, row.hasError && 'error'].filter((state) => state !== false).join(' ')
}

function byInstance(a: string, b: string): number {
  return a.replace('*', '') < b.replace('*', '') ? -1 : 1
}

const BOOLEANS = new Set(['is_staff', 'is_superuser'])
// As PostgreSQL prints it.
const PRINTED_INSTANT = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/
const INSTANT = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3})?)\d*Z$/

// As the original's dumps write a row: booleans, instants cut to milliseconds; columns sorted.
function rowText(row: Readonly<Record<string, JsonValue>>): string {
  return Object.entries(row)
    .filter(([column]) => column !== 'id')
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([column, value]) => `${column}=${JSON.stringify(cellOf(column, value))}`)
    .join(' ')
}

function cellOf(column: string, value: JsonValue): JsonValue {
  if (BOOLEANS.has(column)) return value === 1 || value === true
  if (typeof value !== 'string') return value
  if (PRINTED_INSTANT.test(value)) return normalizeInstant(value) ?? value
  return INSTANT.test(value) ? value.replace(INSTANT, '$1Z') : value
}
