import { sql } from 'kysely'
import { type Doubt, type DoubtKind, readDoubts } from '../storage/doubts.ts'
import type { Finding } from '../storage/finding.ts'
import { getMeta } from '../storage/migrations.ts'
import type { Check, CheckContext } from './check.ts'

/** Whether this database is the one that it was: copied files and restored backups. */
export const instance: Check = {
  name: 'instance',
  needsOwnTables: true,
  allIsWell: 'It is the database that it was: neither copied nor fallen back.',
  run: async (context) => [
    ...(await copied(context)),
    ...(await fallenBack(context)),
    ...(await doubted(context)),
  ],
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

const DOUBTS: Readonly<Record<DoubtKind, Pick<Finding, 'code' | 'severity' | 'mend'>>> = {
  'renewal-needed': {
    code: 'renewal-needed',
    severity: 'error',
    mend: 'If this database was restored from a backup, run `morango renew`. If not, the peer lies or was lied to: put its certificate into refusedCertificates, or have its operator run `morango claims`. Other peers sync on.',
  },
  'claim-about-us': {
    code: 'claim-not-believed',
    severity: 'warning',
    mend: 'If this database was restored from a backup, run `morango renew`. If not, there is nothing to do: the claim was left out.',
  },
  'forged-history': {
    code: 'history-not-believed',
    severity: 'warning',
    mend: 'Look through `morango conflicts` for what came with it. If the peer is not yours, put its certificate into refusedCertificates.',
  },
  'claims-differ': {
    code: 'claims-differ',
    severity: 'warning',
    mend: 'What was taught about it is forgotten, and the next syncs ask again. If it comes back each day, compare the two databases.',
  },
}

/** What peers said that was not believed. */
async function doubted({ database }: CheckContext): Promise<Finding[]> {
  return (await readDoubts(database.kysely)).flatMap((doubt) => {
    const finding = findingOf(doubt)
    return finding === undefined ? [] : [finding]
  })
}

function findingOf({ certificate, kind, detail, happenedAt }: Doubt): Finding | undefined {
  if (!isDoubtKind(kind)) return undefined
  const who = certificate === '' ? 'A peer' : `The peer with certificate ${certificate}`
  return { ...DOUBTS[kind], sentence: `${who} was not believed at ${happenedAt}. ${detail}` }
}

function isDoubtKind(kind: string): kind is DoubtKind {
  return Object.hasOwn(DOUBTS, kind)
}
