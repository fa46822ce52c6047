import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Schema } from './schema.ts'

/** From how many failures on there are pauses, and how long they become. */
export interface PauseRule {
  /** With this many failures the first pause begins, a second long; each one more doubles it. */
  readonly free: number
  readonly longestMs: number
}

/** An attempt that counts as failed until it is taken back. */
export interface Reservation {
  readonly key: string
  readonly pausedUntil: number
}

/** The number of rows that are kept at most. */
const MOST_ROWS = 50_000
const FORGOTTEN_MS = 24 * 60 * 60 * 1000
/** For how long a name is known to come from an address. */
const KNOWN_MS = 90 * 24 * 60 * 60 * 1000
const FIRST_PAUSE_MS = 1000
const MOST_DOUBLINGS = 20

/**
 * Counts an attempt as failed before it is made, so that those under way at the same time count as well. One statement:
 * in whatever process, what comes during a pause is not counted and not made.
 *
 * @param now - by the database's clock, in milliseconds since 1970, as all times here
 * @returns undefined during a pause
 */
export async function reserveAttempt(
  db: Kysely<Schema>,
  key: string,
  { free, longestMs }: PauseRule,
  now: number,
): Promise<Reservation | undefined> {
  const failures = sql<number>`(case when s.last_at < ${big(now - FORGOTTEN_MS)} then 1 else s.failures + 1 end)`
  const over = sql<number>`(${failures} - ${sql.lit(free)})`
  const doubled = sql<number>`(${big(FIRST_PAUSE_MS)} << cast(${over} as integer))`
  const pause = sql<number>`case when ${over} < 0 then 0 when ${over} > ${sql.lit(MOST_DOUBLINGS)} then ${big(longestMs)}
    when ${doubled} > ${big(longestMs)} then ${big(longestMs)} else ${doubled} end`
  const first = free <= 1 ? now + FIRST_PAUSE_MS : 0
  const { rows } = await sql<{ until: unknown }>`
    insert into morango_sign_in as s (key, failures, paused_until, last_at)
    values (${key}, 1, ${big(first)}, ${big(now)})
    on conflict (key) do update set failures = ${failures}, last_at = ${big(now)},
      paused_until = case when ${over} < 0 then 0 else ${big(now)} + ${pause} end
    where s.paused_until <= ${big(now)}
    returning paused_until as until`.execute(db)
  const [row] = rows
  return row === undefined ? undefined : { key, pausedUntil: Number(row.until) }
}

/** Until when there is a pause; 0: there is none. */
export async function pausedUntil(db: Kysely<Schema>, key: string): Promise<number> {
  const row = await db
    .selectFrom('morango_sign_in')
    .select('paused_until')
    .where('key', '=', key)
    .executeTakeFirst()
  return Number(row?.paused_until ?? 0)
}

/** Takes an attempt back that did not fail, with the pause that it would have begun. */
export async function takeBackAttempt(
  db: Kysely<Schema>,
  { key, pausedUntil: until }: Reservation,
): Promise<void> {
  await sql`update morango_sign_in set failures = case when failures > 0 then failures - 1 else 0 end,
      paused_until = case when paused_until = ${big(until)} then 0 else paused_until end
    where key = ${key}`.execute(db)
}

/** Lets the pause of an attempt that has failed begin at its end. */
export async function prolongPause(
  db: Kysely<Schema>,
  { key, pausedUntil: until }: Reservation,
  ms: number,
): Promise<void> {
  if (until === 0 || ms <= 0) return
  await sql`update morango_sign_in set paused_until = paused_until + ${big(Math.round(ms))}
    where key = ${key} and paused_until = ${big(until)}`.execute(db)
}

/** Forgets the failures of a key. */
export async function clearAttempts(db: Kysely<Schema>, key: string): Promise<void> {
  await db.deleteFrom('morango_sign_in').where('key', '=', key).execute()
}

/** Notes that a key has succeeded. */
export async function noteSuccess(db: Kysely<Schema>, key: string, now: number): Promise<void> {
  await db
    .insertInto('morango_sign_in')
    .values({ key, failures: 0, paused_until: 0, last_at: now })
    .onConflict((conflict) => conflict.column('key').doUpdateSet({ last_at: now }))
    .execute()
}

/** Whether a key has succeeded not too long ago. */
export async function hasSucceeded(db: Kysely<Schema>, key: string, now: number): Promise<boolean> {
  const row = await db
    .selectFrom('morango_sign_in')
    .select('key')
    .where('key', '=', key)
    .where('last_at', '>=', now - KNOWN_MS)
    .executeTakeFirst()
  return row !== undefined
}

/** Counts one more within an hour. @returns how many that makes */
export async function countWithinHour(db: Kysely<Schema>, key: string, now: number): Promise<number> {
  const hourAgo = big(now - 60 * 60 * 1000)
  const { rows } = await sql<{ n: unknown }>`
    insert into morango_sign_in as s (key, failures, paused_until, last_at) values (${key}, 1, 0, ${big(now)})
    on conflict (key) do update set
      failures = case when s.last_at < ${hourAgo} then 1 else s.failures + 1 end,
      last_at = case when s.last_at < ${hourAgo} then ${big(now)} else s.last_at end
    returning failures as n`.execute(db)
  return Number(rows[0]?.n ?? 1)
}

/** Drops what is too old to count, and the oldest beyond a number; what is paused stays. */
export async function purgeAttempts(
  db: Kysely<Schema>,
  now: number,
  most: number = MOST_ROWS,
): Promise<void> {
  await sql`delete from morango_sign_in where last_at < ${big(now - KNOWN_MS)}
    or (failures > 0 and last_at < ${big(now - FORGOTTEN_MS)} and paused_until <= ${big(now)})`.execute(db)
  const { rows } = await sql<{ n: unknown }>`select count(*) as n from morango_sign_in`.execute(db)
  const surplus = Number(rows[0]?.n ?? 0) - most
  if (surplus <= 0) return
  await sql`delete from morango_sign_in where key in (select key from morango_sign_in
    where paused_until <= ${big(now)} order by last_at, key limit ${surplus})`.execute(db)
}

/** Milliseconds since 1970 are more than 32 bits hold. */
function big(value: number): RawBuilder<number> {
  return sql<number>`cast(${value} as bigint)`
}
