import { type Kysely, type RawBuilder, sql } from 'kysely'
import { partitionIn } from './ranges.ts'
import type { Schema } from './schema.ts'

/** Whether a row could not be serialized, or a record not be applied. */
export type ProblemKind = 'not-serialized' | 'not-applied'

/** Something that waits for a mend: a row that cannot be serialized, or a record that cannot be applied. */
export interface Problem {
  readonly kind: ProblemKind
  readonly model: string
  readonly id: string
  /** Undefined while it is not known, because the row has none that is valid. */
  readonly partition: string | undefined
  readonly code: string
  readonly message: string
  readonly firstSeen: string
  readonly lastSeen: string
  readonly tries: number
}

/** Which problems are meant. */
export interface ProblemQuery {
  readonly model?: string | undefined
  readonly id?: string | undefined
  readonly code?: string | undefined
  readonly kind?: ProblemKind | undefined
  /** A partition prefix. */
  readonly partition?: string | undefined
  /** At most so many; 1,000. */
  readonly limit?: number | undefined
  /** Passes over so many, for the next page. */
  readonly offset?: number | undefined
}

/** A problem as the database gives it. */
export type ProblemRow = Omit<Problem, 'partition'> & { readonly partition: string | null }

const MOST = 1000

const TAKEN =
  'A record of another partition, source id or model has this id here, and came first. Delete that one, or put this one ' +
  'in its place with `morango problems accept`.'
const REPLACED =
  'Another record was put in the place of this one with `morango problems accept`, which undoes that as well.'
const TOO_LARGE = 'The record is larger than a record may be, and was not sent. Shorten what it holds.'

/** `from`-source: every problem, its columns those of {@link ProblemRow}. */
export function problemRows(query: ProblemQuery = {}): RawBuilder<unknown> {
  const pending = conditionOf(query, 'not-serialized', {
    model: sql`p.model_name`,
    id: sql`p.record_id`,
    code: sql`p.error_code`,
    partition: sql`p.partition`,
  })
  const dirty = conditionOf(query, 'not-applied', {
    model: sql`d.model_name`,
    id: sql`s.id`,
    code: sql`d.error_code`,
    partition: sql`s.partition`,
  })
  const aside = conditionOf(query, 'not-applied', {
    model: sql`a.model_name`,
    id: sql`a.id`,
    code: sql`'id-taken'`,
    partition: sql`a.partition`,
  })
  const unsent = conditionOf(query, 'not-serialized', {
    model: sql`s.model_name`,
    id: sql`s.id`,
    code: sql`'record-too-large'`,
    partition: sql`s.partition`,
  })
  return sql`(select 'not-serialized' as kind, p.model_name as model, p.record_id as id, p.partition,
      p.error_code as code, p.error_message as message, p.first_failed_at as "firstSeen",
      p.last_failed_at as "lastSeen", p.tries
    from morango_pending p where p.error_code is not null and ${pending}
    union all
    select 'not-applied', s.model_name, s.id, s.partition, d.error_code, d.error_message, d.first_failed_at,
      d.last_failed_at, d.tries
    from morango_dirty d join morango_store s on s.no = d.store_no where d.error_code is not null and ${dirty}
    union all
    select 'not-applied', a.model_name, a.id, a.partition, 'id-taken',
      case when a.reason = 'replaced' then ${REPLACED} else ${TAKEN} end, a.first_failed_at, a.last_failed_at, a.tries
    from morango_set_aside a where a.deleted = 0 and ${aside}
    union all
    select 'not-serialized', s.model_name, s.id, s.partition, 'record-too-large', ${TOO_LARGE}, u.first_failed_at,
      u.last_failed_at, u.tries
    from morango_unsent u join morango_store s on s.no = u.store_no
    where octet_length(s.serialized) + octet_length(s.conflicting_serialized_data) > u.most_bytes and ${unsent})`
}

/** Problems of this database, the latest first. Each is tried again by itself, after growing pauses. */
export async function readProblems(db: Kysely<Schema>, query: ProblemQuery = {}): Promise<Problem[]> {
  const { limit = MOST, offset = 0 } = query
  const result = await sql<ProblemRow>`select * from ${problemRows(query)} x
    order by "lastSeen" desc, model, id limit ${limit} offset ${offset}`.execute(db)
  return result.rows.map(toProblem)
}

/** How many problems there are. */
export async function countProblems(db: Kysely<Schema>, query: ProblemQuery = {}): Promise<number> {
  const result = await sql<{ count: number }>`select count(*) as count from ${problemRows(query)} x`.execute(
    db,
  )
  return Number(result.rows[0]?.count ?? 0)
}

/** A problem as it is shown. */
export function toProblem(row: ProblemRow): Problem {
  return { ...row, partition: row.partition ?? undefined }
}

function conditionOf(
  query: ProblemQuery,
  kind: ProblemKind,
  columns: Readonly<Record<'model' | 'id' | 'code' | 'partition', RawBuilder<unknown>>>,
): RawBuilder<boolean> {
  if (query.kind !== undefined && query.kind !== kind) return sql<boolean>`1 = 0`
  const conditions: RawBuilder<unknown>[] = [sql`1 = 1`]
  if (query.model !== undefined) conditions.push(sql`${columns.model} = ${query.model}`)
  if (query.id !== undefined) conditions.push(sql`${columns.id} = ${query.id}`)
  if (query.code !== undefined) conditions.push(sql`${columns.code} = ${query.code}`)
  if (query.partition !== undefined) conditions.push(partitionIn(columns.partition, [query.partition]))
  return sql<boolean>`${sql.join(conditions, sql` and `)}`
}
