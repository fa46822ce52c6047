import { sql } from 'kysely'
import type { Finding } from '../storage/finding.ts'
import { type Check, type CheckContext, counted } from './check.ts'

const LONG_DAYS = 7
const DAY_MS = 86_400_000

/** Whether changes wait for long, and records with a problem. */
export const changes: Check = {
  name: 'changes',
  needsOwnTables: true,
  allIsWell: 'No changes wait for long, and no record waits with a problem.',
  run: async (context) => [...(await waiting(context)), ...(await problems(context))],
}

async function waiting({ database, clock }: CheckContext): Promise<Finding[]> {
  const found = await sql<{ changes: number; last: string | null }>`select
    (select count(*) from (select model_name, record_id from morango_change_log
      union select model_name, record_id from morango_pending where error_code is null) x) as changes,
    (select max(last_activity_at) from morango_transfer_session
      where stage = 'cleanup' and stage_status = 'completed') as last`.execute(database.kysely)
  const changed = Number(found.rows[0]?.changes ?? 0)
  const last = found.rows[0]?.last ?? null
  if (changed === 0) return []
  const wait = `${counted(changed, 'change')} ${changed === 1 ? 'waits' : 'wait'} for a sync`
  if (last === null) {
    return [
      {
        code: 'never-synced',
        severity: 'note',
        sentence: `${wait}, and this database has never finished one.`,
        mend: 'Run `morango sync`, or let a peer sync with this device.',
      },
    ]
  }
  const days = Math.floor((clock.now().getTime() - Date.parse(last)) / DAY_MS)
  if (days < LONG_DAYS) return []
  return [
    {
      code: 'changes-waiting',
      severity: 'warning',
      sentence: `${wait}, and the last one was finished ${days} days ago.`,
      mend: 'Run `morango sync`, and see with `morango status` what came of the last tries.',
    },
  ]
}

async function problems({ database }: CheckContext): Promise<Finding[]> {
  const found = await sql<{ kind: string; code: string; records: number; model: string }>`
    select kind, code, count(*) as records, min(model) as model from (
      select 'sent' as kind, error_code as code, model_name as model from morango_pending where error_code is not null
      union all
      select 'applied', error_code, model_name from morango_dirty where error_code is not null) x
    group by kind, code order by 3 desc, 1, 2`.execute(database.kysely)
  return found.rows.map(({ kind, code, records, model }) => ({
    code: `problem-${code}`,
    severity: 'warning',
    sentence:
      `${counted(Number(records), kind === 'sent' ? 'changed row' : 'received record')} could not be ${kind}: ` +
      `${code}, for one of "${model}".`,
    mend: 'See each with its reason: `morango problems`.',
  }))
}
