import { type Kysely, sql } from 'kysely'
import { compareCodePoints } from '../core/code-points.ts'
import { filterContains } from '../core/filter.ts'
import type { ComparedTransfer, PartitionSum } from '../session/ports.ts'
import { DAY_MS, databaseMs } from './comparisons.ts'
import type { EngineContext } from './context.ts'
import type { Dialect } from './dialect.ts'
import { noteDoubt } from './doubts.ts'
import { partitionIn, properPrefixes } from './ranges.ts'
import type { Schema } from './schema.ts'
import { beyondTheirClaims, readPartitionSums, setKey } from './set-sums.ts'
import { forgetClaims } from './taught-claims.ts'
import { peerCertificateId } from './transfer-peer.ts'
import type { Turn } from './turn.ts'

/** How long a claim is left alone that has been forgotten often and in vain. */
const LONGEST_PAUSE_DAYS = 32

/** Another comparison, see `Engine.settleSums`. */
export interface Settling extends ComparedTransfer {
  readonly theirs: readonly PartitionSum[]
  readonly mayForget: (partition: string) => boolean
}

/** A set of which the other side has more, or as many others. */
interface Lack {
  readonly instance: string
  readonly partition: string
  readonly ours: number
  readonly theirs: number
}

/** What came of it. */
export interface Settled {
  readonly forgotten: number
  /** What is to be told; undefined when nothing is new. */
  readonly detail: string | undefined
  readonly certificate: string
}

/** See `Engine.settleSums`. Touches claims, and what was forgotten before. */
export async function settleSums(turn: Turn, context: EngineContext, settling: Settling): Promise<Settled> {
  const { trx } = turn
  const { dialect } = context.database
  const certificate = (await peerCertificateId(trx, settling.transferSessionId)) ?? ''
  const lacks = await findLacks(trx, dialect, settling)
  if (lacks.length === 0) return { forgotten: 0, detail: undefined, certificate }
  const pauses = await readPauses(trx, dialect, lacks, await databaseMs(trx, context))
  const own = await ownInstances(trx)
  const claims = await readClaims(trx, dialect, lacks)
  const forgetting: { readonly instance: string; readonly partitions: readonly string[] }[] = []
  const told: Lack[] = []
  let beyond = 0
  for (const lack of lacks) {
    const { instance, partition } = lack
    const isOwn = own.has(instance)
    const covering = isOwn
      ? [partition]
      : [...properPrefixes(partition), partition].filter((prefix) => claims.has(setKey(instance, prefix)))
    if (covering.length === 0 || covering.some((prefix) => pauses.isPaused(instance, prefix))) continue
    told.push(lack)
    // Of its own records it has nobody to ask; and who may not touch all of a claim must not have it forgotten.
    const mayForget = !isOwn && covering.every((prefix) => settling.mayForget(prefix))
    const paused = mayForget ? covering : [partition]
    if (mayForget) forgetting.push({ instance, partitions: covering })
    else beyond += 1
    for (const prefix of paused) pauses.note(instance, prefix)
  }
  let forgotten = 0
  for (const { instance, partitions } of forgetting) {
    const list = dialect.list(JSON.stringify(partitions))
    const condition = sql<boolean>`(c.instance_id = ${instance} and c.partition in (select value from ${list}))`
    forgotten += await forgetClaims(trx, condition)
  }
  await pauses.save()
  const detail = told.length === 0 ? undefined : detailOf(told, beyond)
  if (detail !== undefined) {
    const happenedAt = context.clock.now().toISOString()
    await turn.aside((db) => noteDoubt(db, { certificate, kind: 'claims-differ', detail, happenedAt }))
  }
  return { forgotten, detail, certificate }
}

/**
 * The sets of which this side must lack something. Where it has more, the other side lacks something, and finds that out
 * when it is the receiver. Nothing is lacking
 * - where a record has arrived and was set aside;
 * - as far as records here that the other side does not claim may have taken the place of what it has.
 */
async function findLacks(trx: Kysely<Schema>, dialect: Dialect, settling: Settling): Promise<Lack[]> {
  const { filter, theirs } = settling
  const instances = [...new Set(theirs.map(({ instance }) => instance))]
  const ours = new Map(
    (await readPartitionSums(trx, dialect, settling, instances)).map((sum) => [
      setKey(sum.instance, sum.partition),
      sum,
    ]),
  )
  const different = new Map<string, PartitionSum>()
  for (const set of theirs) {
    const key = setKey(set.instance, set.partition)
    const present = ours.get(key)
    if ((present?.records ?? 0) > set.records || present?.sum === set.sum) continue
    if (filterContains(filter, set.partition)) different.set(key, set)
  }
  if (different.size === 0) return []
  const aside = await sql<{ instance: string; partition: string }>`select distinct
      last_saved_instance as instance, partition
    from morango_set_aside where ${partitionIn(sql`partition`, filter)}`.execute(trx)
  for (const { instance, partition } of aside.rows) different.delete(setKey(instance, partition))
  const { touched, replaced } = await readLater(trx, settling)
  return [...different.values()].toSorted(inOrder).flatMap((set): Lack[] => {
    const { instance, partition, records } = set
    const key = setKey(instance, partition)
    const count = ours.get(key)?.records ?? 0
    if (touched.has(partition) && count + (replaced.get(key) ?? 0) >= records) return []
    return [{ instance, partition, ours: count, theirs: records }]
  })
}

/** The records here that the other side does not claim: their partitions, and of which sets they have replaced how many. */
async function readLater(
  trx: Kysely<Schema>,
  settling: Settling,
): Promise<{ readonly touched: ReadonlySet<string>; readonly replaced: ReadonlyMap<string, number> }> {
  const touched = new Set<string>()
  const replaced = new Map<string, number>()
  for (const later of await beyondTheirClaims(trx, settling)) {
    const found = await sql<{ instance: string | null; partition: string; records: number }>`
      select r.instance_id as instance, s.partition, count(*) as records
      from morango_store s left join morango_record_max_counter r on r.store_id = s.id
      where s.profile = ${settling.profile} and ${later}
      group by r.instance_id, s.partition`.execute(trx)
    for (const { instance, partition, records } of found.rows) {
      touched.add(partition)
      if (instance === null) continue
      const key = setKey(instance, partition)
      replaced.set(key, (replaced.get(key) ?? 0) + Number(records))
    }
  }
  return { touched, replaced }
}

function inOrder(a: PartitionSum, b: PartitionSum): number {
  return compareCodePoints(a.instance, b.instance) || compareCodePoints(a.partition, b.partition)
}

interface Pauses {
  readonly isPaused: (instance: string, partition: string) => boolean
  readonly note: (instance: string, partition: string) => void
  readonly save: () => Promise<void>
}

/** A claim that was forgotten is left alone for a day, and twice as long each time that it was in vain. */
async function readPauses(
  trx: Kysely<Schema>,
  dialect: Dialect,
  lacks: readonly Lack[],
  now: number,
): Promise<Pauses> {
  await trx
    .deleteFrom('morango_forgotten_claim')
    .where('forgotten_at', '<', now - 2 * LONGEST_PAUSE_DAYS * DAY_MS)
    .execute()
  const instances = JSON.stringify([...new Set(lacks.map(({ instance }) => instance))])
  const found = await sql<{ partition: string; instance: string; at: number; times: number }>`
    select partition, instance_id as instance, forgotten_at as at, times from morango_forgotten_claim
    where instance_id in (select value from ${dialect.list(instances)})`.execute(trx)
  const before = new Map(
    found.rows.map(({ partition, instance, at, times }) => {
      const pause = Math.min(2 ** (times - 1), LONGEST_PAUSE_DAYS) * DAY_MS
      return [setKey(instance, partition), { since: Math.abs(now - Number(at)), pause, times }]
    }),
  )
  const noted = new Map<string, { partition: string; instance_id: string; times: number }>()
  return {
    isPaused(instance, partition) {
      const last = before.get(setKey(instance, partition))
      return last !== undefined && last.since < last.pause
    },
    note(instance, partition) {
      const key = setKey(instance, partition)
      const last = before.get(key)
      // What was well for as long again is another matter.
      const times = last === undefined || last.since >= 2 * last.pause + DAY_MS ? 1 : last.times + 1
      noted.set(key, { partition, instance_id: instance, times })
    },
    async save() {
      for (const { times, ...key } of noted.values()) {
        await trx
          .insertInto('morango_forgotten_claim')
          .values({ ...key, times, forgotten_at: now })
          .onConflict((conflict) =>
            conflict.columns(['partition', 'instance_id']).doUpdateSet({ times, forgotten_at: now }),
          )
          .execute()
      }
    },
  }
}

async function ownInstances(trx: Kysely<Schema>): Promise<ReadonlySet<string>> {
  const rows = await trx.selectFrom('morango_instance').select('id').execute()
  return new Set(rows.map(({ id }) => id))
}

async function readClaims(
  trx: Kysely<Schema>,
  dialect: Dialect,
  lacks: readonly Lack[],
): Promise<ReadonlySet<string>> {
  const instances = JSON.stringify([...new Set(lacks.map(({ instance }) => instance))])
  const found = await sql<{ instance: string; partition: string }>`
    select distinct instance_id as instance, partition from morango_claim
    where instance_id in (select value from ${dialect.list(instances)})`.execute(trx)
  return new Set(found.rows.map(({ instance, partition }) => setKey(instance, partition)))
}

function detailOf(lacks: readonly Lack[], beyond: number): string {
  const [first] = lacks
  if (first === undefined) return ''
  const { instance, partition, ours, theirs } = first
  const others = lacks.length === 1 ? '' : `, and so in ${lacks.length - 1} more places`
  const kept =
    beyond === 0
      ? ''
      : ` For ${beyond} of them nothing could be forgotten: the records are this database's own, or the claims reach beyond that certificate.`
  return (
    `Its claims and ours cover each other, but of the records of instance ${instance} under partition "${partition}" ` +
    `it has ${theirs} and this database ${ours}${ours === theirs ? ', not the same ones' : ''}${others}.${kept}`
  )
}
