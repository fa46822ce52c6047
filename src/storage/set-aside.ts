import { type Kysely, type RawBuilder, sql } from 'kysely'
import { MorangoError } from '../core/errors.ts'
import { decideMerge } from '../core/merge.ts'
import { MAX_SET_ASIDE } from '../core/limits.ts'
import { boundConflictingData } from '../core/conflicting-data.ts'
import type { BufferRecord, TransferContext } from '../session/ports.ts'
import type { Dialect } from './dialect.ts'
import { type IncomingRange, inRange } from './incoming.ts'
import { parseCounters } from './outgoing.ts'
import type { Schema, SetAsideReason } from './schema.ts'
import type { RecordRow } from './store-rows.ts'
import { peerCertificateId } from './transfer-peer.ts'

/** The reason that a record waits with whose id is that of another one here. */
export const ID_TAKEN = 'id-taken'

/** SQL condition: the buffered record `i` has the id of the Store's record `s`, and is another one (protocol §1). */
export const IS_ANOTHER: RawBuilder<boolean> = sql<boolean>`(s.partition <> i.partition
  or s.model_name <> i.model_name or s.source_id <> i.source_id)`

/**
 * Refuses a chunk that would have too many records set aside for its sender: of a model whose ids are source ids anyone
 * may send a record with the id of another one, and each takes room until somebody decides.
 *
 * @throws MorangoError `invalid-buffer`
 */
export async function requireRoomAside(
  trx: Kysely<Schema>,
  dialect: Dialect,
  transferSessionId: string,
  records: readonly BufferRecord[],
): Promise<void> {
  const ids = JSON.stringify(records.map((record) => record.model_uuid))
  const stored = await sql<{ id: string; partition: string; model: string; source: string }>`
    select id, partition, model_name as model, source_id as source from morango_store
    where id in (select value from ${dialect.list(ids)})`.execute(trx)
  const known = new Map(stored.rows.map((row) => [row.id, row]))
  const others = records.filter(({ model_uuid: id, partition, model_name: model, source_id: source }) => {
    const row = known.get(id)
    return row !== undefined && !(row.partition === partition && row.model === model && row.source === source)
  })
  if (others.length === 0) return
  const certificate = await peerCertificateId(trx, transferSessionId)
  const buffered = await sql<{ count: number }>`select
      (select count(*) from morango_set_aside where certificate_id = ${certificate ?? ''})
      + (select count(*) from morango_incoming i join morango_store s on s.id = i.id
        where i.transfer_session_id = ${transferSessionId} and ${IS_ANOTHER}) as count`.execute(trx)
  if (Number(buffered.rows[0]?.count ?? 0) + others.length <= MAX_SET_ASIDE) return
  const id = others[0]?.model_uuid ?? ''
  throw new MorangoError(
    'invalid-buffer',
    `Record ${id} is known here with another partition, source id or model, and ${MAX_SET_ASIDE} such records wait already.`,
    { details: { record: id } },
  )
}

/**
 * Takes the records of a range out of the Buffer whose ids are those of others here: the one that came first stays, and
 * the newcomer waits beside the Store for somebody to decide.
 *
 * @returns how many there were
 */
export async function setAsideMoved(
  trx: Kysely<Schema>,
  dialect: Dialect,
  { profile, transferSessionId }: TransferContext,
  range: IncomingRange,
  now: string,
): Promise<number> {
  const found = await sql<RecordRow>`select i.*, '' as profile from morango_incoming i
    join morango_store s on s.id = i.id where ${inRange(range)} and ${IS_ANOTHER}`.execute(trx)
  if (found.rows.length === 0) return 0
  const certificate = (await peerCertificateId(trx, transferSessionId)) ?? null
  for (const row of found.rows) {
    await keepAside(trx, { ...row, profile, last_transfer_session_id: transferSessionId }, ID_TAKEN, {
      certificate,
      now,
    })
  }
  const ids = JSON.stringify(found.rows.map(({ id }) => id))
  await sql`delete from morango_incoming where transfer_session_id = ${transferSessionId}
    and id in (select value from ${dialect.list(ids)})`.execute(trx)
  return found.rows.length
}

/** A record as it is set aside. */
export interface AsideRow extends RecordRow {
  readonly last_transfer_session_id: string | null
}

/** Sets a record aside; of versions of one record the later one is kept, with what it replaces beside it. */
export async function keepAside(
  trx: Kysely<Schema>,
  row: AsideRow,
  reason: SetAsideReason,
  { certificate, now }: { readonly certificate: string | null; readonly now: string },
): Promise<void> {
  const [known] = await readAside(trx, row.id, row)
  const decision = decideMerge(known === undefined ? undefined : versionOf(known), versionOf(row))
  if (decision === 'known') return
  // A hard deletion leaves nothing of the content.
  const hard = row.hard_deleted === 1 || (decision === 'conflict' && known?.hard_deleted === 1)
  const earlier = decision === 'conflict' ? `${known?.serialized}\n${known?.conflicting_serialized_data}` : ''
  const conflicting = hard ? '' : boundConflictingData(earlier + row.conflicting_serialized_data).kept
  const values = {
    serialized: hard ? '{}' : row.serialized,
    conflicting_serialized_data: conflicting,
    self_ref_fk: row.self_ref_fk,
    last_saved_instance: row.last_saved_instance,
    last_saved_counter: row.last_saved_counter,
    deleted: hard ? (1 as const) : row.deleted,
    hard_deleted: hard ? (1 as const) : row.hard_deleted,
    counters: row.counters,
    last_transfer_session_id: row.last_transfer_session_id,
    certificate_id: certificate,
    reason,
    last_failed_at: now,
  }
  const { id, profile, model_name, partition, source_id } = row
  await trx
    .insertInto('morango_set_aside')
    .values({ ...values, id, profile, model_name, partition, source_id, first_failed_at: now, tries: 1 })
    .onConflict((conflict) =>
      conflict
        .columns(['id', 'partition', 'model_name', 'source_id'])
        .doUpdateSet((eb) => ({ ...values, tries: eb('morango_set_aside.tries', '+', 1) })),
    )
    .execute()
}

/** The records set aside with an id; the one of a label when that is given. The first that came is the first. */
export async function readAside(
  trx: Kysely<Schema>,
  id: string,
  label?: Pick<RecordRow, 'partition' | 'model_name' | 'source_id'>,
): Promise<AsideRow[]> {
  let query = trx.selectFrom('morango_set_aside').selectAll().where('id', '=', id)
  if (label !== undefined) {
    query = query
      .where('partition', '=', label.partition)
      .where('model_name', '=', label.model_name)
      .where('source_id', '=', label.source_id)
  }
  return await query.orderBy('first_failed_at').orderBy('partition').execute()
}

/** Removes a record from those set aside. */
export async function dropAside(
  trx: Kysely<Schema>,
  { id, partition, model_name: model, source_id: source }: RecordRow,
): Promise<void> {
  await trx
    .deleteFrom('morango_set_aside')
    .where('id', '=', id)
    .where('partition', '=', partition)
    .where('model_name', '=', model)
    .where('source_id', '=', source)
    .execute()
}

function versionOf(row: RecordRow): Parameters<typeof decideMerge>[1] {
  return {
    lastSavedInstance: row.last_saved_instance,
    lastSavedCounter: Number(row.last_saved_counter),
    counters: row.counters === null ? {} : parseCounters(row.counters),
  }
}
