import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Clock } from '../core/ports.ts'
import type { Schema } from './schema.ts'

/**
 * The time as an SQL expression, in milliseconds since 1970. Processes that share a database may be on machines
 * whose clocks differ. What one of them begins and another ends goes by the database's own clock, unless a test
 * brings one.
 */
export type DatabaseClock = () => RawBuilder<number>

/** A clock of this process in the place of the database's: for tests. */
export function databaseClockOf(clock: Clock): DatabaseClock {
  return () => sql<number>`cast(${clock.now().getTime()} as bigint)`
}

/** What time it is by the database's clock. */
export async function readDatabaseClock(db: Kysely<Schema>, now: DatabaseClock): Promise<Date> {
  const { rows } = await sql<{ now: unknown }>`select ${now()} as now`.execute(db)
  // PostgreSQL's driver gives bigint as text.
  return new Date(Number(rows[0]?.now))
}
