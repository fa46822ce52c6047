import { type Kysely, sql } from 'kysely'
import { MAX_COUNTER } from '../../core/limits.ts'
import { cannotStamp, type Stamp } from '../instance.ts'
import { keyOf, type LockMode } from '../partition-locks.ts'
import { literal } from '../rows.ts'
import type { Schema } from '../schema.ts'
import type { SideBySide, TurnNeeds } from '../turn.ts'

/**
 * Turns on a server, as many at once as there are primary partitions.
 *
 * A transaction in `repeatable read` sees what was committed at its first statement, and `select pg_advisory_xact_lock`
 * is one: whoever has waited by that sees the state from before the wait, and fails. So the locks are first taken
 * for the session; then, in a short transaction of its own, that is done for which all turns quarrel (folding the
 * change log, raising the counter); then the turn's transaction begins, takes the locks for itself and gives them back
 * for the session. Each step and its commit are one message, so that a pooler that gives connections by transaction
 * may stand in between.
 */
export const sideBySide: SideBySide = { begin, commit, abandon }

async function begin(connection: Kysely<Schema>, needs: TurnNeeds): Promise<readonly Stamp[]> {
  const stamps = await makeReady(connection, needs)
  const { locks } = needs
  const taken = locks.map(({ key, mode }) => call('pg_advisory_xact_lock', mode, key))
  const returned = locks.map(({ key, mode }) => call('pg_advisory_unlock', mode, key))
  await run(connection, ['commit', 'begin isolation level repeatable read', ...taken, ...returned])
  return stamps
}

/** Leaves a transaction open in which the locks are held for the session and all is ready for the turn. */
async function makeReady(
  connection: Kysely<Schema>,
  { locks, fold, stamps, leaving }: TurnNeeds,
): Promise<readonly Stamp[]> {
  const taken = locks.map(({ key, mode }) => call('pg_advisory_lock', mode, key))
  const statements = ['begin', ...taken]
  // What is done here is lost with the turn at the worst, whose commit is waited for.
  if (fold || stamps > 0 || leaving !== undefined)
    statements.push('commit', 'begin', 'set local synchronous_commit to off')
  if (fold) statements.push(call('pg_advisory_xact_lock', 'exclusive', FOLDING), FOLD)
  if (leaving !== undefined) statements.push(noteLeaving(leaving))
  if (stamps > 0) statements.push(raiseBy(stamps))
  const [raised] = await run<{ id: string; counter: number }>(connection, statements)
  if (stamps === 0) return []
  if (raised === undefined) return await cannotStamp(connection)
  return Array.from({ length: stamps }, (_, index) => ({
    instance: raised.id,
    counter: raised.counter - stamps + 1 + index,
  }))
}

async function commit(connection: Kysely<Schema>): Promise<void> {
  await sql`commit`.execute(connection)
}

async function abandon(connection: Kysely<Schema>): Promise<void> {
  await run(connection, ['rollback', 'select pg_advisory_unlock_all()'])
}

/** @returns the last statement's rows */
async function run<Row>(connection: Kysely<Schema>, statements: readonly string[]): Promise<Row[]> {
  return (await sql.raw<Row>(statements.join('; ')).execute(connection)).rows
}

/** Locks are a database's, and there may be one of ours in each of its schemas. */
function call(name: string, mode: LockMode, key: bigint): string {
  return `select ${name}${mode === 'shared' ? '_shared' : ''}(hashtextextended(current_schema(), ${key}))`
}

const FOLDING = keyOf('fold')

// A row that is pending may be in the hands of a turn, so it is left alone, and so is the last change logged of that
// record: the turn may have read the record before it. Only a hard deletion must not wait.
const FOLD = `
  with changed as (
    select model_name, record_id, max(seq) as seq, max(hard) as hard from morango_change_log
    group by model_name, record_id),
  known as (
    select c.*, p.record_id is null or c.hard = 1 as take from changed c
    left join morango_pending p on p.model_name = c.model_name and p.record_id = c.record_id),
  folded as (
    delete from morango_change_log l using known k
    where l.model_name = k.model_name and l.record_id = k.record_id and (k.take or l.seq < k.seq))
  insert into morango_pending (model_name, record_id, hard, tries, partition)
  select k.model_name, k.record_id, k.hard, 0, (select s.partition from morango_store s where s.id = k.record_id)
  from known k where k.take order by k.model_name, k.record_id
  on conflict (model_name, record_id) do update set hard = greatest(morango_pending.hard, excluded.hard)`

function raiseBy(stamps: number): string {
  return `update morango_instance set counter = counter + ${stamps}
    where current = 1 and counter <= ${MAX_COUNTER - stamps} returning id, counter`
}

function noteLeaving({ instance, counter }: Stamp): string {
  return `update morango_instance set exchanged_counter = ${counter}
    where id = ${literal(instance)} and exchanged_counter < ${counter}`
}
