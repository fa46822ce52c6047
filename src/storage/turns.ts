import type { Turn } from './turn.ts'

/**
 * Runs work in a turn, again when others were in the way: only what it returns counts.
 *
 * @param stamps how many stamps it will take for certain
 */
export type Run = <T>(work: (turn: Turn) => Promise<T>, stamps?: number) => Promise<T>

/**
 * Between two turns: lets others have the event loop and the database.
 *
 * A long stage is done in turns of about a tenth of a second, each a transaction, for while one lasts nobody else can
 * write (on PostgreSQL: to this partition), and on SQLite nobody in this process can read. Whatever others do between
 * two turns, the next finds, so a stage is none the worse for it: each turn serializes what was changed before, and
 * stamps what it writes with a counter of its own.
 */
export async function betweenTurns(signal: AbortSignal | undefined): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve))
  signal?.throwIfAborted()
}
