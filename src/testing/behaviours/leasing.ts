import { sql } from 'kysely'
import { isMorangoError } from '../../core/errors.ts'
import { parseFilter } from '../../core/filter.ts'
import { closeIdleSessions } from '../../session/idle-sessions.ts'
import type { Engine, LeaseHold } from '../../session/ports.ts'
import { workSizes } from '../../storage/context.ts'
import { createEngine } from '../../storage/engine.ts'
import {
  currentLease,
  endLease,
  type LeaseTerms,
  renewLease,
  requireLease,
  seizeTransfer,
  takeTransfer,
} from '../../storage/leases.ts'
import { compileProfiles } from '../../storage/check-tracking.ts'
import {
  getTransfer,
  moveTransfer,
  type TransferRecord,
  updateTransfer,
} from '../../storage/transfer-sessions.ts'
import { type Behaviour, failure, holds, type MakeNetwork, same } from '../behaviour.ts'
import type { TestPeer } from '../peer.ts'
import { createSeededRandom } from '../random.ts'
import { add, halfway, suite } from './fixtures.ts'

const LEASE_MS = 1000
const NOW = '2026-01-01T00:00:00.000Z'
const NOTHING = '{"sub": {}, "super": {}}'

/** Leases on a peer's transfers, by a clock that stands still until it is set. */
interface Leases {
  readonly terms: LeaseTerms
  readonly transfer: () => Promise<TransferRecord>
  readonly hold: (holder: string) => LeaseHold
  /** Makes a lease and takes the transfer with it. */
  readonly take: (holder: string) => Promise<TransferRecord | undefined>
  readonly pass: (ms: number) => void
}

async function leasesAt(peer: TestPeer): Promise<Leases> {
  const db = peer.database.kysely
  // Beyond what the network's own clock may have come to.
  let now = Date.UTC(2030, 0, 1)
  const terms = { db, now: () => sql<number>`cast(${now} as bigint)`, ms: LEASE_MS }
  const row = await db
    .selectFrom('morango_transfer_session')
    .select('id')
    .where('active', '=', 1)
    .executeTakeFirstOrThrow()
  const transfer = async (): Promise<TransferRecord> => {
    const found = await getTransfer(db, row.id)
    holds(found !== undefined, 'the transfer is there')
    return found
  }
  return {
    terms,
    transfer,
    hold: (holder) => ({ transferSessionId: row.id, holder }),
    take: async (holder) => {
      await renewLease(terms, holder)
      return await takeTransfer(terms, await transfer(), holder)
    },
    pass: (ms) => {
      now += ms
    },
  }
}

async function requireLost(work: Promise<unknown>, what: string): Promise<void> {
  holds(isMorangoError(await failure(work, what), 'lease-lost'), `${what} says that the lease is lost`)
}

async function contentOf(peer: TestPeer): Promise<unknown> {
  const { kysely: db, dialect } = peer.database
  // Stamps made before a transaction that fails are left out later.
  const raisedBefore = dialect.sideBySide !== undefined
  const instances = await db.selectFrom('morango_instance').selectAll().orderBy('id').execute()
  return {
    records: await peer.records(),
    books: await peer.rows('book'),
    incoming: await db.selectFrom('morango_incoming').selectAll().orderBy('id').execute(),
    outgoing: await db.selectFrom('morango_outgoing').selectAll().orderBy('position').execute(),
    instances: instances.map((instance) => ({ ...instance, counter: raisedBefore ? 0 : instance.counter })),
    transfers: await db.selectFrom('morango_transfer_session').selectAll().orderBy('id').execute(),
  }
}

async function engineOf(peer: TestPeer): Promise<Engine> {
  return createEngine({
    database: peer.database,
    profiles: await compileProfiles(peer.database, [suite]),
    clock: { now: () => new Date(NOW) },
    random: createSeededRandom('leases'),
    sizes: workSizes(),
  })
}

/** Who may run a transfer, when several processes share the database. */
export const leasing: readonly Behaviour<MakeNetwork>[] = [
  {
    name: 'gives a transfer to one of those who saw it free, and to nobody while the lease lasts',
    async run(make) {
      const { network } = await halfway(make)
      const { terms, transfer, take, hold, pass } = await leasesAt(network.peer('b'))
      const seen = await transfer()
      await Promise.all(['one', 'two', 'three'].map((holder) => renewLease(terms, holder)))
      const taken = await Promise.all(
        ['one', 'two', 'three'].map((holder) => takeTransfer(terms, seen, holder)),
      )
      const winners = taken.filter((each) => each !== undefined)
      same(winners.length, 1, 'one has it')
      const winner = winners[0]?.leaseHolder ?? ''

      pass(LEASE_MS - 1)
      same(await take('four'), undefined, 'while it lasts')
      await renewLease(terms, winner)
      pass(LEASE_MS - 1)
      same(await take('four'), undefined, 'while it is renewed')
      same((await currentLease(terms, await transfer()))?.holder, winner, 'the holder')
      pass(1)
      same(await currentLease(terms, await transfer()), undefined, 'a lapsed lease')
      same((await take('four'))?.leaseHolder, 'four', 'once it has lapsed')
      await endLease(terms.db, hold('four'))
      same((await take('five'))?.leaseHolder, 'five', 'once it was ended')
    },
  },
  {
    name: 'gives a transfer to nobody who saw it in other hands, or closed',
    async run(make) {
      const { network } = await halfway(make)
      const { terms, transfer, take, hold } = await leasesAt(network.peer('b'))
      const free = await transfer()
      await take('one')
      await endLease(terms.db, hold('one'))
      await take('two')
      await endLease(terms.db, hold('one'))
      same((await transfer()).leaseHolder, 'two', 'ended by who had lost it')
      await renewLease(terms, 'three')
      same(await takeTransfer(terms, free, 'three'), undefined, 'as it was before')
      same(await takeTransfer(terms, { ...free, leaseHolder: 'one' }, 'three'), undefined, 'as it never was')
      await network.peer('b').morango.cleanup({ olderThan: new Date(Date.UTC(2040, 0, 1)) })
      await endLease(terms.db, hold('two'))
      await network.peer('b').morango.cleanup({ olderThan: new Date(Date.UTC(2040, 0, 1)) })
      same((await transfer()).active, false, 'closed')
      same(await take('four'), undefined, 'a closed one')
      same(await seizeTransfer(terms.db, hold('four')), false, 'a closed one, by force')
    },
  },
  {
    name: 'lets whoever lost its transfer change nothing more',
    async run(make) {
      const { network } = await halfway(make)
      const [a, b] = [network.peer('a'), network.peer('b')]
      const { terms, take, hold, transfer, pass } = await leasesAt(b)
      const ghost = hold('ghost')
      const id = ghost.transferSessionId
      const believed = await take('ghost')
      holds(believed !== undefined, 'the ghost had it')
      const [record] = await (await engineOf(a)).outgoing(id, { offset: 9, limit: 1 })
      holds(record !== undefined, 'there is a record still to come')
      await add(network, 'b', 'book', { title: 'not yet serialized' })
      pass(LEASE_MS)
      await take('heir')
      await renewLease(terms, 'ghost')

      const before = await contentOf(b)
      const engine = await engineOf(b)
      const filter = parseFilter(believed.filter)
      const options = { transferSessionId: id, profile: suite.name, filter, lease: ghost }
      const format = 'v2'
      const tries: Readonly<Record<string, () => Promise<unknown>>> = {
        serialize: () => engine.serialize(options),
        queue: () => engine.queue({ ...options, format, peerFsic: NOTHING }),
        storeIncoming: () => engine.storeIncoming(options, [record]),
        dequeue: () => engine.dequeue({ ...options, format, producerFsic: NOTHING }),
        deserialize: () => engine.deserialize(options),
        clearBuffers: () => engine.clearBuffers(believed, ghost),
        update: () => updateTransfer(terms.db, id, { recordsTransferred: 1 }, NOW, ghost),
        fence: () => requireLease(terms.db, ghost),
      }
      for (const [what, attempt] of Object.entries(tries)) await requireLost(attempt(), what)
      const moved = await moveTransfer(terms.db, believed, { stage: 'cleanup', status: 'completed' }, NOW)
      same(moved, undefined, 'moving it on')
      same(await contentOf(b), before, 'what the database holds')

      const heir = await transfer()
      await engine.storeIncoming({ ...options, lease: hold('heir') }, [record])
      const taken = await moveTransfer(terms.db, heir, { stage: 'transferring', status: 'started' }, NOW)
      same(taken?.stage, 'transferring', 'the heir')
    },
  },
  {
    name: 'closes no session in which a transfer is being run, and clears what a killed clean-up left',
    async run(make) {
      const { network } = await halfway(make)
      const b = network.peer('b')
      const { terms, take, pass, transfer } = await leasesAt(b)
      const options = {
        db: terms.db,
        engine: await engineOf(b),
        clock: { now: () => new Date(Date.UTC(2031, 0, 1)) },
        random: createSeededRandom('cleaners'),
        databaseNow: terms.now,
      }
      await take('runner')
      same(await closeIdleSessions(options), 0, 'while it is run')
      same((await transfer()).leaseHolder, 'runner', 'whose it is')

      pass(LEASE_MS)
      const broken: Engine = { ...options.engine, clearBuffers: () => Promise.reject(new Error('killed')) }
      await failure(closeIdleSessions({ ...options, engine: broken }), 'a killed clean-up')
      same((await transfer()).active, true, 'what it left')
      const counts = await Promise.all([closeIdleSessions(options), closeIdleSessions(options)])
      same(counts, [0, 0], 'the session was closed before')
      same((await transfer()).active, false, 'the transfer')
      for (const table of ['morango_incoming', 'morango_lease'] as const) {
        same(await terms.db.selectFrom(table).selectAll().execute(), [], table)
      }
    },
  },
  {
    name: "has leases lapse by the database's own clock",
    async run(make) {
      const { network } = await halfway(make)
      const { kysely, dialect } = network.peer('b').database
      const before = Date.now()
      const { rows } = await sql<{ now: unknown }>`select ${dialect.now} as now`.execute(kysely)
      const now = Number(rows[0]?.now)
      // The server may be on another machine; its clock is believed to be right within a minute.
      holds(Number.isInteger(now) && Math.abs(now - before) < 60_000, `${now} is about ${before}`)
      const { transfer } = await leasesAt(network.peer('b'))
      const terms = { db: kysely, now: () => dialect.now, ms: 60_000 }
      await renewLease(terms, 'one')
      same((await takeTransfer(terms, await transfer(), 'one'))?.leaseHolder, 'one', 'a fresh lease')
      await renewLease(terms, 'two')
      same(await takeTransfer(terms, await transfer(), 'two'), undefined, 'while it lasts')
      await renewLease({ ...terms, ms: -1 }, 'one')
      same((await takeTransfer(terms, await transfer(), 'two'))?.leaseHolder, 'two', 'when it has lapsed')
    },
  },
]
