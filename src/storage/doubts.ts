import { type Kysely, sql } from 'kysely'
import type { Dialect } from './dialect.ts'
import type { Schema } from './schema.ts'

/**
 * What was not believed: `claim-about-us`, a counter of this instance that it has not stamped; `renewal-needed`, the
 * same from a peer that may be right; `forged-history`, a record with such a counter in its history;
 * `claims-differ`, claims that cover each other over sums that differ.
 */
export type DoubtKind = 'claim-about-us' | 'renewal-needed' | 'forged-history' | 'claims-differ'

/** Something that a peer said and that was not believed. */
export interface Doubt {
  /** The peer's certificate; empty when it is not known. */
  readonly certificate: string
  readonly kind: string
  readonly detail: string
  readonly happenedAt: string
}

/** Keeps the last doubt of each kind about a certificate, so that nobody can fill the table. */
export async function noteDoubt(
  db: Kysely<Schema>,
  doubt: Doubt & { readonly kind: DoubtKind },
): Promise<void> {
  const { certificate: certificate_id, kind, detail, happenedAt: happened_at } = doubt
  await db
    .insertInto('morango_doubt')
    .values({ certificate_id, kind, detail, happened_at })
    .onConflict((conflict) =>
      conflict.columns(['certificate_id', 'kind']).doUpdateSet({ detail, happened_at }),
    )
    .execute()
}

/** All doubts, the latest first. */
export async function readDoubts(db: Kysely<Schema>): Promise<Doubt[]> {
  const rows = await db.selectFrom('morango_doubt').selectAll().orderBy('happened_at', 'desc').execute()
  return rows.map(({ certificate_id, kind, detail, happened_at }) => ({
    certificate: certificate_id,
    kind,
    detail,
    happenedAt: happened_at,
  }))
}

/** Forgets the doubts of some kinds, whoever caused them. */
export async function settleDoubts(db: Kysely<Schema>, kinds: readonly DoubtKind[]): Promise<void> {
  await db.deleteFrom('morango_doubt').where('kind', 'in', kinds).execute()
}

/** Forgets the doubts about certificates. */
export async function forgetDoubts(
  db: Kysely<Schema>,
  dialect: Dialect,
  certificateIds: readonly string[],
): Promise<void> {
  await sql`delete from morango_doubt
    where certificate_id in (select value from ${dialect.list(JSON.stringify(certificateIds))})`.execute(db)
}

/** Forgets doubts from before a time. */
export async function purgeDoubts(db: Kysely<Schema>, before: string): Promise<void> {
  await db.deleteFrom('morango_doubt').where('happened_at', '<', before).execute()
}
