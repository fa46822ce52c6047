import { type Kysely, sql } from 'kysely'
import type { CompiledProfile } from '../models/compiled.ts'
import { currentInstance } from './instance.ts'
import type { Schema } from './schema.ts'

/** Where a database stands. */
export interface Status {
  readonly instance: { readonly id: string; readonly databaseId: string; readonly counter: number }
  readonly models: readonly {
    readonly profile: string
    readonly model: string
    readonly records: number
    readonly deleted: number
  }[]
  /** Changes that the next serialization will look at. */
  readonly pendingChanges: number
  readonly problems: { readonly unserialized: number; readonly undeserialized: number }
  readonly sessions: readonly {
    readonly id: string
    readonly role: 'client' | 'server'
    readonly peer: string
    readonly active: boolean
    readonly lastActivityAt: string
    readonly transfers: readonly {
      readonly id: string
      readonly direction: 'pull' | 'push'
      readonly active: boolean
      readonly stage: string
      readonly stageStatus: string
      readonly error: string | null
      readonly recordsTransferred: number
      readonly recordsTotal: number | null
    }[]
  }[]
}

const SESSIONS_SHOWN = 20

/** Reads where a database stands: counts, problems, and the latest sessions. */
export async function readStatus(
  db: Kysely<Schema>,
  profiles: ReadonlyMap<string, CompiledProfile>,
): Promise<Status> {
  const instance = await currentInstance(db)
  const models = await sql<{ profile: string; model: string; records: number; deleted: number }>`
    select profile, model_name as model, count(*) - sum(deleted) as records, sum(deleted) as deleted
    from morango_store group by profile, model_name order by profile, model_name`.execute(db)
  const own = [...profiles.values()].flatMap((profile) => profile.models.map((model) => model.name))
  const counts = await sql<{ pending: number; unserialized: number; undeserialized: number }>`select
    (select count(*) from (select model_name, record_id from morango_change_log
      union select model_name, record_id from morango_pending where error_code is null) x) as pending,
    (select count(*) from morango_pending where error_code is not null
      and model_name in (${sql.join(own)})) as unserialized,
    (select count(*) from morango_dirty where error_code is not null)
      + (select count(*) from morango_set_aside where deleted = 0) as undeserialized`.execute(db)
  const count = counts.rows[0]
  return {
    instance: { id: instance.id, databaseId: instance.database_id, counter: instance.counter },
    models: models.rows.map((row) => ({
      ...row,
      records: Number(row.records),
      deleted: Number(row.deleted),
    })),
    pendingChanges: Number(count?.pending ?? 0),
    problems: {
      unserialized: Number(count?.unserialized ?? 0),
      undeserialized: Number(count?.undeserialized ?? 0),
    },
    sessions: await readSessions(db),
  }
}

async function readSessions(db: Kysely<Schema>): Promise<Status['sessions']> {
  const sessions = await db
    .selectFrom('morango_sync_session')
    .selectAll()
    .orderBy('last_activity_at', 'desc')
    .limit(SESSIONS_SHOWN)
    .execute()
  if (sessions.length === 0) return []
  const transfers = await db
    .selectFrom('morango_transfer_session')
    .selectAll()
    .where(
      'sync_session_id',
      'in',
      sessions.map(({ id }) => id),
    )
    .orderBy('created_at')
    .execute()
  return sessions.map((session) => ({
    id: session.id,
    role: session.is_server === 1 ? 'server' : 'client',
    peer: session.is_server === 1 ? session.client_ip : session.connection_path,
    active: session.active === 1,
    lastActivityAt: session.last_activity_at,
    transfers: transfers
      .filter((transfer) => transfer.sync_session_id === session.id)
      .map((transfer) => ({
        id: transfer.id,
        direction: transfer.push === 1 ? 'push' : 'pull',
        active: transfer.active === 1,
        stage: transfer.stage,
        stageStatus: transfer.stage_status,
        error: transfer.error,
        recordsTransferred: transfer.records_transferred,
        recordsTotal: transfer.records_total,
      })),
  }))
}
