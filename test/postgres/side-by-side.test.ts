import { type Kysely, sql } from 'kysely'
import { describe, expect, inject, test } from 'vitest'
import { serializeIn } from '../../src/storage/serialize.ts'
import { compileProfiles } from '../../src/storage/check-tracking.ts'
import { workSizes, type EngineContext } from '../../src/storage/context.ts'
import type { Database } from '../../src/storage/dialect.ts'
import { locksFor, type LockMode } from '../../src/storage/partition-locks.ts'
import type { Schema } from '../../src/storage/schema.ts'
import { inTurn, type Turn } from '../../src/storage/turn.ts'
import type { Morango } from '../../src/index.ts'
import { createTestNetwork, library } from '../../src/testing/index.ts'
import { DATABASE, makeTestDatabase } from '../databases/index.ts'

const P1 = `${'1'.repeat(32)}:u`
const P2 = `${'2'.repeat(32)}:u`

/** A turn that is in the midst of its work until it is told to end; how often it was begun. */
interface OpenTurn {
  readonly begun: Promise<void>
  end(): void
  readonly done: Promise<void>
  tries: number
}

function needsOf(partition: string | undefined, mode: LockMode = 'exclusive') {
  const filter = partition === undefined ? undefined : [partition]
  return { locks: locksFor(filter, mode), fold: mode === 'exclusive', stamps: 0 }
}

function open(
  database: Database,
  needs: ReturnType<typeof needsOf>,
  work: (turn: Turn) => Promise<unknown> = async () => {},
): OpenTurn {
  const begun = Promise.withResolvers<void>()
  const ended = Promise.withResolvers<void>()
  const turn: OpenTurn = {
    begun: begun.promise,
    end: ended.resolve,
    tries: 0,
    done: inTurn(database, needs, async (given) => {
      turn.tries++
      await work(given)
      begun.resolve()
      await ended.promise
    }),
  }
  turn.done.catch(begun.reject)
  return turn
}

/** Of one process only one turn waits for a partition in the database; the rest do so before they take a connection. */
function asOtherProcess(database: Database): Database {
  return { ...database, kysely: database.kysely.withoutPlugins() }
}

async function waiting(db: Kysely<Schema>): Promise<number> {
  const found = await sql<{ count: number }>`select count(*) as count from pg_locks
    where locktype = 'advisory' and not granted
      and database = (select oid from pg_database where datname = current_database())`.execute(db)
  return found.rows[0]?.count ?? 0
}

async function untilWaiting(db: Kysely<Schema>, turns: number): Promise<void> {
  // Each look is a round trip.
  while ((await waiting(db)) < turns);
}

// Several connections are needed.
describe.skipIf(DATABASE !== 'postgres' || inject('postgresUrl') === '')('turns side by side', () => {
  async function withDatabase(
    work: (database: Database, context: EngineContext, morango: Morango) => Promise<void>,
  ) {
    const network = await createTestNetwork({ peers: 1, database: makeTestDatabase })
    try {
      const { database, morango } = network.peer('a')
      const context = {
        database,
        profiles: await compileProfiles(database, [library]),
        clock: { now: () => new Date(0) },
        random: { uuid: () => '0'.repeat(32) },
        sizes: workSizes(),
      }
      await work(database, context, morango)
    } finally {
      await network.close()
    }
  }

  async function write({ kysely }: Database, morango: Morango, at: string, title: string): Promise<void> {
    const [root, owner] = at.split(':')
    const row = morango.record('book', { root, owner, title })
    await sql`insert into book (${sql.join(Object.keys(row).map((key) => sql.id(key)))})
      values (${sql.join(Object.values(row))})`.execute(kysely)
  }

  test('who waits for a lock sees what the holder committed: nothing is done twice', async () => {
    await withDatabase(async (database, _context, morango) => {
      await write(database, morango, P1, 'x')
      const rename = async ({ trx }: Turn): Promise<void> => {
        await sql`update book set title = title || '!'`.execute(trx)
      }
      const first = open(database, needsOf(P1), rename)
      await first.begun
      const second = open(asOtherProcess(database), needsOf(P1), rename)
      const third = open(asOtherProcess(database), needsOf(P1), rename)
      await untilWaiting(database.kysely, 2)
      for (const turn of [first, second, third]) turn.end()
      await Promise.all([first.done, second.done, third.done])
      expect([first.tries, second.tries, third.tries]).toEqual([1, 1, 1])
      const book = await sql<{ title: string }>`select title from book`.execute(database.kysely)
      expect(book.rows).toEqual([{ title: 'x!!!' }])
    })
  })

  test('a lock that is the first statement of the transaction is too late', async () => {
    await withDatabase(async ({ kysely, dialect }) => {
      const isolated = () => kysely.transaction().setIsolationLevel('repeatable read')
      const lock = sql`select pg_advisory_xact_lock(1)`
      const locked = Promise.withResolvers<void>()
      const go = Promise.withResolvers<void>()
      const raise = sql`update morango_instance set counter = counter + 1`
      const first = isolated().execute(async (trx) => {
        await lock.execute(trx)
        locked.resolve()
        await go.promise
        await raise.execute(trx)
      })
      await locked.promise
      const second = isolated().execute(async (trx) => {
        await lock.execute(trx)
        await raise.execute(trx)
      })
      second.catch(() => undefined)
      await untilWaiting(kysely, 1)
      go.resolve()
      await first
      await expect(second).rejects.toSatisfy(dialect.isBusy)
    })
  })

  test('different partitions are written at once, while the application writes to both', async () => {
    await withDatabase(async (database, context, morango) => {
      await write(database, morango, P1, 'a')
      await write(database, morango, P2, 'b')
      const serializing = (partition: string) => async (turn: Turn) => {
        await serializeIn(turn, context, { profile: 'library', filter: [partition], raise: 'always' })
      }
      const stamped = { ...needsOf(P1), stamps: 1 }
      const first = open(database, stamped, serializing(P1))
      await first.begun
      await sql`update book set title = title || '!'`.execute(database.kysely)
      await write(database, morango, P2, 'c')
      const second = open(database, { ...needsOf(P2), stamps: 1 }, serializing(P2))
      await second.begun
      second.end()
      await second.done
      first.end()
      await first.done
      expect([first.tries, second.tries]).toEqual([1, 1])
      const again = open(database, stamped, serializing(P1))
      again.end()
      await again.done

      const store = await sql<{ counter: number; title: string }>`select last_saved_counter as counter,
        cast(serialized as json) ->> 'title' as title from morango_store order by title`.execute(
        database.kysely,
      )
      expect(store.rows).toEqual([
        { counter: 3, title: 'a!' },
        { counter: 2, title: 'b!' },
        { counter: 2, title: 'c' },
      ])
    })
  })

  test('a change of a record that is pending already is serialized once', async () => {
    await withDatabase(async (database, context, morango) => {
      await write(database, morango, P2, 'a')
      const serializeUnder = async (partition: string): Promise<number> => {
        let updated = 0
        await inTurn(database, { ...needsOf(partition), stamps: 1 }, async (turn) => {
          const options = { profile: 'library', filter: [partition], raise: 'always' } as const
          const result = await serializeIn(turn, context, options)
          updated = result.created + result.updated
        })
        return updated
      }
      expect(await serializeUnder(P1)).toBe(0)
      await sql`update book set title = 'b'`.execute(database.kysely)
      expect(await serializeUnder(P2)).toBe(1)
      expect((await morango.status()).pendingChanges).toBe(0)
      expect(await serializeUnder(P2)).toBe(0)
    })
  })

  test('queuing is shared, and waits for who writes; the whole waits for all', async () => {
    await withDatabase(async (database) => {
      const { kysely } = database
      const queuing = [open(database, needsOf(P1, 'shared')), open(database, needsOf(P1, 'shared'))]
      for (const turn of queuing) await turn.begun
      const whole = open(database, needsOf(undefined))
      await untilWaiting(kysely, 1)
      expect(whole.tries).toBe(0)
      for (const turn of queuing) turn.end()
      await whole.begun
      const later = open(database, needsOf(P2, 'shared'))
      await untilWaiting(kysely, 1)
      expect(later.tries).toBe(0)
      whole.end()
      await later.begun
      later.end()
      await Promise.all([...queuing, whole, later].map(({ done }) => done))
    })
  })

  test('a turn that fails, or begins again for a stamp, leaves no lock', async () => {
    await withDatabase(async (database) => {
      const held = async (): Promise<number> => {
        const found = await sql<{ count: number }>`select count(*) as count from pg_locks
          where locktype = 'advisory'
            and database = (select oid from pg_database where datname = current_database())`.execute(
          database.kysely,
        )
        return found.rows[0]?.count ?? 0
      }
      await expect(
        inTurn(database, needsOf(P1), () => Promise.reject(new Error('on purpose'))),
      ).rejects.toThrow('on purpose')
      expect(await held()).toBe(0)
      const stamps = await inTurn(database, needsOf(P1), async ({ stamp, alone }) => {
        const counters = [(await stamp()).counter, (await stamp()).counter]
        alone()
        return counters
      })
      // Two tries without enough stamps, then one that found it had to be alone.
      expect(stamps[1]).toBe((stamps[0] ?? 0) + 1)
      expect(await held()).toBe(0)
      await expect(
        inTurn(database, needsOf(P1), async ({ trx }) => await sql`select no_such_column`.execute(trx)),
      ).rejects.toThrow('no_such_column')
      expect(await held()).toBe(0)
    })
  })
})
