import { statfsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { type Kysely, sql } from 'kysely'
import type { Finding } from '../finding.ts'
import type { Schema } from '../schema.ts'
import { exposedKeys } from './exposed-keys.ts'

const MEGABYTE = 1_000_000
const SCARCE = 100 * MEGABYTE
const LARGE_WAL = 200 * MEGABYTE

/** What of a SQLite database and its file would make syncing fail or go wrong. */
export async function sqliteHealth(db: Kysely<Schema>, tables: readonly string[]): Promise<Finding[]> {
  const files = await sql<{ name: string; file: string }>`pragma database_list`.execute(db)
  const path = files.rows.find(({ name }) => name === 'main')?.file ?? ''
  return [
    ...(await journal(db, path)),
    ...(await brokenReferences(db, tables)),
    ...(await evictable(db, tables)),
    ...(path === '' ? [] : [...fileFindings(path), ...(await exposedKeys(db, path))]),
  ]
}

async function journal(db: Kysely<Schema>, path: string): Promise<Finding[]> {
  const mode = await sql<{ journal_mode: string }>`pragma journal_mode`.execute(db)
  const found = mode.rows[0]?.journal_mode ?? ''
  if (path === '' || found === 'wal') return []
  return [
    {
      code: 'journal-mode',
      severity: 'warning',
      sentence: `The journal mode is "${found}": while one connection writes, nobody reads, and the other way round.`,
      mend: 'Give `sqlite()` a path, or run `pragma journal_mode = wal` once. Not on a network drive.',
    },
  ]
}

async function brokenReferences(db: Kysely<Schema>, tables: readonly string[]): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const table of tables) {
    const broken = await sql<{ parent: string; rows: number }>`
      select parent, count(*) as rows from pragma_foreign_key_check(${table}) group by parent order by parent`.execute(
      db,
    )
    for (const { parent, rows } of broken.rows) {
      findings.push({
        code: 'foreign-key-broken',
        severity: 'warning',
        sentence: `${rows} row(s) of "${table}" refer to rows of "${parent}" that are not there.`,
        mend: `See them with \`pragma foreign_key_check(${table})\`, and mend or delete them: peers cannot write them. Connections of the application need \`pragma foreign_keys = on\`.`,
      })
    }
  }
  return findings
}

/** Tables in which an `insert or replace` can evict another row by a key that our triggers do not look at. */
async function evictable(db: Kysely<Schema>, tables: readonly string[]): Promise<Finding[]> {
  const unique: string[] = []
  for (const table of tables) {
    const found = await sql<{ n: number }>`select count(*) as n from pragma_index_list(${table}) l
      where l."unique" = 1 and (l.partial = 1
        or exists (select 1 from pragma_index_info(l.name) c where c.name is null))`.execute(db)
    if (Number(found.rows[0]?.n ?? 0) > 0) unique.push(`"${table}"`)
  }
  if (unique.length === 0) return []
  return [
    {
      code: 'recursive-triggers',
      severity: 'note',
      sentence: `${unique.join(', ')} can lose a row to \`insert or replace\` by a partial unique index, or one on an expression, and no trigger sees that unless the connection has recursive triggers.`,
      mend: 'Where the application uses `insert or replace` there, have its connections run `pragma recursive_triggers = on`.',
    },
  ]
}

function fileFindings(path: string): Finding[] {
  const findings: Finding[] = []
  const { size } = statSync(path)
  const { bavail, bsize } = statfsSync(dirname(path))
  const free = bavail * bsize
  if (free < SCARCE) {
    findings.push({
      code: 'disk-full',
      severity: 'error',
      sentence: `The disk of the database has ${megabytes(free)} left.`,
      mend: 'Make room. A sync that finds the disk full fails, loses nothing, and goes on at the next one.',
    })
  } else if (free < size) {
    findings.push({
      code: 'disk-low',
      severity: 'warning',
      sentence: `The disk of the database has ${megabytes(free)} left, less than the database's own ${megabytes(size)}.`,
      mend: 'Make room before a first sync or a large one: it can double the database for a while.',
    })
  }
  const wal = statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0
  if (wal > LARGE_WAL) {
    findings.push({
      code: 'wal-large',
      severity: 'warning',
      sentence: `The write-ahead log beside the database has grown to ${megabytes(wal)}: a connection keeps an old read open.`,
      mend: 'Find the program that leaves a statement or a transaction open, and restart it.',
    })
  }
  return findings
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / MEGABYTE).toLocaleString('en-US')} MB`
}
