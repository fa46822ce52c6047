import type { DatabaseSync } from 'node:sqlite'
import { isJson } from './transcripts-data.ts'
import type { Dump, Exchange, Json } from './transcripts-data.ts'
import type { Answer } from './transcripts-replay.ts'

const APP_TABLES = ['contentinteractionlog', 'contentsummarylog', 'facility', 'user']
const FLAGS = new Set(['deleted', 'hard_deleted', 'dirty_bit', 'is_staff', 'is_superuser'])

/** A database, ours or the recorded one, in a form in which the two can be compared. */
export interface State {
  readonly counter: unknown
  readonly store: readonly Json[]
  readonly recordMaxCounters: readonly string[]
  readonly databaseMaxCounters: readonly string[]
  readonly app: Readonly<Record<string, readonly Json[]>>
  readonly buffered: number
}

/** The state of our database. */
export function ourState(db: DatabaseSync): State {
  const rows = (sql: string): Json[] => db.prepare(sql).all().map(withBooleans)
  const counts = rows(`select store_id as store_model_id, instance_id, counter from morango_record_max_counter
    union select id, last_saved_instance, last_saved_counter from morango_store`)
  const [buffers] = rows(`select (select count(*) from morango_incoming) +
    (select count(*) from morango_outgoing) as n`)
  const [instance] = rows('select counter from morango_instance where current = 1')
  return {
    counter: instance?.['counter'],
    store:
      rows(`select s.*, self_ref_fk as _self_ref_fk, exists (select 1 from morango_dirty d where d.store_no = s.no)
      as dirty_bit from morango_store s order by id`).map(storeRow),
    recordMaxCounters: counts.map(counterText('store_model_id')).sort(),
    databaseMaxCounters: rows('select * from morango_database_max_counter')
      .map(counterText('partition'))
      .sort(),
    app: Object.fromEntries(
      APP_TABLES.map((table) => [table, rows(`select * from ${table} order by id`).map(appRow)]),
    ),
    buffered: Number(buffers?.['n']),
  }
}

/** The recorded state. */
export function recordedState(dump: Dump): State {
  return {
    counter: dump.instance.counter,
    store: dump.store.map(storeRow),
    recordMaxCounters: dump.recordmaxcounter.map(counterText('store_model_id')).sort(),
    databaseMaxCounters: dump.databasemaxcounter.map(counterText('partition')).sort(),
    app: Object.fromEntries(APP_TABLES.map((table) => [table, (dump.app[table] ?? []).map(appRow)])),
    buffered: dump.buffer,
  }
}

/** The records in all of these pages, by id: the order of pages is each server's own. */
export function recordsIn(bodies: readonly unknown[]): Json[] {
  const records = bodies.flatMap((body) => {
    const results = isJson(body) ? body['results'] : undefined
    return Array.isArray(results) ? results.filter(isJson) : []
  })
  return records
    .map(withSortedHistory)
    .sort(byText(({ model_uuid: id, transfer_session: of }) => `${String(of)} ${String(id)}`))
}

function withSortedHistory(record: Json): Json {
  const { rmcb_list: history } = record
  if (!Array.isArray(history)) return record
  return {
    ...record,
    rmcb_list: history.filter(isJson).sort(byText((entry) => String(entry['instance_id']))),
  }
}

function byText(text: (value: Json) => string): (a: Json, b: Json) => number {
  return (a, b) => (text(a) < text(b) ? -1 : 1)
}

function storeRow(row: Json): Json {
  const {
    id,
    profile,
    model_name,
    partition,
    source_id,
    serialized,
    conflicting_serialized_data,
    _self_ref_fk,
    deleted,
    hard_deleted,
    dirty_bit,
    last_saved_instance,
    last_saved_counter,
    last_transfer_session_id,
  } = row
  return {
    id,
    profile,
    model_name,
    partition,
    source_id,
    serialized,
    conflicting_serialized_data,
    _self_ref_fk,
    deleted,
    hard_deleted,
    dirty_bit,
    last_saved_instance,
    last_saved_counter,
    last_transfer_session_id,
  }
}

/** Without what the original keeps in columns of its own, and with instants in one form. */
function appRow(row: Json): Json {
  const kept = Object.entries(row).filter(([name]) => !/^_?morango_/.test(name))
  return Object.fromEntries(
    kept.map(([name, value]) => [name, name === 'now_date' ? new Date(String(value)).toISOString() : value]),
  )
}

function counterText(place: string): (row: Json) => string {
  return (row) => `${String(row[place])} ${String(row['instance_id'])} ${String(row['counter'])}`
}

function withBooleans(row: Json): Json {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, FLAGS.has(name) ? value === 1 : value]),
  )
}

/** The bodies of the recorded answers, and of ours, to requests for pages of records. */
export function pageBodies(
  exchanges: readonly Exchange[],
  answers: readonly Answer[],
): [unknown[], unknown[]] {
  const isPage = ({ method, path }: Exchange): boolean => method === 'GET' && path.endsWith('/buffers/')
  return [
    exchanges.filter(isPage).map((exchange) => exchange.response_body),
    answers
      .filter((_answer, index) => {
        const exchange = exchanges[index]
        return exchange !== undefined && isPage(exchange)
      })
      .map((answer) => answer.body),
  ]
}
