import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Filter } from '../core/filter.ts'
import type { QueueRange, ReadonlyPartitionCounters } from '../core/fsic.ts'
import { claimsUnder, ownClaimsUnder } from '../core/fsic-claims.ts'
import { queueDiffV2 } from '../core/fsic-queue.ts'
import { parseFsicV1, UNLIMITED } from '../core/fsic-text.ts'
import { queueDiffV1 } from '../core/fsic-v1.ts'
import { DEFAULT_MAX_RECORD_BYTES } from '../core/limits.ts'
import type { FsicFormat, PeerStanding, TransferContext } from '../session/ports.ts'
import type { EngineContext } from './context.ts'
import { readFsic } from './fsic.ts'
import { currentInstance } from './instance.ts'
import { partitionUnder } from './ranges.ts'
import { heedClaimsAboutUs } from './restored.ts'
import { deleteTransferRows } from './rows.ts'
import type { Schema } from './schema.ts'
import { noteGrowth } from './statistics.ts'
import type { Turn } from './turn.ts'
import { WITHHELD } from './withheld.ts'

const SIZE = sql`(octet_length(s.serialized) + octet_length(s.conflicting_serialized_data))`

// Far below every database's limits on parameters and on the depth of an expression.
const RANGES_A_STATEMENT = 100

/**
 * Fills the outgoing Buffer with what the receiver lacks (protocol §6). What an interrupted attempt left is
 * replaced. The Buffer names the records; their contents stay in the Store, or in snapshots once they change.
 *
 * @returns how many records were queued, and the own FSIC by which they were chosen. It is made here, and not
 *   when the transfer was serialized: a record that another transfer has replaced since by a version that the
 *   older FSIC does not know would be left out, and the receiver would still learn that it has everything.
 */
export async function queueIn(
  turn: Turn,
  context: EngineContext,
  options: TransferContext & PeerStanding & { peerFsic: string; format: FsicFormat },
): Promise<{ count: number; fsic: string }> {
  const { trx } = turn
  const { transferSessionId, profile, filter, format } = options
  await clearOutgoing(trx, transferSessionId)
  const said = claimsUnder(options.peerFsic, format, filter)
  const peerClaims = await heedClaimsAboutUs(turn, context, { ...options, claims: said })
  const ownFsic = await readFsic(trx, { ...options, role: 'producer' })
  const conditions = conditionsOf(rangesBetween({ filter, format, ownFsic, peerClaims }))
  await noteWhatLeaves(turn, profile, conditions)
  const most = context.maxRecordBytes ?? DEFAULT_MAX_RECORD_BYTES
  const now = context.clock.now().toISOString()
  let count = 0
  for (const wanted of conditions) {
    // By id, so that the receiver inserts in key order.
    const result = await sql`insert into morango_outgoing (transfer_session_id, position, store_no)
      select ${transferSessionId}, ${sql.lit(count)} + row_number() over (order by s.id), s.no
      from morango_store s where s.profile = ${profile} and ${wanted} and ${SIZE} <= ${most} and not ${WITHHELD}
      order by s.id`.execute(trx)
    // It would make every pull fail: whoever has no room for it refuses the chunk.
    await sql`insert into morango_unsent (store_no, most_bytes, first_failed_at, last_failed_at, tries)
      select s.no, cast(${most} as bigint), ${now}, ${now}, 1 from morango_store s
      where s.profile = ${profile} and ${wanted} and ${SIZE} > ${most}
      on conflict (store_no) do update set most_bytes = excluded.most_bytes,
        last_failed_at = excluded.last_failed_at, tries = morango_unsent.tries + 1`.execute(trx)
    count += Number(result.numAffectedRows ?? 0n)
  }
  await noteGrowth(trx, context.database.dialect, 'morango_outgoing', count)
  return { count, fsic: ownFsic }
}

/** Before versions of ours leave it is on record, so that nobody can know one that is not (protocol §11). */
async function noteWhatLeaves(
  turn: Turn,
  profile: string,
  conditions: readonly RawBuilder<boolean>[],
): Promise<void> {
  const { trx } = turn
  const { id, exchanged_counter: left } = await currentInstance(trx)
  let highest = left
  for (const wanted of conditions) {
    const found = await sql<{ counter: number | null }>`select max(s.last_saved_counter) as counter
      from morango_store s where s.profile = ${profile} and s.last_saved_instance = ${id}
        and s.last_saved_counter > ${highest} and ${wanted}`.execute(trx)
    highest = Math.max(highest, found.rows[0]?.counter ?? 0)
  }
  if (highest > left) await turn.leaving({ instance: id, counter: highest })
}

/** Empties a transfer's outgoing Buffer. */
export async function clearOutgoing(db: Kysely<Schema>, transferSessionId: string): Promise<void> {
  await deleteTransferRows(db, 'morango_outgoing', transferSessionId)
  await deleteTransferRows(db, 'morango_outgoing_snapshot', transferSessionId)
}

/**
 * Which records a receiver lacks, by both FSICs.
 *
 * @throws MorangoError `fsic-malformed`, `fsic-outside-filter`, `fsic-too-large`
 */
export function rangesToQueue(options: {
  filter: Filter
  ownFsic: string
  peerFsic: string
  format: FsicFormat
}): QueueRange[] {
  const { filter, format } = options
  return rangesBetween({ ...options, peerClaims: claimsUnder(options.peerFsic, format, filter) })
}

function rangesBetween(options: {
  readonly filter: Filter
  readonly ownFsic: string
  readonly peerClaims: ReadonlyPartitionCounters
  readonly format: FsicFormat
}): QueueRange[] {
  const { filter, format, ownFsic, peerClaims } = options
  if (format === 'v2') return queueDiffV2(ownClaimsUnder(ownFsic, filter), peerClaims)
  // The same on each prefix.
  return queueDiffV1(parseFsicV1(ownFsic, UNLIMITED), Object.values(peerClaims)[0] ?? {}, filter)
}

/** SQL conditions: the Store's record `s` is in one of the ranges. No record meets two of them. */
export function conditionsOf(ranges: readonly QueueRange[]): RawBuilder<boolean>[] {
  const conditions: RawBuilder<boolean>[] = []
  for (let start = 0; start < ranges.length; start += RANGES_A_STATEMENT) {
    const wanted = ranges.slice(start, start + RANGES_A_STATEMENT).map(rangeCondition)
    conditions.push(sql<boolean>`(${sql.join(wanted, sql` or `)})`)
  }
  return conditions
}

// An expression, so that no index on the partition is taken: the one on versions is the one that finds few.
const PARTITION = sql`(s.partition || '')`

function rangeCondition({ partition, instance, after, exclude }: QueueRange): RawBuilder<boolean> {
  const excluded = exclude.map(
    (claim) =>
      sql` and not (${partitionUnder(PARTITION, claim.partition)} and s.last_saved_counter <= ${claim.upTo})`,
  )
  return sql<boolean>`(s.last_saved_instance = ${instance} and s.last_saved_counter > ${after}
    and ${partitionUnder(PARTITION, partition)}${sql.join(excluded, sql``)})`
}
