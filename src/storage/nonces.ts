import { type Kysely, sql } from 'kysely'
import type { Schema } from './schema.ts'

/** How long a nonce is good for (protocol §4). */
export const NONCE_LIFETIME_MS = 60_000

/** A nonce as it was given out. */
export interface Nonce {
  readonly id: string
  readonly createdAt: Date
  readonly ip: string
  /** On whose allowance it is. */
  readonly network: string
}

/**
 * Keeps a nonce, and drops those that are too old to be used, and the oldest of the same network beyond `most`. Whoever
 * asks for more than anybody needs loses those that were asked for first; an honest caller uses its own within seconds.
 */
export async function saveNonce(db: Kysely<Schema>, nonce: Nonce, most: number): Promise<void> {
  await purgeNonces(db, nonce.createdAt)
  const { id, network, ip } = nonce
  await db
    .insertInto('morango_nonce')
    .values({ id, created_at: nonce.createdAt.toISOString(), ip, network })
    .execute()
  await sql`delete from morango_nonce where network = ${network} and id <> ${id} and id in (
    select id from morango_nonce where network = ${network} order by created_at desc, id limit ${most} offset ${most})`.execute(
    db,
  )
}

/** Drops the oldest nonces of the network that has the most, as long as there are more than `most` in all. */
export async function trimNonces(db: Kysely<Schema>, most: number): Promise<void> {
  const { rows } = await sql<{ network: string; own: number; everything: number }>`
    select network, count(*) as own, sum(count(*)) over () as everything from morango_nonce
    group by network order by count(*) desc, network limit 1`.execute(db)
  const [largest] = rows
  if (largest === undefined) return
  const surplus = Number(largest.everything) - most
  if (surplus <= 0) return
  // Where each network has one only, none has more than its part.
  const among = Number(largest.own) > 1 ? sql`where network = ${largest.network}` : sql``
  await sql`delete from morango_nonce where id in (
    select id from morango_nonce ${among} order by created_at, id limit ${surplus})`.execute(db)
}

/** Whether a nonce could be used up now. */
export async function isNonceLive(db: Kysely<Schema>, id: string, now: Date): Promise<boolean> {
  const row = await db
    .selectFrom('morango_nonce')
    .select('id')
    .where('id', '=', id)
    .where('created_at', '>', lifetimeBefore(now))
    .where('created_at', '<=', now.toISOString())
    .executeTakeFirst()
  return row !== undefined
}

/**
 * Uses a nonce up: true once, and only while it is younger than a minute and not from the future. One
 * statement, so that of two callers only one can succeed.
 */
export async function consumeNonce(db: Kysely<Schema>, id: string, now: Date): Promise<boolean> {
  const result = await db
    .deleteFrom('morango_nonce')
    .where('id', '=', id)
    .where('created_at', '>', lifetimeBefore(now))
    // Equal is fine: both times are cut to the millisecond, so the true age is more than 0.
    .where('created_at', '<=', now.toISOString())
    .executeTakeFirst()
  return result.numDeletedRows === 1n
}

/** Drops nonces that are too old to be used. */
export async function purgeNonces(db: Kysely<Schema>, now: Date): Promise<void> {
  await db.deleteFrom('morango_nonce').where('created_at', '<=', lifetimeBefore(now)).execute()
}

function lifetimeBefore(now: Date): string {
  return new Date(now.getTime() - NONCE_LIFETIME_MS).toISOString()
}
