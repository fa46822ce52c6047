import { type Kysely, type RawBuilder, sql } from 'kysely'
import { isContentField } from '../core/content-field.ts'
import { MorangoError } from '../core/errors.ts'
import { readableValues } from '../core/python-json.ts'
import type { Resolution } from './conflict-log.ts'
import type { ConflictState, Flag, Schema } from './schema.ts'

/** Two versions of a record that met, and what became of them. The contents are in {@link ConflictDetails}. */
export interface Conflict {
  readonly id: number
  readonly profile: string
  readonly model: string
  readonly recordId: string
  readonly partition: string
  readonly happenedAt: string
  readonly resolution: Resolution
  /** The side whose content was given up; undefined when it was merged from both. */
  readonly lost: 'ours' | 'theirs' | undefined
  readonly ours: ConflictSide
  readonly theirs: ConflictSide
  /** The transfer that brought theirs; undefined for what had waited here. */
  readonly transferSessionId: string | undefined
  /** The certificate of the peer that brought theirs; undefined where it is not known. */
  readonly certificateId: string | undefined
  readonly state: ConflictState
  readonly settledAt: string | undefined
}

/** A version by the instance that saved it and that instance's counter. */
export interface ConflictSide {
  readonly instance: string
  readonly counter: number
  readonly deleted: boolean
}

/** One field of a conflict. Values are JSON texts, exact as they are stored; undefined: the field is not there. */
export interface ConflictField {
  readonly field: string
  readonly ours: string | undefined
  readonly theirs: string | undefined
  readonly result: string | undefined
  readonly differs: boolean
}

/** A conflict with both contents. */
export interface ConflictDetails extends Conflict {
  /** Field by field, in the order of ours; the record's identity is left out. */
  readonly fields: readonly ConflictField[]
}

/** Which conflicts are meant. */
export interface ConflictQuery {
  readonly model?: string | undefined
  readonly recordId?: string | undefined
  /** Default: `open`. */
  readonly state?: ConflictState | 'all' | undefined
  /** At most so many; 1,000. */
  readonly limit?: number | undefined
  /** Only those with a lower id: the next page. */
  readonly before?: number | undefined
}

/** A conflict as it is stored. */
export interface ConflictRow {
  readonly no: number
  readonly profile: string
  readonly model_name: string
  readonly record_id: string
  readonly partition: string
  readonly resolution: Resolution
  readonly our_instance: string
  readonly our_counter: number
  readonly our_serialized: string
  readonly our_deleted: Flag
  readonly their_instance: string
  readonly their_counter: number
  readonly their_serialized: string
  readonly their_deleted: Flag
  readonly result: string
  readonly transfer_session_id: string | null
  readonly certificate_id: string | null
  readonly state: ConflictState
  readonly happened_at: string
  readonly settled_at: string | null
}

const MOST = 1000
const SUMMARY = sql.raw(`no, profile, model_name, record_id, partition, resolution, our_instance, our_counter,
  our_deleted, their_instance, their_counter, their_deleted, transfer_session_id,
  certificate_id, state, happened_at, settled_at`)

/** Conflicts, the latest first. */
export async function readConflicts(db: Kysely<Schema>, query: ConflictQuery = {}): Promise<Conflict[]> {
  const { limit = MOST } = query
  const result = await sql<ConflictRow>`select ${SUMMARY} from morango_conflict
    where ${conditionOf(query)} order by no desc limit ${limit}`.execute(db)
  return result.rows.map(toConflict)
}

/** How many conflicts there are. */
export async function countConflicts(db: Kysely<Schema>, query: ConflictQuery = {}): Promise<number> {
  const result = await sql<{ count: number }>`select count(*) as count from morango_conflict
    where ${conditionOf(query)}`.execute(db)
  return Number(result.rows[0]?.count ?? 0)
}

/** One conflict, with both contents. @throws MorangoError `unknown-conflict` */
export async function readConflict(db: Kysely<Schema>, id: number): Promise<ConflictDetails> {
  const row = await readConflictRow(db, id)
  const [ours, theirs, result] = [row.our_serialized, row.their_serialized, row.result].map(readableValues)
  const names = new Set([ours, theirs, result].flatMap((fields) => [...(fields?.keys() ?? [])]))
  const fields = [...names].filter(isContentField).map((field): ConflictField => {
    const sides = { ours: ours?.get(field), theirs: theirs?.get(field), result: result?.get(field) }
    return { field, ...sides, differs: sides.ours !== sides.theirs || sides.ours !== sides.result }
  })
  return { ...toConflict(row), fields }
}

/** One conflict as it is stored. @throws MorangoError `unknown-conflict` */
export async function readConflictRow(db: Kysely<Schema>, id: number): Promise<ConflictRow> {
  const result = await sql<ConflictRow>`select * from morango_conflict where no = ${id}`.execute(db)
  const row = result.rows[0]
  if (row !== undefined) return row
  throw new MorangoError('unknown-conflict', `There is no conflict ${id}.`, {
    hint: 'List those there are with `morango conflicts --state all`; a hard deletion removes those of its record.',
  })
}

/** Notes that a conflict was dealt with. */
export async function settleConflict(
  db: Kysely<Schema>,
  id: number,
  state: Exclude<ConflictState, 'open'>,
  now: string,
): Promise<void> {
  await sql`update morango_conflict set state = ${state}, settled_at = ${now} where no = ${id}`.execute(db)
}

/** Notes that open conflicts need no more attention. @returns how many there were */
export async function dismissConflicts(
  db: Kysely<Schema>,
  query: Omit<ConflictQuery, 'state' | 'limit'>,
  now: string,
): Promise<number> {
  const result = await sql`update morango_conflict set state = 'dismissed', settled_at = ${now}
    where ${conditionOf({ ...query, state: 'open' })}`.execute(db)
  return Number(result.numAffectedRows ?? 0n)
}

/** A stored conflict as it is shown. */
export function toConflict(row: ConflictRow): Conflict {
  return {
    id: row.no,
    profile: row.profile,
    model: row.model_name,
    recordId: row.record_id,
    partition: row.partition,
    happenedAt: row.happened_at,
    resolution: row.resolution,
    lost: lostSide(row),
    ours: { instance: row.our_instance, counter: row.our_counter, deleted: row.our_deleted === 1 },
    theirs: { instance: row.their_instance, counter: row.their_counter, deleted: row.their_deleted === 1 },
    transferSessionId: row.transfer_session_id ?? undefined,
    certificateId: row.certificate_id ?? undefined,
    state: row.state,
    settledAt: row.settled_at ?? undefined,
  }
}

function lostSide({ resolution, our_deleted: ourDeleted }: ConflictRow): Conflict['lost'] {
  if (resolution === 'merged') return undefined
  return resolution === 'deletion-won' && ourDeleted === 0 ? 'ours' : 'theirs'
}

function conditionOf({ model, recordId, state = 'open', before }: ConflictQuery): RawBuilder<boolean> {
  const conditions = [
    ...(state === 'all' ? [] : [sql`state = ${state}`]),
    ...(model === undefined ? [] : [sql`model_name = ${model}`]),
    ...(recordId === undefined ? [] : [sql`record_id = ${recordId}`]),
    ...(before === undefined ? [] : [sql`no < ${before}`]),
  ]
  return conditions.length === 0 ? sql<boolean>`1 = 1` : sql<boolean>`${sql.join(conditions, sql` and `)}`
}
