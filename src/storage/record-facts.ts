import { type Kysely, sql } from 'kysely'
import { isMorangoError } from '../core/errors.ts'
import { type CompiledModel, FieldError } from '../models/compiled.ts'
import { type Comparison, compareRow, readDefaults } from './compare-row.ts'
import type { Dialect } from './dialect.ts'
import { rowColumns } from './row-columns.ts'
import type { ConflictState, Flag, Schema } from './schema.ts'

/** Why a row or a record waits. */
export interface WaitFacts {
  readonly code: string
  readonly message: string
  readonly firstSeen: string | null
  readonly lastSeen: string | null
  readonly tries: number
}

/** What the Store has of a record, without its content. */
export interface StoreFacts {
  readonly profile: string
  readonly model: string
  readonly partition: string
  readonly instance: string
  readonly counter: number
  readonly deleted: boolean
  readonly hardDeleted: boolean
  /** How many contents were kept that lost a conflict. */
  readonly lostVersions: number
  /** Its conflicts that were settled here, as far as they are kept: those nobody has dealt with, and the others. */
  readonly conflicts: { readonly open: readonly number[]; readonly closed: number }
  /** The transfer that brought this version; null when it was made here. */
  readonly transferSessionId: string | null
}

/** A record in the Buffer of a transfer that is not over. */
export interface BufferFacts {
  readonly transferSessionId: string
  /** Its place in the order of sending, from 0; undefined for received ones. */
  readonly position: number | undefined
  readonly partition: string
}

/** Everything that one database knows of one record. */
export interface RecordFacts {
  readonly id: string
  readonly rowExists: boolean
  /** The partition that the row gives, or why it gives none. */
  readonly rowPartition: { readonly partition: string } | { readonly code: string; readonly message: string }
  /** What the row is to its record in the Store. */
  readonly comparison: Comparison | undefined
  /** Triggers of the table that are missing or not as they should be. */
  readonly missingTriggers: readonly string[]
  /** Whether a change of it waits to be serialized. */
  readonly changed: boolean
  readonly notSerialized: WaitFacts | undefined
  readonly store: StoreFacts | undefined
  /** Whether it waits to be applied, and why it could not be so far. */
  readonly waiting: { readonly problem: WaitFacts | undefined } | undefined
  readonly queued: readonly BufferFacts[]
  readonly received: readonly BufferFacts[]
}

/** Reads what is known of a record. Looks things up by the id alone, whatever the size of the database. */
export async function readRecordFacts(
  db: Kysely<Schema>,
  dialect: Dialect,
  model: CompiledModel,
  id: string,
): Promise<RecordFacts> {
  const row = await readRow(db, model, id)
  const stored = await db.selectFrom('morango_store').selectAll().where('id', '=', id).executeTakeFirst()
  const own = stored?.model_name === model.name ? stored : undefined
  const installed = await dialect.installedTriggers(db)
  const pending = await db
    .selectFrom('morango_pending')
    .selectAll()
    .where('model_name', '=', model.name)
    .where('record_id', '=', id)
    .executeTakeFirst()
  const dirty = await db
    .selectFrom('morango_dirty')
    .selectAll()
    .where('model_name', '=', model.name)
    .where('store_no', '=', own?.no ?? -1)
    .executeTakeFirst()
  return {
    id,
    rowExists: row !== undefined,
    rowPartition: partitionOf(model, row),
    comparison:
      row === undefined
        ? undefined
        : compareRow(
            model,
            row,
            own && {
              partition: own.partition,
              sourceId: own.source_id,
              serialized: own.serialized,
              deleted: own.deleted,
            },
            await readDefaults(db, model.columns),
          ),
    missingTriggers: dialect
      .triggers(model)
      .flatMap(({ name, text }) => (installed.get(name) === text ? [] : [name])),
    changed: pending !== undefined || (await isLogged(db, model, id)),
    notSerialized: waitOf(pending),
    store: own && {
      profile: own.profile,
      model: own.model_name,
      partition: own.partition,
      instance: own.last_saved_instance,
      counter: own.last_saved_counter,
      deleted: isSet(own.deleted),
      hardDeleted: isSet(own.hard_deleted),
      lostVersions: own.conflicting_serialized_data.split('\n').filter((text) => text !== '').length,
      conflicts: await readConflictsOf(db, id),
      transferSessionId: own.last_transfer_session_id,
    },
    waiting: dirty && { problem: waitOf(dirty) },
    queued: own === undefined ? [] : await readQueued(db, own.no, own.partition),
    received: await readReceived(db, model, id),
  }
}

async function readConflictsOf(db: Kysely<Schema>, id: string): Promise<StoreFacts['conflicts']> {
  const { rows } = await sql<{ no: number; state: ConflictState }>`select no, state from morango_conflict
    where record_id = ${id} order by no desc`.execute(db)
  const open = rows.filter(({ state }) => state === 'open').map(({ no }) => Number(no))
  return { open, closed: rows.length - open.length }
}

type Row = Readonly<Record<string, unknown>>

async function readRow(db: Kysely<Schema>, model: CompiledModel, id: string): Promise<Row | undefined> {
  // Cast on the row's side: what is asked about may not be an id.
  const result = await sql<Row>`select ${rowColumns(model)} from ${sql.id(model.table)} t
    where ${sql.raw(model.id.read('t.id'))} = ${id}`.execute(db)
  return result.rows[0]
}

function partitionOf(model: CompiledModel, row: Row | undefined): RecordFacts['rowPartition'] {
  if (row === undefined) return { code: 'no-row', message: 'There is no row.' }
  try {
    return { partition: model.identify(row).partition }
  } catch (error) {
    if (error instanceof FieldError || isMorangoError(error))
      return { code: error.code, message: error.message }
    const reason = error instanceof Error ? `: ${error.message}` : ''
    return { code: 'hook-failed', message: `A function of the model threw${reason}` }
  }
}

async function isLogged(db: Kysely<Schema>, model: CompiledModel, id: string): Promise<boolean> {
  const logged = await db
    .selectFrom('morango_change_log')
    .select('seq')
    .where('model_name', '=', model.name)
    .where('record_id', '=', id)
    .limit(1)
    .executeTakeFirst()
  return logged !== undefined
}

function waitOf(
  row:
    | {
        readonly error_code: string | null
        readonly error_message: string | null
        readonly first_failed_at: string | null
        readonly last_failed_at: string | null
        readonly tries: number
      }
    | undefined,
): WaitFacts | undefined {
  if (row === undefined || row.error_code === null) return undefined
  return {
    code: row.error_code,
    message: row.error_message ?? '',
    firstSeen: row.first_failed_at,
    lastSeen: row.last_failed_at,
    tries: row.tries,
  }
}

async function readQueued(db: Kysely<Schema>, storeNo: number, partition: string): Promise<BufferFacts[]> {
  const rows = await db
    .selectFrom('morango_outgoing')
    .select(['transfer_session_id', 'position'])
    .where('store_no', '=', storeNo)
    .execute()
  return rows.map(({ transfer_session_id: transferSessionId, position }) => ({
    transferSessionId,
    position: position - 1,
    partition,
  }))
}

async function readReceived(db: Kysely<Schema>, model: CompiledModel, id: string): Promise<BufferFacts[]> {
  const active = db.selectFrom('morango_transfer_session').select('id').where('active', '=', 1)
  const rows = await db
    .selectFrom('morango_incoming')
    .select(['transfer_session_id', 'partition'])
    .where('transfer_session_id', 'in', active)
    .where('id', '=', id)
    .where('model_name', '=', model.name)
    .execute()
  return rows.map(({ transfer_session_id: transferSessionId, partition }) => ({
    transferSessionId,
    position: undefined,
    partition,
  }))
}

function isSet(flag: Flag): boolean {
  return flag === 1
}
