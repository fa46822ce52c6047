import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Dialect } from './dialect.ts'
import { partitionUnder } from './ranges.ts'
import type { Schema } from './schema.ts'

/** What this database takes for granted: it has everything under a partition that an instance saved up to a counter. */
export interface TaughtClaim {
  readonly partition: string
  readonly instance: string
  readonly counter: number
  /** The peer's certificate that taught it; undefined for what this database knew by itself, or before. */
  readonly certificate: string | undefined
  /** Whether it counts: no other teacher of the pair has taught more. */
  readonly effective: boolean
}

/** Which claims are meant. */
export interface ClaimQuery {
  /** Those on partitions that begin so. */
  readonly partition?: string | undefined
  readonly instance?: string | undefined
  /** Those taught by this certificate. */
  readonly certificate?: string | undefined
  /** At most so many; 1,000. */
  readonly limit?: number | undefined
}

const MOST = 1000

/** Claims by partition, instance and teacher. */
export async function readTaughtClaims(db: Kysely<Schema>, query: ClaimQuery = {}): Promise<TaughtClaim[]> {
  const { partition, instance, certificate, limit = MOST } = query
  const conditions = [
    sql<boolean>`1 = 1`,
    ...(partition === undefined ? [] : [partitionUnder(sql`c.partition`, partition)]),
    ...(instance === undefined ? [] : [sql<boolean>`c.instance_id = ${instance}`]),
    ...(certificate === undefined ? [] : [sql<boolean>`c.certificate_id = ${certificate}`]),
  ]
  const result = await sql<{
    partition: string
    instance: string
    certificate: string
    counter: number
    effective: number
  }>`select c.partition, c.instance_id as instance, c.certificate_id as certificate, c.counter,
      case when d.counter <= c.counter then 1 else 0 end as effective
    from morango_claim c left join morango_database_max_counter d
      on d.partition = c.partition and d.instance_id = c.instance_id
    where ${sql.join(conditions, sql` and `)}
    order by c.partition, c.instance_id, c.counter desc, c.certificate_id limit ${limit}`.execute(db)
  return result.rows.map((row) => ({
    partition: row.partition,
    instance: row.instance,
    counter: row.counter,
    certificate: row.certificate === '' ? undefined : row.certificate,
    effective: Number(row.effective) === 1,
  }))
}

/** A certificate and all those below it that are known here. */
export async function certificateFamily(db: Kysely<Schema>, id: string): Promise<string[]> {
  const result = await sql<{ id: string }>`
    with recursive family (id) as (
      select id from morango_certificate where id = ${id}
      union
      select child.id from morango_certificate child join family on child.parent_id = family.id
    )
    select id from family`.execute(db)
  // One that is not known any more may have taught something all the same.
  return [...new Set([id, ...result.rows.map((row) => row.id)])]
}

/**
 * Takes back what certificates taught: each database max counter falls to the highest claim that is left, or goes. The
 * next transfer asks again for what lies above.
 *
 * @returns how many claims were forgotten
 */
export async function forgetTaught(
  trx: Kysely<Schema>,
  dialect: Dialect,
  certificateIds: readonly string[],
): Promise<number> {
  const list = JSON.stringify(certificateIds.filter((id) => id !== ''))
  return await forgetClaims(trx, sql<boolean>`c.certificate_id in (select value from ${dialect.list(list)})`)
}

/** {@link forgetTaught} for the claims `c` that a condition names. */
export async function forgetClaims(trx: Kysely<Schema>, condition: RawBuilder<boolean>): Promise<number> {
  const pair = sql`c.partition = d.partition and c.instance_id = d.instance_id`
  const left = sql`(select max(c.counter) from morango_claim c where ${pair} and not (${condition}))`
  const touched = sql`exists (select 1 from morango_claim c where ${pair} and ${condition})`
  await sql`update morango_database_max_counter as d set counter = ${left}
    where ${touched} and ${left} is not null`.execute(trx)
  await sql`delete from morango_database_max_counter as d where ${touched} and ${left} is null`.execute(trx)
  const gone = await sql`delete from morango_claim as c where ${condition}`.execute(trx)
  return Number(gone.numAffectedRows ?? 0n)
}
