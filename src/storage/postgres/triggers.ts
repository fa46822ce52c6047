import { type Kysely, sql } from 'kysely'
import type { CompiledModel } from '../../models/compiled.ts'
import type { TriggerText } from '../dialect.ts'
import { literal, quote } from '../rows.ts'
import { MIGRATION_MARK } from '../migration-mark.ts'
import { removedFromStore } from '../removed-from-store.ts'
import type { Schema } from '../schema.ts'

/**
 * The triggers that log the changes of a model's table, and one that refuses `truncate`, which fires none of them.
 * Each has its own statement as comment: the database gives definitions back in words of its own.
 */
export function triggers(model: CompiledModel): TriggerText[] {
  const log = (row: 'new' | 'old'): string =>
    `insert into morango_change_log (model_name, record_id, hard) values ` +
    `(${literal(model.name)}, ${model.id.read(`${row}.id`)}, 0);`
  return [
    rowTrigger(model, 'insert', log('new')),
    // A changed primary key is a deletion and a creation.
    rowTrigger(model, 'update', `if old.id <> new.id then ${log('old')} end if; ${log('new')}`),
    rowTrigger(model, 'delete', log('old')),
    refuseTruncate(model),
  ]
}

/**
 * The triggers of ours that fire, with what their comments say. A table that was renamed has taken its triggers along,
 * with comments that name it as it was.
 */
export async function installedTriggers(db: Kysely<Schema>): Promise<ReadonlyMap<string, string>> {
  const found = await sql<{ name: string; text: string | null }>`
    select t.tgname as name,
      case when position(' on "' || replace(c.relname, '"', '""') || '" ' in d.text) > 0 then d.text end
        as text
    from pg_catalog.pg_trigger t
    join pg_catalog.pg_class c on c.oid = t.tgrelid
    cross join lateral (select obj_description(t.oid, 'pg_trigger') as text) d
    where t.tgname like 'morango\\_%' and not t.tgisinternal and t.tgparentid = 0 and t.tgenabled in ('O', 'A')
      and pg_catalog.pg_table_is_visible(t.tgrelid)`.execute(db)
  const misplaced = found.rows.filter(({ text }) => text === null)
  return new Map([...found.rows, ...misplaced].map(({ name, text }) => [name, text ?? 'not as it should be']))
}

const REMOVED = 'morango_store_removed'

/** See `Dialect.noteRemovals`. */
export const noteRemovals: readonly string[] = [
  createFunction(
    REMOVED,
    `begin ${removedFromStore(`cast(cast('x' || substr(old.id, 1, 8) || substr(old.id, 26) as bit(60)) as bigint)`)}; return null; end`,
  ),
  `create trigger ${REMOVED} after delete on morango_store for each row execute function ${REMOVED}()`,
]

/** Drops a trigger of that name from every table: one that was renamed has taken it along. */
export function dropTrigger(name: string): string {
  const find = `select c.oid::regclass as owner from pg_catalog.pg_trigger t
    join pg_catalog.pg_class c on c.oid = t.tgrelid
    where t.tgname = ${literal(name)} and not t.tgisinternal and t.tgparentid = 0
      and pg_catalog.pg_table_is_visible(c.oid)`
  const body = `declare found record; begin for found in ${find} loop
    execute format('drop trigger %I on %s', ${literal(name)}, found.owner); end loop; end`
  return `do ${literal(body)}`
}

/** The columns of the tables, and the triggers of ours on them, as one short text. */
export async function schemaState(db: Kysely<Schema>, tables: readonly string[]): Promise<string> {
  const owners = sql`(select c.oid from pg_catalog.pg_class c
    where c.relname in (${sql.join(tables)}) and pg_catalog.pg_table_is_visible(c.oid))`
  const found = await sql<{ state: string }>`select md5(
      coalesce((select string_agg(concat_ws(' ', t.oid, t.tgrelid, t.tgenabled), ',' order by t.oid)
        from pg_catalog.pg_trigger t where t.tgrelid in ${owners} and t.tgname like 'morango\_%'), '')
      || coalesce((select string_agg(concat_ws(' ', a.attrelid, a.attname, a.atttypid, a.atttypmod), ','
          order by a.attrelid, a.attnum)
        from pg_catalog.pg_attribute a where a.attrelid in ${owners} and a.attnum > 0 and not a.attisdropped), '')
    ) || coalesce((select value from morango_meta where key = ${MIGRATION_MARK}), '') as state`.execute(db)
  return found.rows[0]?.state ?? ''
}

function rowTrigger(model: CompiledModel, event: 'insert' | 'update' | 'delete', body: string): TriggerText {
  return trigger(
    model,
    `morango_log_${model.name}_${event}`,
    `after ${event} on ${quote(model.table)} for each row ` +
      `when (current_setting('morango.tracking', true) is distinct from 'off')`,
    `begin ${body} return null; end`,
  )
}

function refuseTruncate(model: CompiledModel): TriggerText {
  const message = literal(`truncate would not be seen: delete the rows of ${quote(model.table)} instead`)
  const hint = literal('Morango logs changes by row triggers, which truncate does not fire.')
  return trigger(
    model,
    `morango_keep_${model.name}`,
    `before truncate on ${quote(model.table)} for each statement`,
    `begin raise exception using errcode = 'feature_not_supported', message = ${message}, hint = ${hint}; end`,
  )
}

function trigger(model: CompiledModel, name: string, when: string, body: string): TriggerText {
  const text = `trigger ${quote(name)} ${when} execute function ${quote(name)}() as ${body}`
  return {
    name,
    text,
    statements: [
      createFunction(name, body),
      `create trigger ${quote(name)} ${when} execute function ${quote(name)}()`,
      `comment on trigger ${quote(name)} on ${quote(model.table)} is ${literal(text)}`,
    ],
  }
}

// Its search path is fixed, temporary tables last: whatever an application writes with, its changes go to our log.
function createFunction(name: string, body: string): string {
  const text =
    `create or replace function ${quote(name)}() returns trigger language plpgsql ` +
    `set search_path to %I, pg_temp as %L`
  return `do ${literal(`begin execute format(${literal(text)}, current_schema(), ${literal(body)}); end`)}`
}
