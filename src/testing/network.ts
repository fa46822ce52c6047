import { MorangoError } from '../core/errors.ts'
import { filterToString, filtersEqual } from '../core/filter.ts'
import type { Profile } from '../models/profile.ts'
import type { MorangoOptions, ServeOptions } from '../morango.ts'
import type { Peer } from '../protocol/peer.ts'
import type { SyncProgress, SyncReport } from '../session/progress.ts'
import { commonFilter, createTestAuthority, type TestScope } from './certificates.ts'
import type { Fault } from './faults.ts'
import { library, librarySchema } from './library.ts'
import { type RunningPeer, startPeer, type TestPeer } from './peer.ts'
import { createSeededRandom } from './random.ts'
import { digestOf } from './records.ts'
import { syncOnce } from './sync-once.ts'
import type { MakeTestDatabase } from './test-database.ts'
import { createVirtualTime } from './virtual-time.ts'

/** What one peer of a network has of its own. */
export interface TestPeerOptions {
  /** Its certificate; without, it holds the root's key and may do everything. */
  readonly scope?: TestScope | undefined
  readonly withoutCapabilities?: readonly string[] | undefined
  readonly database?: MakeTestDatabase | undefined
  /** Another release of the application: other profiles and tables than the rest. */
  readonly profiles?: readonly [Profile, ...Profile[]] | undefined
  readonly schema?: string | readonly string[] | undefined
  readonly serve?: ServeOptions | undefined
}

/** What a test network is made of. Whatever is missing has a default. */
export interface TestNetworkOptions {
  /** Their names, how many (`a`, `b`, …), or each with what it has of its own. Default: 2. */
  readonly peers?: number | readonly string[] | Readonly<Record<string, TestPeerOptions>> | undefined
  /** The same seed gives the same ids, and so the same run. */
  readonly seed?: string | number | undefined
  readonly profile?: Profile | undefined
  readonly profiles?: readonly [Profile, ...Profile[]] | undefined
  /** What makes the application's tables: statements, or one text in which each ends with `;` and a new line. */
  readonly schema?: string | readonly string[] | undefined
  readonly withoutCapabilities?: readonly string[] | undefined
  /** Records in a chunk; 500. */
  readonly chunkSize?: number | undefined
  /** Records in a transaction of a long stage; see `MorangoOptions`. */
  readonly turnSize?: number | undefined
  /** See `MorangoOptions`. */
  readonly deletionBrake?: MorangoOptions['deletionBrake']
  /** See `MorangoOptions`. */
  readonly maxRecordBytes?: number | undefined
  /** See `MorangoOptions`. */
  readonly brakeArriving?: boolean | undefined
  /** The peers' databases; SQLite in memory when missing. */
  readonly database?: MakeTestDatabase | undefined
  readonly onWarning?: MorangoOptions['onWarning']
}

/** What a sync in a test network may be told. */
export interface TestSyncOptions {
  /** Partition prefixes; all that both may have when missing. */
  readonly filter?: string | undefined
  readonly direction?: 'pull' | 'push' | 'both' | undefined
  readonly profile?: string | undefined
  readonly faults?: readonly Fault[] | undefined
  readonly maxChunk?: number | undefined
  readonly confirmDeletions?: boolean | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: SyncProgress) => void) | undefined
  /** Stands between client and server and may alter what they tell each other, to try what a hostile peer can do. */
  readonly through?: ((peer: Peer) => Peer) | undefined
}

/** Instances in one process that sync with each other, without sockets, real time or real chance. */
export interface TestNetwork {
  readonly names: readonly string[]
  /** The root certificate's id: with it the partitions of all records begin. */
  readonly root: string
  peer(name: string): TestPeer
  /**
   * Has `client` sync with `server`, both ways by default.
   *
   * @throws MorangoError as `Morango.sync`; `aborted` when the client was killed. Then sync again to go on.
   */
  sync(client: string, server: string, options?: TestSyncOptions): Promise<SyncReport>
  /** One short text for a peer's Store: equal for equal records in equal versions. */
  digest(peer: string, filter?: string): Promise<string>
  /**
   * Syncs every pair, as far as both may, until a whole round moves no record and changes nothing.
   *
   * @returns the number of rounds
   * @throws MorangoError `stage-failed` when it does not end
   */
  converge(options?: { readonly maxRounds?: number }): Promise<number>
  /** Lets time pass. */
  advance(ms: number): void
  close(): Promise<void>
}

// Longer than any lease that the network's peers have.
const LEASE_MS = 20_000
const MAX_ROUNDS = 12

/**
 * Makes instances in this process to test an application's own profile with.
 *
 * @example
 * const network = await createTestNetwork({ peers: ['tablet', 'school'], profile: gazetteer, schema: TABLES })
 * const place = await network.peer('tablet').insert('place', { country_id: network.root, name: 'Oslo' })
 * await network.sync('tablet', 'school', { faults: [{ kind: 'kill', side: 'server', stage: 'dequeuing' }] })
 * await network.peer('school').row('place', place.id)
 */
export async function createTestNetwork(options: TestNetworkOptions = {}): Promise<TestNetwork> {
  const { seed = 'morango' } = options
  const profiles = options.profiles ?? [options.profile ?? library]
  const time = createVirtualTime()
  const issuing = createSeededRandom(`${seed}:certificates`)
  const authorities = await Promise.all(profiles.map((profile) => createTestAuthority(profile, issuing)))
  const [authority] = authorities
  if (authority === undefined) throw new MorangoError('invalid-argument', 'A network needs a profile.')
  const peers = new Map<string, RunningPeer>()
  let client: string | undefined

  for (const [name, own] of Object.entries(peersOf(options.peers))) {
    const makeDatabase = own.database ?? options.database ?? (await import('./sqlite.ts')).memorySqlite
    const store = await makeDatabase()
    const peer = await startPeer({
      name,
      store,
      schema: statementsOf(own.schema ?? options.schema ?? librarySchema),
      profiles: own.profiles ?? profiles,
      authorities,
      scope: own.scope,
      options: {
        chunkSize: options.chunkSize,
        turnSize: options.turnSize,
        deletionBrake: options.deletionBrake,
        maxRecordBytes: options.maxRecordBytes,
        brakeArriving: options.brakeArriving,
        withoutCapabilities: own.withoutCapabilities ?? options.withoutCapabilities,
        ...(options.onWarning !== undefined && { onWarning: options.onWarning }),
      },
      serve: own.serve ?? {},
      random: createSeededRandom(`${seed}:${name}`),
      clock: time.clock,
      sleep: async (ms, signal) => {
        // Who drives lets the time pass; who serves waits for it.
        if (client !== name) return await time.wait(ms, signal)
        time.advance(ms)
        await Promise.resolve()
      },
      pulse: time.wait,
      lapse: () => time.advance(LEASE_MS),
    })
    peers.set(name, peer)
  }

  const find = (name: string): RunningPeer => {
    const peer = peers.get(name)
    if (peer !== undefined) return peer
    throw new MorangoError('invalid-argument', `There is no peer "${name}" in this network.`)
  }

  async function sync(from: string, to: string, sync: TestSyncOptions = {}): Promise<SyncReport> {
    const { direction = 'both' } = sync
    const filter = sync.filter ?? defaultFilter(from, to, direction)
    client = from
    try {
      return await syncOnce(find(from), find(to), { ...sync, direction, filter })
    } finally {
      client = undefined
    }
  }

  /** What may go from one to the other, in either direction. */
  function permitted(from: string, to: string): { pull: string | undefined; push: string | undefined } {
    const own = authority?.scopeOf(find(from).scope)
    const other = authority?.scopeOf(find(to).scope)
    if (own === undefined || other === undefined) return { pull: undefined, push: undefined }
    const pull = commonFilter(own.read, other.write)
    const push = commonFilter(own.write, other.read)
    return { pull: pull && filterToString(pull), push: push && filterToString(push) }
  }

  function defaultFilter(from: string, to: string, direction: 'pull' | 'push' | 'both'): string {
    const { pull, push } = permitted(from, to)
    const filter = direction === 'push' ? push : pull
    const differ = direction === 'both' && (pull === undefined || push === undefined || !same(pull, push))
    if (filter !== undefined && !differ) return filter
    throw new MorangoError('invalid-argument', `${from} and ${to} may not sync the same both ways`, {
      hint: 'Name the filter and the direction.',
    })
  }

  async function syncPair(from: string, to: string): Promise<number> {
    const { pull, push } = permitted(from, to)
    let moved = 0
    if (pull !== undefined && push !== undefined && same(pull, push)) {
      const report = await sync(from, to, { filter: pull })
      return report.pulled + report.pushed
    }
    if (pull !== undefined) moved += (await sync(from, to, { filter: pull, direction: 'pull' })).pulled
    if (push !== undefined) moved += (await sync(from, to, { filter: push, direction: 'push' })).pushed
    return moved
  }

  const names = [...peers.keys()]
  const digest = async (name: string, filter?: string): Promise<string> =>
    digestOf(await find(name).records(filter))
  const digests = async (): Promise<string> => (await Promise.all(names.map((name) => digest(name)))).join()

  return {
    names,
    root: authority.root.certificate.id,
    peer: find,
    sync,
    digest,
    async converge({ maxRounds = MAX_ROUNDS } = {}) {
      let moved = 0
      for (let round = 1; round <= maxRounds; round++) {
        const before = await digests()
        moved = 0
        for (const [index, from] of names.entries()) {
          for (const to of names.slice(index + 1)) moved += await syncPair(from, to)
        }
        if (moved === 0 && before === (await digests())) return round
      }
      throw new MorangoError('stage-failed', `The network is not at rest after ${maxRounds} rounds`, {
        details: { movedInTheLast: moved },
      })
    },
    advance: (ms) => time.advance(ms),
    async close() {
      for (const peer of peers.values()) await peer.close()
    },
  }
}

function peersOf(peers: TestNetworkOptions['peers'] = 2): Readonly<Record<string, TestPeerOptions>> {
  if (typeof peers === 'number') {
    return peersOf(Array.from({ length: peers }, (_, index) => String.fromCodePoint(97 + index)))
  }
  return isList(peers) ? Object.fromEntries(peers.map((name) => [name, {}])) : peers
}

function isList(peers: readonly string[] | object): peers is readonly string[] {
  return Array.isArray(peers)
}

function statementsOf(schema: string | readonly string[]): readonly string[] {
  const texts = typeof schema === 'string' ? schema.split(/;[^\S\n]*(?:\n|$)/) : schema
  return texts.filter((text) => text.trim() !== '')
}

function same(a: string, b: string): boolean {
  return filtersEqual(a.split('\n'), b.split('\n'))
}
