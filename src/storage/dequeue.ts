import { type Kysely, sql } from 'kysely'
import { claimsUnder } from '../core/fsic-claims.ts'
import type { ReadonlyPartitionCounters } from '../core/fsic.ts'
import type { HistoryTrust } from '../core/merge.ts'
import type {
  DequeueResult,
  FsicFormat,
  PeerStanding,
  TransferContext,
  WorkOptions,
} from '../session/ports.ts'
import type { EngineContext } from './context.ts'
import { mergeConflicts } from './dequeue-conflicts.ts'
import { boundArriving } from './bound-conflicting.ts'
import { dropForgedEntries, isBelievedHere, isBeyond, keepDoubtfullyKnown, readTrust } from './distrust.ts'
import { countIncoming, type IncomingRange, inRange, nextRange } from './incoming.ts'
import type { Stamp } from './instance.ts'
import { learnClaims } from './learn.ts'
import { pendingRows } from './pending.ts'
import { heedClaimsAboutUs } from './restored.ts'
import { deleteTransferRows } from './rows.ts'
import { forgetEmptyPartitions } from './saved-partitions.ts'
import type { Schema } from './schema.ts'
import { serialize, serializeIn } from './serialize.ts'
import { setAsideMoved } from './set-aside.ts'
import { noteGrowth } from './statistics.ts'
import { countPresent, takeOver } from './take-over.ts'
import { peerCertificateId } from './transfer-peer.ts'
import { takeReplacements } from './take-in.ts'
import type { Turn } from './turn.ts'
import { createTurnSizes } from './turn-size.ts'
import { betweenTurns, type Run } from './turns.ts'

type DequeueOptions = TransferContext &
  PeerStanding & { producerFsic: string; format: FsicFormat } & WorkOptions

/** With what the producer claims, as far as it may be believed. */
type ClaimedOptions = DequeueOptions & { readonly claims: ReadonlyPartitionCounters }

/**
 * Incoming Buffer to Store (protocol §8), in turns: pending local changes are serialized first, so that an edit not
 * yet serialized is a conflict like any other; what is known already is dropped; conflicts are merged one by one;
 * the rest, new or fast-forward, is taken over by set. With the last turn the producer's counters are learned (§6)
 * and the Buffer is emptied. Touches this transfer's Buffer alone.
 *
 * What one turn took over is known to the next, so a dequeue that was killed is begun again from the start.
 */
export async function dequeue(
  run: Run,
  context: EngineContext,
  given: DequeueOptions,
): Promise<DequeueResult> {
  const { transferSessionId: session, producerFsic, format, filter } = given
  // Many claims take long to read: once, not in each turn.
  const options = { ...given, claims: claimsUnder(producerFsic, format, filter) }
  const total = { created: 0, fastForwarded: 0, known: 0, conflicts: 0 }
  const received = await run(async (turn) => {
    const { trx } = turn
    await heedClaimsAboutUs(turn, context, options)
    const count = await countIncoming(trx, session)
    if (count === 0) await finish(trx, context, options)
    else await noteGrowth(trx, context.database.dialect, 'morango_incoming', count)
    return count
  })
  if (received === 0) return total
  await serialize(run, context, { ...options, raise: 'if-needed', onProgress: undefined })
  let done = 0
  const turns = createTurnSizes(context)
  for (let after = ''; ;) {
    const { size } = turns
    const next = async (turn: Turn): ReturnType<typeof dequeueTurn> => {
      const outcome = await dequeueTurn(turn, context, options, { after, size })
      if (outcome.isLast) await noteGrowth(turn.trx, context.database.dialect, 'morango_dirty', received)
      return outcome
    }
    const { range, isLast, ...part } = await turns.timed(
      () => run(next, done < received ? 1 : 0),
      (outcome) => outcome.range.records,
    )
    total.created += part.created
    total.fastForwarded += part.fastForwarded
    total.known += part.known
    total.conflicts += part.conflicts
    done += range.records
    options.onProgress?.({ done, total: received })
    if (isLast) return total
    after = range.last
    await betweenTurns(options.signal)
  }
}

async function dequeueTurn(
  turn: Turn,
  context: EngineContext,
  options: ClaimedOptions,
  { after, size }: { readonly after: string; readonly size: number },
): Promise<DequeueResult & { readonly range: IncomingRange; readonly isLast: boolean }> {
  const { trx } = turn
  const { dialect } = context.database
  await serializeIn(turn, context, { ...options, raise: 'if-needed', onProgress: undefined })
  const range = await nextRange(trx, options.transferSessionId, after, size)
  const isLast = range.records < size
  if (range.records === 0) {
    await finish(trx, context, options)
    return { range, isLast, created: 0, fastForwarded: 0, known: 0, conflicts: 0 }
  }
  const stamp = await turn.stamp()
  const trust = await readTrust(trx, dialect, range, options.claims)
  await dropForgedEntries(turn, context, options, range, trust, stamp)
  await serializeSameIds(turn, context, options.profile, range)
  await boundArriving(trx, context, options, range)
  const present = await countPresent(trx, range)
  const { known, conflicts, aside } =
    present === 0 ? NONE_MET : await meetPresent(turn, context, options, range, stamp, trust)
  const fastForwarded = present - known - conflicts - aside
  const created = range.records - present
  await takeOver(trx, dialect, options, range, { created, replaced: fastForwarded })
  await forgetEmptyPartitions(trx)
  if (isLast) await finish(trx, context, options)
  return { range, isLast, created, fastForwarded, known, conflicts }
}

// A row that is here is first, whatever its partition: else a record of its id could take its place.
async function serializeSameIds(
  turn: Turn,
  context: EngineContext,
  profile: string,
  range: IncomingRange,
): Promise<void> {
  const found = await sql<{ id: string }>`select distinct p.record_id as id
    from ${pendingRows(context.database.dialect)} p join morango_incoming i on i.id = p.record_id
    where ${inRange(range)} and not exists (select 1 from morango_store s where s.id = i.id)`.execute(
    turn.trx,
  )
  if (found.rows.length === 0) return
  turn.alone()
  const only = found.rows.map(({ id }) => id)
  await serializeIn(turn, context, { profile, raise: 'if-needed', only })
}

const NONE_MET = { known: 0, conflicts: 0, aside: 0 }

/** Settles those of the range that cannot be taken over, for what the Store has of them. */
async function meetPresent(
  turn: Turn,
  context: EngineContext,
  options: DequeueOptions,
  range: IncomingRange,
  stamp: Stamp,
  trust: HistoryTrust,
): Promise<{ readonly known: number; readonly conflicts: number; readonly aside: number }> {
  const now = context.clock.now().toISOString()
  const { trx } = turn
  const replaced = await takeReplacements(turn, context, options, range)
  const aside = replaced + (await setAsideMoved(trx, context.database.dialect, options, range, now))
  const known = await dropKnown(trx, context, options, range, trust)
  return { known, conflicts: await mergeConflicts(trx, context, options, range, stamp, trust), aside }
}

async function finish(
  trx: Kysely<Schema>,
  context: EngineContext,
  { transferSessionId, claims }: ClaimedOptions,
): Promise<void> {
  await deleteTransferRows(trx, 'morango_incoming', transferSessionId)
  const certificate = (await peerCertificateId(trx, transferSessionId)) ?? ''
  await learnClaims(trx, context.database.dialect, certificate, claims)
}

// Reverse fast-forward: our history has the buffered version, so ours is the same or later.
async function dropKnown(
  trx: Kysely<Schema>,
  context: EngineContext,
  options: TransferContext,
  range: IncomingRange,
  trust: HistoryTrust,
): Promise<number> {
  const isBelieved = sql`not ${isBeyond(context.database.dialect, trust, sql`i.last_saved_instance`, sql`i.last_saved_counter`)}`
  const inHistory = sql`exists (select 1 from morango_record_max_counter r where r.store_id = i.id
    and r.instance_id = i.last_saved_instance and r.counter >= i.last_saved_counter
    and ${isBelievedHere(trust, sql`r.counter`)})`
  const isKnown = sql<boolean>`(${isBelieved} and ((s.last_saved_instance = i.last_saved_instance
    and s.last_saved_counter >= i.last_saved_counter
    and ${isBelievedHere(trust, sql`s.last_saved_counter`)}) or ${inHistory}))`
  await keepDoubtfullyKnown(trx, context, options, range, isKnown)
  const result = await sql`delete from morango_incoming as i
    where ${inRange(range)} and exists (select 1 from morango_store s where s.id = i.id and ${isKnown})`.execute(
    trx,
  )
  return Number(result.numAffectedRows ?? 0n)
}
