import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Filter } from '../core/filter.ts'
import type { Dialect } from './dialect.ts'
import type { Stamp } from './instance.ts'
import type { Schema } from './schema.ts'

/** After serializing: the own counter on the filter's prefixes, or on `""` without one (protocol §6). */
export async function claimOwn(
  db: Kysely<Schema>,
  dialect: Dialect,
  stamp: Stamp,
  filter: Filter | undefined,
): Promise<void> {
  for (const partition of filter ?? ['']) {
    await raiseClaim(db, dialect, { partition, instance: stamp.instance, counter: stamp.counter })
  }
}

async function raiseClaim(
  db: Kysely<Schema>,
  dialect: Dialect,
  { partition, instance, counter }: { partition: string; instance: string; counter: number },
): Promise<void> {
  await sql`insert into morango_database_max_counter (partition, instance_id, counter)
    values (${partition}, ${instance}, ${counter})
    on conflict (partition, instance_id) do update
    set counter = ${dialect.greatest(sql`morango_database_max_counter.counter`, sql`excluded.counter`)}`.execute(
    db,
  )
  await sql`insert into morango_claim (partition, instance_id, certificate_id, counter)
    values (${partition}, ${instance}, '', ${counter})
    on conflict (partition, instance_id, certificate_id) do update
    set counter = ${dialect.greatest(sql`morango_claim.counter`, sql`excluded.counter`)}`.execute(db)
}

/**
 * Before records get a new version of ours: their present last-saved pair goes into their record max counters,
 * and our own old entry leaves them, since the new last-saved pair stands for it. Touches the history of just
 * the records named.
 *
 * @param ids the records' ids as a JSON list.
 */
export async function keepHistory(
  trx: Kysely<Schema>,
  dialect: Dialect,
  ids: string,
  instance: string,
): Promise<void> {
  await sql`insert into morango_record_max_counter (store_id, instance_id, counter, partition)
    select s.id, s.last_saved_instance, s.last_saved_counter, s.partition
    from morango_store s
    where s.id in (select value from ${dialect.list(ids)}) and s.last_saved_instance <> ${instance}
    on conflict (store_id, instance_id) do update
    set counter = ${raiseHistory(dialect)}`.execute(trx)
  await sql`delete from morango_record_max_counter
    where instance_id = ${instance} and store_id in (select value from ${dialect.list(ids)})`.execute(trx)
}

/** `set counter =` for a conflict on a record max counter: the higher one stays. */
export function raiseHistory(dialect: Dialect): RawBuilder<number> {
  return dialect.greatest(sql`morango_record_max_counter.counter`, sql`excluded.counter`)
}
