import type { Kysely } from 'kysely'
import type { Schema } from './schema.ts'

/** How long a nonce is good for (protocol §4). */
export const NONCE_LIFETIME_MS = 60_000

/** A nonce as it was given out. */
export interface Nonce {
  readonly id: string
  readonly createdAt: Date
  readonly ip: string
}

/** Keeps a nonce, and drops those that are too old to be used. */
export async function saveNonce(db: Kysely<Schema>, nonce: Nonce): Promise<void> {
  await purgeNonces(db, nonce.createdAt)
  await db
    .insertInto('morango_nonce')
    .values({ id: nonce.id, created_at: nonce.createdAt.toISOString(), ip: nonce.ip })
    .execute()
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
