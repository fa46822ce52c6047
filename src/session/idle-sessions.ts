import type { Kysely } from 'kysely'
import type { Clock } from '../core/ports.ts'
import type { Schema } from '../storage/schema.ts'
import { deactivateSyncSession, idleSyncSessions } from '../storage/sync-sessions.ts'
import { activeTransfers, deactivateTransfer } from '../storage/transfer-sessions.ts'
import type { Engine } from './ports.ts'

/** After how long the original's clean-up closes a session (protocol §5). */
export const IDLE_SESSION_MS: number = 6 * 60 * 60 * 1000

/**
 * Closes the sessions of either role in which nothing has happened since `olderThan`, with their transfers and
 * Buffers. What they had transferred and not merged is transferred again by a later sync.
 *
 * @returns how many sessions were closed
 */
export async function closeIdleSessions(
  { db, engine, clock }: { readonly db: Kysely<Schema>; readonly engine: Engine; readonly clock: Clock },
  olderThan: Date = new Date(clock.now().getTime() - IDLE_SESSION_MS),
): Promise<number> {
  const ids = await idleSyncSessions(db, olderThan.toISOString())
  const now = clock.now().toISOString()
  for (const id of ids) {
    // Buffers first: killed in between, the session is still found the next time.
    // oxlint-disable-next-line no-await-in-loop
    for (const transfer of await activeTransfers(db, id)) {
      // oxlint-disable-next-line no-await-in-loop
      await engine.clearBuffers(transfer.id)
      // oxlint-disable-next-line no-await-in-loop
      await deactivateTransfer(db, transfer.id, now)
    }
    // oxlint-disable-next-line no-await-in-loop
    await deactivateSyncSession(db, id, now)
  }
  return ids.length
}
