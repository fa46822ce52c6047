import type { Kysely } from 'kysely'
import type { Database } from './dialect.ts'
import { noteLeaving, raiseCounter, type Stamp } from './instance.ts'
import { inLocalOrder } from './local-queue.ts'
import { locksFor, type PartitionLock } from './partition-locks.ts'
import type { Schema } from './schema.ts'
import { inTransaction, untilFree } from './transaction.ts'

/** One transaction of a stage. */
export interface Turn {
  readonly trx: Kysely<Schema>
  /**
   * A version stamp of its own. Where others write at the same time it has to be there when the turn begins; if it
   * is not, the turn begins again.
   */
  readonly stamp: () => Promise<Stamp>
  /** Makes sure that no other turn runs, for what concerns the database as a whole; may begin the turn again. */
  readonly alone: () => void
  /**
   * Notes that records of ours up to a stamp are about to leave. Where others write at the same time that is
   * committed before the turn begins; if it is not, the turn begins again.
   */
  readonly leaving: (stamp: Stamp) => Promise<void>
  /** For a write that others may be making as well and that the turn can do without: it must not fail by that. */
  readonly aside: (work: (db: Kysely<Schema>) => Promise<unknown>) => Promise<void>
}

/** What a turn needs before it begins. */
export interface TurnNeeds {
  readonly locks: readonly PartitionLock[]
  /** Whether it serializes: the change log is folded first. */
  readonly fold: boolean
  readonly stamps: number
  /** Up to which stamp records of ours are about to leave. */
  readonly leaving?: Stamp | undefined
}

/** How turns begin and end where transactions run side by side. */
export interface SideBySide {
  /** Begins a transaction with what it needs, on a connection; it sees what those before it have committed. */
  readonly begin: (connection: Kysely<Schema>, needs: TurnNeeds) => Promise<readonly Stamp[]>
  readonly commit: (connection: Kysely<Schema>) => Promise<void>
  /** Takes back what there is of it, wherever it failed. */
  readonly abandon: (connection: Kysely<Schema>) => Promise<void>
}

/** A turn found out that it needs more. */
class MoreNeeded extends Error {
  readonly needs: TurnNeeds
  constructor(needs: TurnNeeds) {
    super('This turn has to begin again')
    this.needs = needs
  }
}

/**
 * Runs `work` in a turn, again when others were in the way or when it needs more: only what it returns counts.
 *
 * @throws what `work` throws; then nothing is changed.
 */
export async function inTurn<T>(
  { kysely, dialect }: Database,
  needs: TurnNeeds,
  work: (turn: Turn) => Promise<T>,
): Promise<T> {
  const { sideBySide } = dialect
  if (sideBySide === undefined) {
    return await inTransaction(kysely, dialect, async (trx) => await work(onlyTurn(trx)))
  }
  for (let needed = needs; ;) {
    const wanted = needed
    try {
      return await inLocalOrder(
        kysely,
        exclusiveKeys(wanted),
        async () => await untilFree(dialect, async () => await attempt(kysely, sideBySide, wanted, work)),
      )
    } catch (error) {
      if (!(error instanceof MoreNeeded)) throw error
      needed = error.needs
    }
  }
}

/** A turn in a transaction that has the database to itself. */
export function onlyTurn(trx: Kysely<Schema>): Turn {
  return {
    trx,
    stamp: async () => await raiseCounter(trx),
    alone: () => {},
    leaving: async (stamp) => await noteLeaving(trx, stamp),
    aside: async (work) => void (await work(trx)),
  }
}

function exclusiveKeys({ locks }: TurnNeeds): bigint[] {
  return locks.filter(({ mode }) => mode === 'exclusive').map(({ key }) => key)
}

async function attempt<T>(
  kysely: Kysely<Schema>,
  sideBySide: SideBySide,
  needs: TurnNeeds,
  work: (turn: Turn) => Promise<T>,
): Promise<T> {
  const asides: ((db: Kysely<Schema>) => Promise<unknown>)[] = []
  const result = await kysely.connection().execute(async (connection) => {
    try {
      const stamps = await sideBySide.begin(connection, needs)
      const done = await work(turnOn(connection, needs, stamps, asides))
      await sideBySide.commit(connection)
      return done
    } catch (error) {
      // A connection that is broken has nothing to be taken back; the pool drops it.
      await sideBySide.abandon(connection).catch(() => undefined)
      throw error
    }
  })
  for (const aside of asides) await aside(kysely)
  return result
}

function turnOn(
  trx: Kysely<Schema>,
  needs: TurnNeeds,
  stamps: readonly Stamp[],
  asides: ((db: Kysely<Schema>) => Promise<unknown>)[],
): Turn {
  let given = 0
  return {
    trx,
    stamp: async () => {
      const stamp = stamps[given++]
      if (stamp === undefined) throw new MoreNeeded({ ...needs, stamps: given })
      return await Promise.resolve(stamp)
    },
    alone: () => {
      const locks = locksFor(undefined, 'exclusive')
      if (needs.locks[0]?.mode !== 'exclusive') throw new MoreNeeded({ ...needs, locks })
    },
    leaving: async (stamp) => {
      const { leaving } = needs
      const isNoted = leaving?.instance === stamp.instance && leaving.counter >= stamp.counter
      if (!isNoted) throw new MoreNeeded({ ...needs, leaving: stamp })
      await Promise.resolve()
    },
    aside: async (work) => {
      asides.push(work)
      await Promise.resolve()
    },
  }
}
