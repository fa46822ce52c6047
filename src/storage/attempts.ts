import { type Kysely, sql } from 'kysely'
import { isMorangoError } from '../core/errors.ts'
import type { Schema } from './schema.ts'

/** The last sync that this side began with a server, whether it came to a session or not. */
export interface Attempt {
  readonly url: string
  readonly profile: string
  readonly attemptedAt: string
  readonly succeededAt: string | null
  readonly error: { readonly code: string; readonly message: string } | undefined
}

/** Which server, and for what. */
export interface AttemptKey {
  readonly url: string
  readonly profile: string
}

/** Notes that a sync begins. */
export async function noteAttempt(
  db: Kysely<Schema>,
  { url, profile }: AttemptKey,
  now: string,
): Promise<void> {
  await sql`insert into morango_attempt (url, profile, attempted_at, succeeded_at, error_code, error_message)
    values (${url}, ${profile}, ${now}, null, null, null)
    on conflict (url, profile) do update set attempted_at = excluded.attempted_at`.execute(db)
}

/** Notes how a sync has ended: without an error it has succeeded. */
export async function noteOutcome(
  db: Kysely<Schema>,
  { url, profile }: AttemptKey,
  now: string,
  error?: { readonly code: string; readonly message: string },
): Promise<void> {
  await db
    .updateTable('morango_attempt')
    .set({
      error_code: error?.code ?? null,
      error_message: error?.message ?? null,
      ...(error === undefined && { succeeded_at: now }),
    })
    .where('url', '=', url)
    .where('profile', '=', profile)
    .execute()
}

/** Notes that a server could not be reached, before a sync was begun. */
export async function noteUnreached(db: Kysely<Schema>, key: AttemptKey, error: unknown): Promise<void> {
  const now = new Date().toISOString()
  const code = isMorangoError(error) ? error.code : 'network'
  await noteAttempt(db, key, now)
  await noteOutcome(db, key, now, { code, message: error instanceof Error ? error.message : String(error) })
}

/** All servers that a sync was begun with, the last first. */
export async function readAttempts(db: Kysely<Schema>, profile: string): Promise<Attempt[]> {
  const rows = await db
    .selectFrom('morango_attempt')
    .selectAll()
    .where('profile', '=', profile)
    .orderBy('attempted_at', 'desc')
    .execute()
  return rows.map((row) => ({
    url: row.url,
    profile: row.profile,
    attemptedAt: row.attempted_at,
    succeededAt: row.succeeded_at,
    error: row.error_code === null ? undefined : { code: row.error_code, message: row.error_message ?? '' },
  }))
}
