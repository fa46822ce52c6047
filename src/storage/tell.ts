import { type Kysely, sql } from 'kysely'
import { type Conflict, type ConflictRow, toConflict } from './conflicts.ts'
import type { EngineContext } from './context.ts'
import { type Problem, type ProblemKind, problemRows, type ProblemRow, toProblem } from './problems.ts'
import type { Schema } from './schema.ts'

/** A problem has appeared, or has another reason than before; or one is solved. */
export type ProblemEvent =
  | { readonly kind: 'appeared'; readonly problem: Problem }
  | { readonly kind: 'solved'; readonly problem: ToldProblem }

/** What is remembered of a problem that a listener was told of. */
export interface ToldProblem {
  readonly kind: ProblemKind
  readonly model: string
  readonly id: string
  readonly code: string
}

/** Who wants to know of problems and conflicts. */
export interface Listeners {
  readonly onProblem?: ((event: ProblemEvent) => void) | undefined
  readonly onConflict?: ((conflict: Conflict) => void) | undefined
}

const AT_ONCE = 500

/**
 * Tells listeners what there is to tell. It is noted in the database, so that of several processes one tells each
 * thing, and once; what a process did not come to is told by the next that has a listener.
 */
export async function tell(context: EngineContext, { onProblem, onConflict }: Listeners): Promise<void> {
  const { kysely } = context.database
  if (onConflict !== undefined) await inPages(context, () => takeConflicts(kysely), onConflict)
  if (onProblem === undefined) return
  await inPages(context, () => takeAppeared(kysely), onProblem)
  await inPages(context, () => takeSolved(kysely), onProblem)
}

async function inPages<Told>(
  { onWarning }: EngineContext,
  take: () => Promise<Told[]>,
  listener: (told: Told) => void,
): Promise<void> {
  for (;;) {
    const told = await take()
    for (const one of told) {
      try {
        listener(one)
      } catch (cause) {
        const why = cause instanceof Error ? cause.message : String(cause)
        onWarning?.({ code: 'listener-failed', message: `A listener threw: ${why}`, cause })
      }
    }
    if (told.length === 0) return
  }
}

async function takeConflicts(db: Kysely<Schema>): Promise<Conflict[]> {
  const taken = await sql<ConflictRow>`update morango_conflict set told = 1
    where told = 0 and no in (select no from morango_conflict where state = 'open' and told = 0
      order by no limit ${AT_ONCE})
    returning *`.execute(db)
  return taken.rows.toSorted((a, b) => a.no - b.no).map(toConflict)
}

async function takeAppeared(db: Kysely<Schema>): Promise<ProblemEvent[]> {
  const found = await sql<ProblemRow>`select x.* from ${problemRows()} x left join morango_told_problem t
      on t.kind = x.kind and t.model_name = x.model and t.record_id = x.id
    where t.code is null or t.code <> x.code order by x."firstSeen", x.model, x.id limit ${AT_ONCE}`.execute(
    db,
  )
  const [first, ...others] = found.rows.map(
    (row) => sql`(${sql.join([row.kind, row.model, row.id, row.code])})`,
  )
  if (first === undefined) return []
  const taken = await sql<{ kind: string; id: string }>`insert into morango_told_problem
      (kind, model_name, record_id, code)
    values ${sql.join([first, ...others])}
    on conflict (kind, model_name, record_id) do update set code = excluded.code
    where morango_told_problem.code <> excluded.code returning kind, record_id as id`.execute(db)
  const own = new Set(taken.rows.map(({ kind, id }) => `${kind} ${id}`))
  return found.rows
    .filter(({ kind, id }) => own.has(`${kind} ${id}`))
    .map((row) => ({ kind: 'appeared', problem: toProblem(row) }))
}

async function takeSolved(db: Kysely<Schema>): Promise<ProblemEvent[]> {
  const taken = await sql<ToldProblem>`delete from morango_told_problem
    where (kind, model_name, record_id) in (
      select t.kind, t.model_name, t.record_id from morango_told_problem t
      where not exists (select 1 from morango_pending p where t.kind = 'not-serialized'
          and p.model_name = t.model_name and p.record_id = t.record_id and p.error_code is not null)
        and not exists (select 1 from morango_dirty d join morango_store s on s.no = d.store_no
          where t.kind = 'not-applied' and s.id = t.record_id and d.model_name = t.model_name
            and d.error_code is not null)
        and not exists (select 1 from morango_set_aside a
          where t.kind = 'not-applied' and a.id = t.record_id and a.model_name = t.model_name and a.deleted = 0)
        and not exists (select 1 from morango_unsent u join morango_store s on s.no = u.store_no
          where t.kind = 'not-serialized' and s.id = t.record_id and s.model_name = t.model_name
            and octet_length(s.serialized) + octet_length(s.conflicting_serialized_data) > u.most_bytes)
      limit ${AT_ONCE})
    returning kind, model_name as model, record_id as id, code`.execute(db)
  return taken.rows.map((problem) => ({ kind: 'solved', problem }))
}
