import { forgetSessions } from '../storage/forget-sessions.ts'
import { purgeNonces } from '../storage/nonces.ts'
import { purgeAttempts } from '../storage/sign-in-attempts.ts'
import { closeIdleSessions } from './idle-sessions.ts'
import type { ServiceLimits } from './quotas.ts'
import { databaseTime } from './service-context.ts'
import type { ServiceOptions } from './service-context.ts'

/** How long a service rests in between, unless there was more to do than is done at once. */
const PAUSE_MS = 5 * 60_000
const SHORT_PAUSE_MS = 10_000

const CLOSED_AT_ONCE = 20
const FORGOTTEN_AT_ONCE = 100

/** What a service tidies up by itself. */
export interface Housekeeping {
  /** Does a bounded piece of work if there was none for some minutes. Never rejects. */
  lookAround(): Promise<void>
}

/** The housekeeping of a service in one process. Any number of processes may do it on one database. */
export function createHousekeeping(options: ServiceOptions, limits: ServiceLimits): Housekeeping {
  const { db, clock } = options
  let due = 0
  let work: Promise<void> | undefined

  return {
    lookAround() {
      const now = clock.now().getTime()
      // A clock that was set back by far must not keep it from working for long.
      if (work === undefined && (now >= due || due - now > PAUSE_MS)) {
        due = now + PAUSE_MS
        work = tidyUp(now)
          // Another time. The database may be closed by now.
          .catch(() => {})
          .finally(() => {
            work = undefined
          })
      }
      return work ?? Promise.resolve()
    },
  }

  async function tidyUp(now: number): Promise<void> {
    const databaseNow = await databaseTime(options)
    await purgeNonces(db, databaseNow)
    await purgeAttempts(db, databaseNow.getTime())
    const closed = await closeIdleSessions(options, new Date(now - limits.idleSessionMs), {
      servedOnly: true,
      limit: CLOSED_AT_ONCE,
    })
    const forgotten = await forgetSessions(db, {
      before: new Date(now - limits.keptSessionMs).toISOString(),
      perBranch: limits.keptSessionsPerBranch,
      limit: FORGOTTEN_AT_ONCE,
    })
    if (closed >= CLOSED_AT_ONCE || forgotten >= FORGOTTEN_AT_ONCE) due = now + SHORT_PAUSE_MS
  }
}
