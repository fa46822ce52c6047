import { sql } from 'kysely'
import { readDatabaseClock } from '../storage/database-clock.ts'
import type { Finding } from '../storage/finding.ts'
import type { Check, CheckContext } from './check.ts'

// No release of this package is older.
const EARLIEST = Date.parse('2026-01-01T00:00:00Z')
const TOLERANCE_MS = 5 * 60_000
const SERVER_TOLERANCE_MS = 60_000
const MEND =
  'Set the clock, best by a time server. Syncing does not decide by it, but nonces, logs and `cleanup` do.'

/** Whether the clock can be right. */
export const clock: Check = {
  name: 'clock',
  needsOwnTables: true,
  allIsWell: 'The clock agrees with what is in the database.',
  run: findings,
}

async function findings({ database, clock: own }: CheckContext): Promise<Finding[]> {
  const now = own.now().getTime()
  const found: Finding[] = []
  const find = (code: string, sentence: string): void =>
    void found.push({ code, severity: 'warning', sentence, mend: MEND })
  if (now < EARLIEST) find('clock-wrong', `This device takes today for ${new Date(now).toISOString()}.`)
  const latest = await sql<{ at: string | null }>`
    select max(last_activity_at) as at from morango_sync_session`.execute(database.kysely)
  const at = Date.parse(latest.rows[0]?.at ?? '')
  if (at > now + TOLERANCE_MS) {
    find(
      'clock-behind',
      `A session was at work at ${new Date(at).toISOString()}, which this device takes for the future.`,
    )
  }
  const theirs = (await readDatabaseClock(database.kysely, () => database.dialect.now)).getTime()
  const apart = Math.abs(theirs - now)
  if (apart > SERVER_TOLERANCE_MS) {
    find(
      'clocks-apart',
      `The clocks of this process and of the database are ${Math.round(apart / 1000)} seconds apart.`,
    )
  }
  return found
}
