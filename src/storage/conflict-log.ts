import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { SqlValue } from '../models/compiled.ts'
import type { Dialect } from './dialect.ts'
import { insertRows } from './rows.ts'
import type { Schema } from './schema.ts'
import { peerCertificateId } from './transfer-peer.ts'

/**
 * What became of a conflict: our content was kept; the model's `merge` made one of both; a deletion won over an edit;
 * or a row was edited before a received version of it could be applied, and the edit was kept.
 */
export type Resolution = 'ours-kept' | 'merged' | 'deletion-won' | 'edit-kept'

/** One of the two versions that met. */
export interface ConflictVersion {
  readonly instance: string
  readonly counter: number
  readonly serialized: string
  readonly deleted: boolean
}

/** A conflict as it happens. */
export interface NewConflict {
  readonly profile: string
  readonly model: string
  readonly recordId: string
  readonly partition: string
  readonly resolution: Resolution
  readonly ours: ConflictVersion
  readonly theirs: ConflictVersion
  /** The content that the record has now. */
  readonly result: string
  readonly transferSessionId: string | null
  /** Whether it was merged by policies that cover all of it: then it is kept, and nobody need look at it. */
  readonly settled?: boolean
}

const COLUMNS = [
  'profile',
  'model_name',
  'record_id',
  'partition',
  'resolution',
  'our_instance',
  'our_counter',
  'our_serialized',
  'our_deleted',
  'their_instance',
  'their_counter',
  'their_serialized',
  'their_deleted',
  'result',
  'transfer_session_id',
  'certificate_id',
  'state',
  'settled_at',
] as const

const TYPES = {
  our_counter: 'integer',
  our_deleted: 'integer',
  their_counter: 'integer',
  their_deleted: 'integer',
}

/**
 * Keeps conflicts as data, with the certificate of the peer that brought theirs, for transfers are forgotten some day.
 * Those in which nothing was lost, because both sides have the same, are left out.
 */
export async function noteConflicts(
  trx: Kysely<Schema>,
  dialect: Dialect,
  conflicts: readonly NewConflict[],
  now: string,
): Promise<void> {
  const lossy = conflicts.filter(losesSomething)
  const certificates = new Map<string, string>()
  for (const transfer of new Set(lossy.flatMap(({ transferSessionId }) => transferSessionId ?? []))) {
    const certificate = await peerCertificateId(trx, transfer)
    if (certificate !== undefined) certificates.set(transfer, certificate)
  }
  const rows = lossy.map((conflict): SqlValue[] => {
    const { ours, theirs, transferSessionId } = conflict
    return [
      conflict.profile,
      conflict.model,
      conflict.recordId,
      conflict.partition,
      conflict.resolution,
      ours.instance,
      ours.counter,
      ours.serialized,
      ours.deleted ? 1 : 0,
      theirs.instance,
      theirs.counter,
      theirs.serialized,
      theirs.deleted ? 1 : 0,
      conflict.result,
      transferSessionId,
      certificates.get(transferSessionId ?? '') ?? null,
      conflict.settled === true ? 'dismissed' : 'open',
      conflict.settled === true ? now : null,
    ]
  })
  const constants = { told: 0, happened_at: now }
  await insertRows(
    trx,
    dialect,
    { table: 'morango_conflict', columns: COLUMNS, types: TYPES, constants },
    rows,
  )
}

/** A version that lost a conflict earlier, and for which its record has no room any more. */
export interface DroppedVersion {
  readonly profile: string
  readonly model: string
  readonly recordId: string
  readonly partition: string
  readonly serialized: string
  /** The content that the record has now. */
  readonly result: string
  readonly stamp: { readonly instance: string; readonly counter: number }
  readonly transferSessionId: string | null
}

/** Keeps such versions as conflicts, those left out that are there already. Who made them is not known any more. */
export async function noteDropped(
  trx: Kysely<Schema>,
  dialect: Dialect,
  versions: readonly DroppedVersion[],
  now: string,
): Promise<void> {
  if (versions.length === 0) return
  const ids = JSON.stringify([...new Set(versions.map(({ recordId }) => recordId))])
  const known = await sql<{ id: string; ours: string; theirs: string }>`
    select record_id as id, our_serialized as ours, their_serialized as theirs from morango_conflict
    where record_id in (select value from ${dialect.list(ids)})`.execute(trx)
  const seen = new Set(known.rows.flatMap(({ id, ours, theirs }) => [id + ours, id + theirs]))
  const conflicts = versions.flatMap(({ stamp, serialized, ...about }): NewConflict[] => {
    const key = about.recordId + serialized
    if (seen.has(key)) return []
    seen.add(key)
    const theirs = { instance: '', counter: 0, serialized, deleted: false }
    const ours = { ...stamp, serialized: about.result, deleted: false }
    return [{ ...about, resolution: 'ours-kept', ours, theirs }]
  })
  await noteConflicts(trx, dialect, conflicts, now)
}

function losesSomething({ ours, theirs }: NewConflict): boolean {
  if (ours.deleted && theirs.deleted) return false
  return ours.deleted !== theirs.deleted || ours.serialized !== theirs.serialized
}

/**
 * After records were deleted hard: nothing of their content may be left here either.
 *
 * @param ids select statement that gives their ids
 */
export async function forgetConflicts(trx: Kysely<Schema>, ids: RawBuilder<unknown>): Promise<void> {
  const any = await sql`select 1 from morango_conflict limit 1`.execute(trx)
  if (any.rows.length === 0) return
  await sql`delete from morango_conflict where record_id in (${ids})`.execute(trx)
}

/** Conflicts that were settled before then go. @returns how many */
export async function purgeConflicts(db: Kysely<Schema>, before: string): Promise<number> {
  const result = await sql`delete from morango_conflict
    where state <> 'open' and settled_at < ${before}`.execute(db)
  return Number(result.numAffectedRows ?? 0n)
}
