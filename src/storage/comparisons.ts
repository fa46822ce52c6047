import type { Kysely } from 'kysely'
import { minimalPrefixes } from '../core/filter.ts'
import { sha256Prefix } from '../core/sha256.ts'
import type { ComparedTransfer } from '../session/ports.ts'
import { databaseClockOf, readDatabaseClock } from './database-clock.ts'
import type { EngineContext } from './context.ts'
import type { Flag, Schema } from './schema.ts'
import { peerCertificateId } from './transfer-peer.ts'

export const DAY_MS: number = 24 * 60 * 60 * 1000

/** A peer could sync under thousands of filters. */
const MOST_A_CERTIFICATE = 200

/** Whether sets may be compared after a transfer: for the first time in a day, or on in a comparison that was begun. */
export async function comparisonDue(
  db: Kysely<Schema>,
  context: EngineContext,
  transfer: ComparedTransfer,
): Promise<boolean> {
  const key = await keyOf(db, transfer)
  if (key === undefined) return false
  const since = (await databaseMs(db, context)) - DAY_MS
  const rows = await db
    .selectFrom('morango_comparison')
    .select(['push', 'filter_digest', 'transfer_session_id', 'compared_at'])
    .where('certificate_id', '=', key.certificate_id)
    .where('compared_at', '>', since)
    .execute()
  // A clock that was set back must not forbid it for longer than a day.
  const recent = rows.filter(({ compared_at: at }) => Number(at) < since + 2 * DAY_MS)
  const last = recent.find(
    ({ push, filter_digest: digest }) => push === key.push && digest === key.filter_digest,
  )
  if (last !== undefined) return last.transfer_session_id === transfer.transferSessionId
  return recent.length < MOST_A_CERTIFICATE
}

/** Notes a comparison, and forgets those that forbid nothing any more. */
export async function noteComparison(
  db: Kysely<Schema>,
  context: EngineContext,
  transfer: ComparedTransfer,
): Promise<void> {
  const key = await keyOf(db, transfer)
  if (key === undefined) return
  const now = await databaseMs(db, context)
  await db
    .deleteFrom('morango_comparison')
    .where('compared_at', '<=', now - DAY_MS)
    .execute()
  const present = { transfer_session_id: transfer.transferSessionId, compared_at: now }
  await db
    .insertInto('morango_comparison')
    .values({ ...key, ...present })
    .onConflict((conflict) =>
      conflict.columns(['certificate_id', 'push', 'filter_digest']).doUpdateSet(present),
    )
    .execute()
}

/** The time by the database's clock, in milliseconds. */
export async function databaseMs(db: Kysely<Schema>, context: EngineContext): Promise<number> {
  return (await readDatabaseClock(db, context.databaseNow ?? databaseClockOf(context.clock))).getTime()
}

async function keyOf(
  db: Kysely<Schema>,
  { transferSessionId, push, filter }: ComparedTransfer,
): Promise<{ certificate_id: string; push: Flag; filter_digest: string } | undefined> {
  const certificate = await peerCertificateId(db, transferSessionId)
  if (certificate === undefined) return undefined
  const digest = sha256Prefix([...minimalPrefixes(filter)].toSorted().join('\n'))
  return { certificate_id: certificate, push: push ? 1 : 0, filter_digest: digest }
}
