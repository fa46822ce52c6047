import { sql } from 'kysely'
import { IDLE_SESSION_MS } from '../session/idle-sessions.ts'
import type { Finding } from '../storage/finding.ts'
import { type Check, type CheckContext, counted } from './check.ts'

/** What syncs have left. */
export const sessions: Check = {
  name: 'sessions',
  needsOwnTables: true,
  allIsWell: 'The latest syncs came to their ends, and left nothing.',
  run: async (context) => [
    ...(await failed(context)),
    ...(await idle(context)),
    ...(await cutOff(context)),
    ...(await leftBuffers(context)),
  ],
}

/** Of each peer the latest transfer in each direction, where that failed. */
async function failed({ database }: CheckContext): Promise<Finding[]> {
  const found = await sql<{ peer: string; push: number; stage: string; error: string | null; at: string }>`
    select peer, push, stage, error, at from (
      select s.connection_path as peer, t.push, t.stage, t.stage_status, t.error, t.last_activity_at as at,
        row_number() over (partition by s.connection_path, t.push order by t.created_at desc) as place
      from morango_transfer_session t join morango_sync_session s on s.id = t.sync_session_id
      where s.is_server = 0) x
    where place = 1 and stage_status = 'errored' order by at desc limit 20`.execute(database.kysely)
  return found.rows.map(({ peer, push, stage, error, at }) => ({
    code: 'transfer-failed',
    severity: 'warning',
    sentence:
      `The last ${Number(push) === 1 ? 'push to' : 'pull from'} ${peer} failed at ${at}, while ${stage}` +
      `${error === null ? '' : `: ${withoutEnd(error)}`}.`,
    mend: 'Run `morango sync` with it again, with --verbose to see where it fails.',
  }))
}

async function idle({ database, clock }: CheckContext): Promise<Finding[]> {
  const before = new Date(clock.now().getTime() - IDLE_SESSION_MS).toISOString()
  const found = await database.kysely
    .selectFrom('morango_sync_session')
    .select((eb) => eb.fn.countAll().as('n'))
    .where('active', '=', 1)
    .where('last_activity_at', '<', before)
    .executeTakeFirst()
  const n = Number(found?.n ?? 0)
  if (n === 0) return []
  return [
    {
      code: 'sessions-left',
      severity: 'warning',
      sentence: `In ${counted(n, 'open session')} nothing has happened for 6 hours; what they hold takes room.`,
      mend: 'Run `morango cleanup`, and let it be run every hour.',
    },
  ]
}

/** Transfers in the midst of a stage, without anybody who runs them. */
async function cutOff({ database }: CheckContext): Promise<Finding[]> {
  const found = await sql<{ peer: string; push: number; stage: string }>`
    select s.connection_path as peer, t.push, t.stage
    from morango_transfer_session t join morango_sync_session s on s.id = t.sync_session_id
    left join morango_lease l on l.holder = t.lease_holder and l.expires_at > ${database.dialect.now}
    where t.active = 1 and s.active = 1 and s.is_server = 0 and t.stage_status <> 'errored' and l.holder is null
    order by t.last_activity_at desc limit 20`.execute(database.kysely)
  return found.rows.map(({ peer, push, stage }) => ({
    code: 'transfer-cut-off',
    severity: 'note',
    sentence: `A ${Number(push) === 1 ? 'push to' : 'pull from'} ${peer} stopped half way, while ${stage}.`,
    mend: 'Nothing is lost: the next sync with that URL and filter goes on where it stopped.',
  }))
}

/** Buffers of transfers that are over. */
async function leftBuffers({ database }: CheckContext): Promise<Finding[]> {
  const found = await sql<{ transfers: number }>`select count(*) as transfers from (
      select transfer_session_id as id from morango_incoming
      union select transfer_session_id from morango_outgoing
      union select transfer_session_id from morango_outgoing_snapshot) b
    where not exists (select 1 from morango_transfer_session t where t.id = b.id and t.active = 1)`.execute(
    database.kysely,
  )
  const n = Number(found.rows[0]?.transfers ?? 0)
  if (n === 0) return []
  return [
    {
      code: 'buffers-left',
      severity: 'warning',
      sentence: `Buffers of ${counted(n, 'transfer')} are left that ${n === 1 ? 'is' : 'are'} over.`,
      mend: 'Run `morango cleanup`.',
    },
  ]
}

/** Without the full stop and the blanks at the end of a sentence. By a loop: it may quote what a peer said. */
function withoutEnd(sentence: string): string {
  let end = sentence.length
  while (end > 0 && '. \n\t'.includes(sentence.charAt(end - 1))) end--
  return sentence.slice(0, end)
}
