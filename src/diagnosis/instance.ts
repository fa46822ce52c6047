import { sql } from 'kysely'
import type { Finding } from '../storage/finding.ts'
import { getMeta } from '../storage/migrations.ts'
import type { Check, CheckContext } from './check.ts'

/** Whether this database is the one that it was: copied files and restored backups. */
export const instance: Check = {
  name: 'instance',
  needsOwnTables: true,
  allIsWell: 'It is the database that it was: neither copied nor fallen back.',
  run: async (context) => [...(await copied(context)), ...(await fallenBack(context))],
}

async function copied({ database }: CheckContext): Promise<Finding[]> {
  const known = await getMeta(database.kysely, 'fingerprint')
  if (known === undefined || known === (await database.fingerprint())) return []
  return [
    {
      code: 'database-copied',
      severity: 'note',
      sentence: 'The database is at another place or on another machine than when it was last used.',
      mend: 'Nothing to do: at the next command it goes on as a new instance, so that two copies do not get in the way of each other.',
    },
  ]
}

/** Whether something here knows of a higher counter of ours than ours is. */
async function fallenBack({ database }: CheckContext): Promise<Finding[]> {
  const found = await sql<{ counter: number; known: number | null }>`
    select i.counter, (select max(c.counter) from morango_database_max_counter c where c.instance_id = i.id) as known
    from morango_instance i where i.current = 1`.execute(database.kysely)
  const row = found.rows[0]
  if (row === undefined) return []
  const known = Number(row.known ?? 0)
  if (known <= Number(row.counter)) return []
  return [
    {
      code: 'counter-fallen-back',
      severity: 'error',
      sentence: `The counter of this instance is ${row.counter}, but records were saved up to ${known}: part of the database is older than the rest.`,
      mend: 'Do not write to it. Restore the database as a whole, then sync before anybody writes.',
    },
  ]
}
