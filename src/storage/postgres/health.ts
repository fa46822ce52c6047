import { type Kysely, sql } from 'kysely'
import type { Finding } from '../finding.ts'
import type { Schema } from '../schema.ts'

interface Facts {
  readonly standby: boolean
  readonly read_only: string
  readonly replica_role: string
  readonly most: number
  readonly used: number
  readonly oldest_minutes: number
}

const LONG_TRANSACTION_MINUTES = 30
/** A process of ours opens so many, unless it is told otherwise. */
const POOL = 10

/** What of a PostgreSQL server and its settings would make syncing fail or go wrong. */
export async function postgresHealth(db: Kysely<Schema>, tables: readonly string[]): Promise<Finding[]> {
  return [...(await settings(db)), ...(await unchecked(db, tables))]
}

async function settings(db: Kysely<Schema>): Promise<Finding[]> {
  const found = await sql<Facts>`select pg_is_in_recovery() as standby,
    current_setting('default_transaction_read_only') as read_only,
    current_setting('session_replication_role') as replica_role,
    cast(current_setting('max_connections') as integer)
      - cast(current_setting('superuser_reserved_connections') as integer) as most,
    (select count(*) from pg_catalog.pg_stat_activity where backend_type = 'client backend') as used,
    (select coalesce(max(extract(epoch from clock_timestamp() - xact_start) / 60), 0)
      from pg_catalog.pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()) as oldest_minutes`.execute(db)
  const facts = found.rows[0]
  if (facts === undefined) return []
  const findings: Finding[] = []
  if (facts.standby || facts.read_only === 'on') {
    findings.push({
      code: 'database-read-only',
      severity: 'error',
      sentence: facts.standby
        ? 'The server is a standby, which takes no writes.'
        : 'Transactions of this user are read-only by default.',
      mend: facts.standby
        ? 'Connect to the primary: even reading a status writes.'
        : 'Set default_transaction_read_only to off for this user or database.',
    })
  }
  if (facts.replica_role !== 'origin') {
    findings.push({
      code: 'triggers-off',
      severity: 'error',
      sentence: `session_replication_role is "${facts.replica_role}" by default: triggers do not fire, and changes are not seen.`,
      mend: "Reset it: alter role … reset session_replication_role. Then compare tables with peers' for what was missed.",
    })
  }
  const free = Number(facts.most) - Number(facts.used)
  if (free < POOL) {
    findings.push({
      code: 'connections-few',
      severity: 'warning',
      sentence: `Of ${facts.most} connections of the server ${facts.used} are in use. A process of ours takes up to ${POOL}.`,
      mend: 'Raise max_connections, end what is idle, or give `postgres()` a smaller maxConnections.',
    })
  }
  const minutes = Math.round(Number(facts.oldest_minutes))
  if (minutes >= LONG_TRANSACTION_MINUTES) {
    findings.push({
      code: 'transaction-long',
      severity: 'warning',
      sentence: `A transaction in this database has been open for ${minutes} minutes: buffers that are emptied stay on the disk.`,
      mend: 'Find it in pg_stat_activity and end it; set idle_in_transaction_session_timeout.',
    })
  }
  return findings
}

/** Foreign keys that PostgreSQL was told to believe. */
async function unchecked(db: Kysely<Schema>, tables: readonly string[]): Promise<Finding[]> {
  if (tables.length === 0) return []
  const found = await sql<{ table: string; name: string }>`
    select c.relname as table, k.conname as name
    from pg_catalog.pg_constraint k join pg_catalog.pg_class c on c.oid = k.conrelid
    where k.contype = 'f' and not k.convalidated and pg_catalog.pg_table_is_visible(c.oid)
      and c.relname in (${sql.join(tables)}) order by 1, 2`.execute(db)
  return found.rows.map(({ table, name }) => ({
    code: 'foreign-key-unchecked',
    severity: 'warning',
    sentence: `The foreign key "${name}" of "${table}" was never checked: rows may refer to what is not there.`,
    mend: `Run \`alter table ${table} validate constraint ${name}\`, and mend what it complains of.`,
  }))
}
