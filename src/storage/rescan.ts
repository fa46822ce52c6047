import { type Kysely, sql } from 'kysely'
import { MorangoError } from '../core/errors.ts'
import type { CompiledModel, CompiledProfile } from '../models/compiled.ts'
import { compareRow, type Defaults, readDefaults } from './compare-row.ts'
import type { Database, Dialect } from './dialect.ts'
import { rowIsGone } from './deletion-brake.ts'
import { foldNow } from './fold-now.ts'
import { rowColumns } from './row-columns.ts'
import type { Flag, Schema } from './schema.ts'
import { inTransaction } from './transaction.ts'
import { betweenTurns } from './turns.ts'

/** How the rows of a model differ from the Store, in changes that no trigger has seen. */
export interface RescanFinding {
  readonly profile: string
  readonly model: string
  /** How many rows the table has. */
  readonly rows: number
  /** Rows without a record. */
  readonly missing: number
  /** Rows whose record says otherwise. */
  readonly different: number
  /** Records whose row is gone. */
  readonly extra: number
  /** Some ids of each. */
  readonly samples: {
    readonly missing: readonly string[]
    readonly different: readonly string[]
    readonly extra: readonly string[]
  }
}

/** What a rescan found, and how much of it was logged: the next serialization takes that up. */
export interface RescanReport {
  readonly models: readonly RescanFinding[]
  readonly logged: number
}

/** What a rescan may be told. */
export interface RescanOptions {
  /** Only find, log nothing. */
  readonly dryRun?: boolean | undefined
  /** The models to look through; all when missing. */
  readonly models?: readonly string[] | undefined
  readonly signal?: AbortSignal | undefined
  /** Told what was found, before anything is logged. */
  readonly onFound?: ((models: readonly RescanFinding[]) => void) | undefined
  readonly onProgress?: ((progress: { readonly model: string; readonly done: number }) => void) | undefined
}

const BATCH = 1000
// Records of the Store, most of them of other models.
const STORE_BATCH = 20_000
const SAMPLES = 5

/** Runs what reads or writes a part of it, together. */
type Part = <T>(work: (trx: Kysely<Schema>) => Promise<T>) => Promise<T>

interface Differences {
  readonly rows: number
  readonly missing: readonly string[]
  readonly different: readonly string[]
  readonly extra: readonly string[]
}

/**
 * Compares every row of a profile with the Store and logs what differs, so that whatever has bypassed the triggers
 * is found. Rows whose change is logged already, and records that wait to be deserialized, are left out. In short
 * transactions, so that others get their turn in between.
 *
 * @throws MorangoError `unknown-model`
 */
export async function rescan(
  database: Database,
  profile: CompiledProfile,
  options: RescanOptions = {},
): Promise<RescanReport> {
  const { kysely, dialect } = database
  const part: Part = (work) => inTransaction(kysely, dialect, work)
  await foldNow(database)
  const models = chosenModels(profile, options.models)
  const findings: RescanFinding[] = []
  for (const model of models) findings.push(await findDifferences(part, dialect, model, options))
  options.onFound?.(findings)
  let logged = 0
  if (options.dryRun !== true) {
    for (const [index, model] of models.entries()) {
      if (differs(findings[index])) logged += await logDifferences(part, dialect, model, options)
    }
  }
  return { models: findings, logged }
}

/** The same for one model in the caller's transaction; what differs is logged at once. */
export async function rescanIn(
  trx: Kysely<Schema>,
  dialect: Dialect,
  model: CompiledModel,
): Promise<RescanFinding> {
  const part: Part = (work) => work(trx)
  const finding = await findDifferences(part, dialect, model, {})
  if (differs(finding)) await logDifferences(part, dialect, model, {})
  return finding
}

/** Whether a rescan found anything. */
export function differs(finding: RescanFinding | undefined): boolean {
  return finding !== undefined && finding.missing + finding.different + finding.extra > 0
}

/** The models of these names, all when none are named. @throws MorangoError `unknown-model` */
export function chosenModels(
  profile: CompiledProfile,
  names: readonly string[] | undefined,
): readonly CompiledModel[] {
  if (names === undefined) return profile.models
  return names.map((name) => {
    const model = profile.model(name)
    if (model !== undefined) return model
    throw new MorangoError('unknown-model', `There is no model "${name}".`, {
      hint: `Use one of: ${profile.models.map((known) => known.name).join(', ')}.`,
    })
  })
}

async function findDifferences(
  part: Part,
  dialect: Dialect,
  model: CompiledModel,
  options: RescanOptions,
): Promise<RescanFinding> {
  const total = { rows: 0, missing: 0, different: 0, extra: 0 }
  const samples = { missing: new Array<string>(), different: new Array<string>(), extra: new Array<string>() }
  for await (const found of differences(part, dialect, model, options, async () => {})) {
    total.rows += found.rows
    for (const kind of ['missing', 'different', 'extra'] as const) {
      total[kind] += found[kind].length
      samples[kind].push(...found[kind].slice(0, SAMPLES - samples[kind].length))
    }
    options.onProgress?.({ model: model.name, done: total.rows })
  }
  return { profile: model.profile, model: model.name, ...total, samples }
}

async function logDifferences(
  part: Part,
  dialect: Dialect,
  model: CompiledModel,
  options: RescanOptions,
): Promise<number> {
  let logged = 0
  const log = async (trx: Kysely<Schema>, { missing, different, extra }: Differences): Promise<void> => {
    const ids = [...missing, ...different, ...extra]
    if (ids.length === 0) return
    await sql`insert into morango_change_log (model_name, record_id, hard)
      select ${model.name}, value, 0 from ${dialect.list(JSON.stringify(ids))} l`.execute(trx)
    logged += ids.length
  }
  for await (const _ of differences(part, dialect, model, options, log)) continue
  return logged
}

async function* differences(
  part: Part,
  dialect: Dialect,
  model: CompiledModel,
  { signal }: RescanOptions,
  use: (trx: Kysely<Schema>, found: Differences) => Promise<void>,
): AsyncGenerator<Differences> {
  const defaults = await part((trx) => readDefaults(trx, model.columns))
  for (let after: string | undefined, more = true; more;) {
    const from = after
    const { last, ...found } = await part(async (trx) => {
      const batch = await compareBatch(trx, model, defaults, from)
      await use(trx, batch)
      return batch
    })
    yield found
    after = last
    more = last !== undefined
    await betweenTurns(signal)
  }
  const last = await part(
    async (trx) =>
      (await sql<{ no: number | null }>`select max(no) as no from morango_store`.execute(trx)).rows[0]?.no,
  )
  for (let from = 0; from < Number(last ?? 0); from += STORE_BATCH) {
    yield await part(async (trx) => {
      const extra = await recordsWithoutRow(trx, model, from, from + STORE_BATCH)
      const found = { rows: 0, missing: [], different: [], extra }
      await use(trx, found)
      return found
    })
    await betweenTurns(signal)
  }
}

interface ComparedRow {
  readonly morango_row: string
  readonly morango_passed_over: Flag
  readonly morango_stored: string | null
  readonly morango_partition: string
  readonly morango_source: string
  readonly morango_serialized: string
  readonly morango_deleted: Flag
}

/** SQL condition: a change of the record is logged, so that the next serialization will see to it. */
const isLogged = (model: CompiledModel, id: string): ReturnType<typeof sql<boolean>> => sql<boolean>`(
  exists (select 1 from morango_pending p where p.model_name = ${model.name} and p.record_id = ${sql.raw(id)})
  or ${sql.raw(id)} in (select l.record_id from morango_change_log l where l.model_name = ${model.name}))`

async function compareBatch(
  trx: Kysely<Schema>,
  model: CompiledModel,
  defaults: Defaults,
  after: string | undefined,
): Promise<Differences & { readonly last: string | undefined }> {
  const id = model.id.read('t.id')
  const start =
    after === undefined
      ? sql`t.id is not null`
      : sql`t.id > (select ${sql.raw(model.id.cast('f.id'))} from (select cast(${after} as text) as id) f)`
  const result = await sql<ComparedRow>`select ${sql.raw(id)} as morango_row, ${rowColumns(model)},
      case when d.store_no is not null or ${isLogged(model, id)} then 1 else 0 end as morango_passed_over,
      s.id as morango_stored, s.partition as morango_partition, s.source_id as morango_source,
      s.serialized as morango_serialized, s.deleted as morango_deleted
    from (select * from ${sql.id(model.table)} t where ${start} order by t.id limit ${BATCH}) t
    left join morango_store s on s.id = ${sql.raw(id)}
    left join morango_dirty d on d.model_name = s.model_name and d.store_no = s.no
    order by t.id`.execute(trx)
  const missing: string[] = []
  const different: string[] = []
  for (const row of result.rows) {
    if (row.morango_passed_over === 1) continue
    const stored =
      row.morango_stored === null
        ? undefined
        : {
            partition: row.morango_partition,
            sourceId: row.morango_source,
            serialized: row.morango_serialized,
            deleted: row.morango_deleted,
          }
    const comparison = compareRow(model, { ...row }, stored, defaults)
    if (comparison === 'missing') missing.push(row.morango_row)
    else if (comparison === 'different') different.push(row.morango_row)
  }
  const last = result.rows.length < BATCH ? undefined : result.rows.at(-1)?.morango_row
  return { rows: result.rows.length, missing, different, extra: [], last }
}

async function recordsWithoutRow(
  trx: Kysely<Schema>,
  model: CompiledModel,
  from: number,
  to: number,
): Promise<string[]> {
  const result = await sql<{ id: string }>`select s.id from morango_store s
    where s.no > ${from} and s.no <= ${to} and s.profile = ${model.profile} and s.model_name = ${model.name}
      and s.deleted = 0 and ${rowIsGone(model, 's.id')}
      and not exists (select 1 from morango_dirty d where d.model_name = s.model_name and d.store_no = s.no)
      and not ${isLogged(model, 's.id')}`.execute(trx)
  return result.rows.map(({ id }) => id)
}
