import { type Kysely, sql } from 'kysely'
import { compareCodePoints } from '../core/code-points.ts'
import { filterContains } from '../core/filter.ts'
import type { ComparedTransfer, PartitionSum, PartitionSums } from '../session/ports.ts'
import { DAY_MS, databaseMs } from './comparisons.ts'
import type { EngineContext } from './context.ts'
import type { Dialect } from './dialect.ts'
import { noteDoubt } from './doubts.ts'
import { partitionIn, properPrefixes } from './ranges.ts'
import type { Schema } from './schema.ts'
import { isSettled, readPartitionSums } from './set-sums.ts'
import { forgetClaims } from './taught-claims.ts'
import { peerCertificateId } from './transfer-peer.ts'
import type { Turn } from './turn.ts'

/** How long a claim is left alone that has been forgotten often and in vain. */
const LONGEST_PAUSE_DAYS = 32

/** Another comparison, see `Engine.settleSums`. */
export interface Settling extends ComparedTransfer {
  readonly instances: readonly string[]
  readonly theirs: PartitionSums
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
export async function settleSums(
  turn: Turn,
  context: EngineContext,
  settling: Settling,
): Promise<Settled | undefined> {
  const { trx } = turn
  const { dialect } = context.database
  if (!(await isSettled(trx, settling))) return undefined
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
      : [...properPrefixes(partition), partition].filter((prefix) => claims.has(keyOf(instance, prefix)))
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
 * when it is the receiver. Where a record has arrived and was set aside, that is why.
 */
async function findLacks(trx: Kysely<Schema>, dialect: Dialect, settling: Settling): Promise<Lack[]> {
  const { filter, instances, theirs } = settling
  const named = new Set(instances)
  const ours = new Map(
    (await readPartitionSums(trx, dialect, settling, instances)).map((sum) => [
      keyOf(sum.instance, sum.partition),
      sum,
    ]),
  )
  const aside = await sql<{ instance: string; partition: string }>`select distinct
      last_saved_instance as instance, partition
    from morango_set_aside where ${partitionIn(sql`partition`, filter)}`.execute(trx)
  const explained = new Set(aside.rows.map(({ instance, partition }) => keyOf(instance, partition)))
  const inFilter = theirs.sums.filter(
    ({ instance, partition }) => named.has(instance) && filterContains(filter, partition),
  )
  return inFilter.toSorted(inOrder).flatMap((sum): Lack[] => {
    const { instance, partition, records } = sum
    const key = keyOf(instance, partition)
    const present = ours.get(key)
    const count = present?.records ?? 0
    if (count > records || present?.sum === sum.sum || explained.has(key)) return []
    return [{ instance, partition, ours: count, theirs: records }]
  })
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
      return [keyOf(instance, partition), { since: Math.abs(now - Number(at)), pause, times }]
    }),
  )
  const noted = new Map<string, { partition: string; instance_id: string; times: number }>()
  return {
    isPaused(instance, partition) {
      const last = before.get(keyOf(instance, partition))
      return last !== undefined && last.since < last.pause
    },
    note(instance, partition) {
      const key = keyOf(instance, partition)
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
  return new Set(found.rows.map(({ instance, partition }) => keyOf(instance, partition)))
}

function keyOf(instance: string, partition: string): string {
  return `${instance}${partition}`
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
