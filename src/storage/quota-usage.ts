import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { DatabaseClock } from './database-clock.ts'
import { isLeased } from './lease-conditions.ts'
import type { Schema } from './schema.ts'

/** On whose allowances something is. */
export interface Owner {
  /** The client's certificate. */
  readonly certificate: string
  /** The first certificate in the client's chain that is not in the server's. */
  readonly branch: string
  readonly network: string
}

/** How much is in use: by each that it is on the allowance of, and by everybody. */
export interface Usage {
  readonly certificate: number
  readonly branch: number
  readonly network: number
  readonly all: number
}

/** How many sync sessions are served now. */
export async function sessionUsage(db: Kysely<Schema>, owner: Owner): Promise<Usage> {
  const one = sql<number>`1`
  const { rows } = await sql<Record<keyof Usage, number | null>>`select ${shares(owner, one, '')}
    from morango_sync_session s where s.active = 1 and s.is_server = 1`.execute(db)
  return usageOf(rows[0], '')
}

/** What is in the Buffers of transfers that are served now: what came by a push, and what waits to be pulled. */
export async function bufferUsage(
  db: Kysely<Schema>,
  owner: Owner,
): Promise<{ readonly records: Usage; readonly bytes: Usage }> {
  const records = sql<number>`case when t.push = 1 then t.records_transferred else coalesce(t.records_total, 0) end`
  const { rows } = await sql<Record<string, number | null>>`
    select ${shares(owner, records, 'records_')}, ${shares(owner, sql<number>`t.buffered_bytes`, 'bytes_')}
    from morango_sync_session s join morango_transfer_session t on t.sync_session_id = s.id and t.active = 1
    where s.active = 1 and s.is_server = 1`.execute(db)
  return { records: usageOf(rows[0], 'records_'), bytes: usageOf(rows[0], 'bytes_') }
}

/** The branch with the most sync sessions served now. */
export async function largestBranch(
  db: Kysely<Schema>,
): Promise<{ readonly branch: string; readonly sessions: number } | undefined> {
  const { rows } = await sql<{ branch: string; sessions: number }>`
    select s.client_branch as branch, count(*) as sessions from morango_sync_session s
    where s.active = 1 and s.is_server = 1
    group by s.client_branch order by count(*) desc, s.client_branch limit 1`.execute(db)
  const [row] = rows
  return row === undefined ? undefined : { branch: row.branch, sessions: Number(row.sessions) }
}

/** A session that could be closed for another of the same owner. */
export interface RestingSession {
  readonly id: string
  readonly lastActivityAt: string
}

/**
 * Sync sessions served of one certificate or of one branch, in which no stage is run now, the one without activity for
 * the longest time first.
 */
export async function restingSessions(
  db: Kysely<Schema>,
  of: { readonly certificate: string } | { readonly branch: string },
  now: DatabaseClock,
  limit: number,
): Promise<RestingSession[]> {
  const own =
    'certificate' in of
      ? sql`s.client_certificate_id = ${of.certificate}`
      : sql`s.client_branch = ${of.branch}`
  const { rows } = await sql<RestingSession>`
    select s.id, coalesce((select max(t.last_activity_at) from morango_transfer_session t
      where t.sync_session_id = s.id and t.last_activity_at > s.last_activity_at), s.last_activity_at) as "lastActivityAt"
    from morango_sync_session s
    where s.active = 1 and s.is_server = 1 and ${own} and not exists (
      select 1 from morango_transfer_session t
      where t.sync_session_id = s.id and t.active = 1 and ${isLeased(sql`t.lease_holder`, now)})
    order by 2 limit ${limit}`.execute(db)
  return rows
}

/** How many certificates are kept that one has signed; as many as `most` are counted. */
export async function countSigned(db: Kysely<Schema>, parentId: string, most: number): Promise<number> {
  const { rows } = await sql<{ n: number }>`select count(*) as n from (
    select 1 from morango_certificate where parent_id = ${parentId} limit ${most}) x`.execute(db)
  return Number(rows[0]?.n ?? 0)
}

/** How many certificates are kept below one, at any depth; as many as `most` are counted. */
export async function countFamily(db: Kysely<Schema>, id: string, most: number): Promise<number> {
  const { rows } = await sql<{ n: number }>`
    with recursive family (id) as (
      select id from morango_certificate where parent_id = ${id}
      union
      select child.id from morango_certificate child join family on child.parent_id = family.id
    )
    select count(*) as n from (select 1 from family limit ${most}) x`.execute(db)
  return Number(rows[0]?.n ?? 0)
}

/** Those of the certificates that are known, each with whether its private key is here. */
export async function keysOfCertificates(
  db: Kysely<Schema>,
  ids: readonly string[],
): Promise<ReadonlyMap<string, boolean>> {
  const { rows } = await sql<{ id: string; held: number }>`
    select id, case when private_key is null then 0 else 1 end as held from morango_certificate
    where id in (${sql.join(ids)})`.execute(db)
  return new Map(rows.map(({ id, held }) => [id, Number(held) === 1]))
}

/** How many transfers a sync session has had. */
export async function countTransfers(db: Kysely<Schema>, syncSessionId: string): Promise<number> {
  const { rows } = await sql<{ n: number }>`select count(*) as n from morango_transfer_session
    where sync_session_id = ${syncSessionId}`.execute(db)
  return Number(rows[0]?.n ?? 0)
}

function shares(
  { certificate, branch, network }: Owner,
  amount: RawBuilder<number>,
  prefix: string,
): RawBuilder<unknown> {
  return sql`
    sum(case when s.client_certificate_id = ${certificate} then ${amount} else 0 end) as ${sql.ref(`${prefix}certificate`)},
    sum(case when s.client_branch = ${branch} then ${amount} else 0 end) as ${sql.ref(`${prefix}branch`)},
    sum(case when s.client_network = ${network} then ${amount} else 0 end) as ${sql.ref(`${prefix}network`)},
    sum(${amount}) as ${sql.ref(`${prefix}all`)}`
}

function usageOf(row: Readonly<Record<string, number | null>> | undefined, prefix: string): Usage {
  const of = (name: string): number => Number(row?.[prefix + name] ?? 0)
  return { certificate: of('certificate'), branch: of('branch'), network: of('network'), all: of('all') }
}
