import { statSync } from 'node:fs'
import { platform } from 'node:process'
import { type Kysely, sql } from 'kysely'
import type { Finding } from '../finding.ts'
import type { Schema } from '../schema.ts'

const GROUP = 0o060
const OTHERS = 0o006

/** Whether others than the owner can read or write a database that holds private keys, or the files beside it. */
export async function exposedKeys(db: Kysely<Schema>, path: string): Promise<Finding[]> {
  // Modes say nothing there.
  if (platform === 'win32') return []
  const open = [path, `${path}-wal`, `${path}-shm`].flatMap((file) => {
    const mode = statSync(file, { throwIfNoEntry: false })?.mode ?? 0
    return (mode & (GROUP | OTHERS)) === 0 ? [] : [{ file, mode }]
  })
  if (open.length === 0 || !(await holdsPrivateKeys(db))) return []
  const who = open.some(({ mode }) => (mode & OTHERS) !== 0) ? 'Every user' : 'The group of the file'
  return [
    {
      code: 'file-readable',
      severity: 'warning',
      sentence: `${who} of this machine can read or write the database, and so the private keys in it.`,
      mend: `Unless that is meant: chmod go-rwx ${open.map(({ file }) => shellWord(file)).join(' ')}`,
    },
  ]
}

async function holdsPrivateKeys(db: Kysely<Schema>): Promise<boolean> {
  const tables = await sql<{ name: string }>`select name from sqlite_master
    where type = 'table' and name in ('morango_certificate', 'morango_shared_key')`.execute(db)
  for (const { name } of tables.rows) {
    // oxlint-disable-next-line no-await-in-loop
    const found = await sql<{ n: number }>`select count(*) as n from (select 1 from ${sql.table(name)}
      where private_key is not null limit 1) x`.execute(db)
    if (Number(found.rows[0]?.n ?? 0) > 0) return true
  }
  return false
}

/** A path as a shell takes it for one word. */
function shellWord(text: string): string {
  return /^[\w./+:@%-]+$/u.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`
}
