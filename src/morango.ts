import type { RawBuilder } from 'kysely'
import { type Certificates, createCertificates } from './certificates.ts'
import { type Claims, createClaims } from './claims.ts'
import { type Conflicts, createConflicts } from './conflicts.ts'
import { MorangoError } from './core/errors.ts'
import type { Clock, Random } from './core/ports.ts'
import { printable } from './core/printable.ts'
import { createSigner } from './crypto/webcrypto-signer.ts'
import type { CompiledModel, CompiledProfile } from './models/compiled.ts'
import type { DeletionBrake } from './models/deletion-brake.ts'
import { describeOpenScope, openScopes } from './models/open-scopes.ts'
import type { Profile } from './models/profile.ts'
import { findScopeIn } from './models/scope-lookup.ts'
import { buildRecord } from './models/record.ts'
import { createProblems, type Problems } from './problems.ts'
import type { Peer, Service } from './protocol/peer.ts'
import { createSyncClient, type SyncClient } from './session/client.ts'
import { closeIdleSessions } from './session/idle-sessions.ts'
import type { Explanation } from './session/explanation.ts'
import type { PeerSummary } from './session/peers.ts'
import type { ForeseeOptions, SyncPlan } from './session/foresee.ts'
import type { InstanceInfo } from './session/instance-info.ts'
import type { Engine, SerializeResult } from './session/ports.ts'
import { refusedSet } from './session/refused-certificates.ts'
import type { SyncReport } from './session/progress.ts'
import { createWriteScopes } from './session/write-scopes.ts'
import { createService, type ServiceOptions } from './session/service.ts'
import type { SyncOptions } from './session/sync.ts'
import type { Sleep } from './session/timing.ts'
import { type EngineContext, type EngineWarning, workSizes } from './storage/context.ts'
import { purgeConflicts } from './storage/conflict-log.ts'
import { deleteHard } from './storage/delete-hard.ts'
import { forgetSessions } from './storage/forget-sessions.ts'
import type { Database } from './storage/dialect.ts'
import { purgeDoubts } from './storage/doubts.ts'
import { createEngine } from './storage/engine.ts'
import { currentInstance, openInstance } from './storage/instance.ts'
import { migrate } from './storage/prepare.ts'
import { chosenModels, rescan, type RescanOptions, type RescanReport } from './storage/rescan.ts'
import { restoreDeleted } from './storage/restore-deleted.ts'
import { watchProfiles } from './storage/schema-watch.ts'
import { wakeKnown } from './storage/retry.ts'
import { readStatus, type Status } from './storage/status.ts'
import type { Listeners } from './storage/tell.ts'
import type { Compressor } from './transport/http/compressor.ts'
import { createHttpPeer } from './transport/http/client.ts'
import { VERSION } from './version.ts'

/** What {@link createMorango} needs, and what it may be told. */
export interface MorangoOptions {
  /** From `morango/sqlite` or `morango/postgres`. */
  readonly database: Database
  /** What syncs. The first is meant where a call names none. */
  readonly profiles: readonly [Profile, ...Profile[]]
  /** Bring the tables and triggers up to date first. Default: false, and an error that says so when they are not. */
  readonly migrate?: boolean | undefined
  /** Whether peers may give us certificates to serve with (`ALLOW_CERTIFICATE_PUSHING`). Default: false. */
  readonly allowCertificatePushing?: boolean | undefined
  /**
   * Ids of certificates to have nothing to do with, as server and as client, nor with those below them: of devices that
   * were stolen. The protocol has no revocation, so each peer needs the list itself. Default: none.
   */
  readonly refusedCertificates?: readonly string[] | undefined
  /** Capabilities not to use, for peers that have trouble with them. */
  readonly withoutCapabilities?: readonly string[] | undefined
  /** Records in a chunk. Default: 500, growing to 2,000 between two of ours while the link is quick. */
  readonly chunkSize?: number | undefined
  /**
   * Records that a long stage writes in one transaction, so that others get their turn in between. Default: 2,500,
   * growing to 10,000 while that takes no more than a tenth of a second.
   */
  readonly turnSize?: number | undefined
  /**
   * How many deletions of a model at once are too many to be taken for meant: a serialization that would mark more
   * stops before it stamps anything, unless they are confirmed. `false`: none are. Default: over 30 % of the model's
   * records, and over 100.
   */
  readonly deletionBrake?: DeletionBrake | false | undefined
  /**
   * The most UTF-8 bytes of a record, its JSON and what it keeps of lost versions together. A larger row is a problem
   * and is not sent; a larger record that arrives is refused. Default: 8 MB.
   */
  readonly maxRecordBytes?: number | undefined
  /** Whether deletions that arrive from peers wait for a confirmation when they are as many. Default: false. */
  readonly brakeArriving?: boolean | undefined
  readonly fetch?: typeof fetch | undefined
  /** For faster gzip than the Web's streams: `zlibCompressor` of `morango/node`. */
  readonly compressor?: Compressor | undefined
  /** Told what went wrong without stopping anything. Default: `console.warn`. */
  readonly onWarning?: ((warning: EngineWarning) => void) | undefined
  /** Told of each record that begins to wait with a problem, or with another one, and of each that no longer does. */
  readonly onProblem?: Listeners['onProblem']
  /** Told of each conflict that was settled here, once. */
  readonly onConflict?: Listeners['onConflict']
  readonly clock?: Clock | undefined
  readonly random?: Random | undefined
  readonly sleep?: Sleep | undefined
  /**
   * How long whoever runs a transfer may be without a sign of life before another process on the same database
   * takes it over, in milliseconds. Default: 15,000. It lapses by the database's clock, or by `clock` if that is
   * given.
   */
  readonly leaseMs?: number | undefined
  /** What signs of life wait for in between. Default: the platform's timer. */
  readonly pulse?: Sleep | undefined
}

/** What a sync may be told; see {@link Morango.sync}. */
export interface MorangoSyncOptions extends Partial<SyncOptions> {
  /** Partition prefixes, separated by whitespace: what to sync. */
  readonly filter: string
  /** The profile, if it is not the first. */
  readonly profile?: string | undefined
}

/** What work on one database may be told. */
export interface MorangoWorkOptions {
  /** The profile, if it is not the first. */
  readonly profile?: string | undefined
  readonly signal?: AbortSignal | undefined
  /** Whether deletions are meant, however many they are. */
  readonly confirmDeletions?: boolean | undefined
}

/** What {@link Morango.plan} may be told. */
export interface MorangoPlanOptions extends Partial<ForeseeOptions> {
  /** Partition prefixes, separated by whitespace: what would be synced. */
  readonly filter: string
  /** The profile, if it is not the first. */
  readonly profile?: string | undefined
}

/** How peers are served. */
export type ServeOptions = Pick<ServiceOptions, 'authorize' | 'customInfo' | 'limits' | 'stageWaitMs'>

/** What {@link Morango.cleanup} did. */
export interface CleanupReport {
  readonly closedSessions: number
  readonly forgottenConflicts: number
  /** Sessions that were over for long, with their transfers. */
  readonly forgottenSessions: number
}

/** The profiles whose open scopes were told. */
const WARNED = new WeakSet<Profile>()
const KEPT_CONFLICTS_MS = 30 * 24 * 60 * 60 * 1000

/** One database, ready to sync. */
export interface Morango {
  /**
   * A new row for a model's table, its id and source id filled in. Insert it with whatever you write with.
   * @throws MorangoError `unknown-model`; `invalid-argument` when the values do not make a record
   */
  record<Values extends object>(model: string, values: Values): Values & { readonly id: string }
  /** Deletes records so that nothing of their content is left, here and on every peer that hears of it. */
  deleteHard(model: string, ids: readonly string[]): Promise<void>
  /**
   * Syncs with a peer, both ways by default: what an interrupted sync left is gone on with first.
   * @param peer a base URL, or a peer of another transport
   * @throws MorangoError
   */
  sync(peer: string | Peer, options: MorangoSyncOptions): Promise<SyncReport>
  /**
   * Changed rows to the store, without a sync.
   * @throws MorangoError `too-many-deletions` unless they are confirmed; `not-migrated` when changes are not seen
   */
  serialize(options?: MorangoWorkOptions): Promise<SerializeResult>
  /**
   * What a sync with a peer would do now: records by model and bytes each way, and conflicts. Nothing is stamped or
   * written here, no record moves; the peer serializes its changes, as for a sync.
   * @throws MorangoError as `sync`
   */
  plan(peer: string | Peer, options: MorangoPlanOptions): Promise<SyncPlan>
  /** Tries again to apply received records that wait with a problem. */
  deserialize(options?: MorangoWorkOptions): ReturnType<Engine['deserialize']>
  /**
   * Compares every row with the store and logs what differs, so that changes that no trigger has seen are synced, too.
   * Costs by the size of the tables.
   * @throws MorangoError `unknown-model`
   */
  rescan(options?: RescanOptions & { profile?: string }): Promise<RescanReport>
  /**
   * Brings back rows that were deleted by accident, from the store: those whose deletion was not serialized yet.
   * @returns how many there are, and how many could be written; the others are problems
   */
  restoreDeleted(options?: {
    profile?: string
    models?: readonly string[]
    dryRun?: boolean
  }): Promise<{ found: number; written: number }>
  status(): Promise<Status>
  /**
   * Says that this database was restored from a backup, before anything else is done with it: it goes on as a new
   * instance, and what the backup lacks comes back from peers. Otherwise that is only found out when a peer has seen
   * more of this instance than the backup has reached by then.
   * @returns the new instance's id
   */
  renewInstance(): Promise<{ readonly id: string }>
  /** Who this database has synced with or tried to, when, and how far they are by what they said then. */
  peers(options?: { profile?: string }): Promise<PeerSummary[]>
  /**
   * Why a record did not sync: walks the chain from the row to the peer's, and names the first link that fails.
   * Reads only. A peer that is named is asked what it has, by a session that is closed again; without, what counts is
   * what earlier syncs have told.
   * @param model its name, or its table's
   * @throws MorangoError `unknown-model`; as `sync` when a peer that is named cannot be asked
   */
  explain(
    model: string,
    id: string,
    options?: { peer?: string | Peer; filter?: string; signal?: AbortSignal },
  ): Promise<Explanation>
  readonly problems: Problems
  readonly conflicts: Conflicts
  readonly claims: Claims
  readonly certificates: Certificates
  /** The server's side, for `createRoutes` of `morango/server` or a memory peer. */
  service(options?: ServeOptions): Service
  /** A peer as this instance talks to it. */
  connect(url: string): Peer
  /**
   * Closes sessions in which nothing has happened since `olderThan` (6 hours ago), with their buffers, and forgets
   * conflicts that were restored or dismissed before `settledBefore` (30 days ago), and sessions that were over before
   * `sessionsBefore` (30 days ago). The last session with each certificate is kept. A server does this by itself with the
   * sessions that it serves.
   */
  cleanup(options?: { olderThan?: Date; settledBefore?: Date; sessionsBefore?: Date }): Promise<CleanupReport>
  /** Closes the database if it was opened for this. */
  close(): Promise<void>
  readonly capabilities: readonly string[]
}

/**
 * Makes a database ready to sync.
 *
 * @throws MorangoError `invalid-declaration`, `not-migrated`
 * @example
 * const morango = await createMorango({ database: sqlite('field.db'), profiles: [gazetteer], migrate: true })
 * const report = await morango.sync('https://cloud.example', { filter: dataset })
 */
export async function createMorango(options: MorangoOptions): Promise<Morango> {
  const { database } = options
  const clock = options.clock ?? { now: () => new Date() }
  const random = options.random ?? { uuid: () => globalThis.crypto.randomUUID().replaceAll('-', '') }
  const migrated = options.migrate === true ? await migrate(database, options.profiles) : undefined
  const { profiles, verify } = await watchProfiles(database, options.profiles)
  await openInstance(database, { clock, random })
  const onWarning =
    options.onWarning ?? ((warning: EngineWarning) => console.warn(`morango: ${printable(warning.message)}`))
  for (const profile of options.profiles) {
    // Where nobody listens, once a process is enough.
    if (options.onWarning === undefined && WARNED.has(profile)) continue
    WARNED.add(profile)
    for (const open of openScopes(profile, profiles.get(profile.name)?.models ?? [])) {
      const { what, mend } = describeOpenScope(open)
      onWarning({ code: 'open-scope', message: `${what} ${mend}` })
    }
  }
  const { onProblem, onConflict } = options
  const databaseNow = options.clock === undefined ? (): RawBuilder<number> => database.dialect.now : undefined
  const context: EngineContext = {
    database,
    profiles,
    clock,
    databaseNow,
    random,
    onWarning,
    listeners: onProblem === undefined && onConflict === undefined ? undefined : { onProblem, onConflict },
    sizes: workSizes(options.turnSize),
    deletionBrake: options.deletionBrake,
    brakeArriving: options.brakeArriving,
    verifySchema: verify,
    maxRecordBytes: options.maxRecordBytes,
    ...createWriteScopes(options.profiles),
  }
  await wakeKnown(
    database.kysely,
    [...profiles.values()].flatMap((profile) => profile.models.map((model) => model.name)),
  )
  const engine = createEngine(context)
  if (migrated !== undefined && migrated.restored > 0) {
    for (const { name } of options.profiles) await engine.deserialize({ profile: name })
  }
  const signer = createSigner()
  const capabilities = ownCapabilities(options)
  const { sleep, leaseMs, pulse } = options
  const lease = { databaseNow, leaseMs, pulse }
  const refusedCertificates = refusedSet(options.refusedCertificates)
  const shared = {
    db: database.kysely,
    engine,
    signer,
    clock,
    random,
    capabilities,
    sleep,
    refusedCertificates,
    ...lease,
  }
  const instanceInfo = (): Promise<InstanceInfo> => describeInstance(database)

  const clients = new Map<string, SyncClient>()
  for (const { name, scopes } of options.profiles) {
    const scopeDefinitions = Object.values(scopes)
    const { chunkSize } = options
    clients.set(
      name,
      createSyncClient({
        ...shared,
        profile: name,
        scopeDefinitions,
        instanceInfo,
        chunkSize,
        onWarning,
      }),
    )
  }
  const first = options.profiles[0]
  const clientOf = (profile: string): SyncClient => found(clients.get(profile), profile)
  const connect = (peer: string | Peer): Peer =>
    typeof peer === 'string'
      ? createHttpPeer(peer, {
          capabilities,
          fetch: options.fetch,
          compressor: options.compressor,
          maxRecordBytes: options.maxRecordBytes,
          packedBuffers: options.withoutCapabilities?.includes('PACKED_BUFFERS') !== true,
        })
      : peer

  return {
    capabilities,
    connect,
    record: (model, values) => buildRecord(modelOf(profiles, model), values, () => random.uuid()),
    deleteHard: (model, ids) => deleteHard(database, modelOf(profiles, model), ids),
    sync: (peer, { profile = first.name, direction = 'both', ...run }) =>
      clientOf(profile).sync(connect(peer), { direction, ...run }),
    serialize: ({ profile = first.name, ...work } = {}) => engine.serialize({ profile, ...work }),
    deserialize: ({ profile = first.name, ...work } = {}) =>
      engine.deserialize({ profile, ...work, retryAll: true }),
    rescan: async ({ profile = first.name, ...wishes } = {}) => {
      await verify()
      return await rescan(database, found(profiles.get(profile), profile), wishes)
    },
    restoreDeleted: async ({ profile: name = first.name, models, dryRun = false } = {}) => {
      await verify()
      const profile = found(profiles.get(name), name)
      const count = await restoreDeleted(database, profile, chosenModels(profile, models), dryRun)
      const written = dryRun || count === 0 ? 0 : (await engine.deserialize({ profile: name })).written
      return { found: count, written }
    },
    plan: (peer, { profile = first.name, direction = 'both', ...about }) =>
      clientOf(profile).plan(connect(peer), { direction, ...about }),
    explain: async (name, id, { peer, ...about } = {}) => {
      const model = modelOf(profiles, name)
      const asked = peer === undefined ? undefined : connect(peer)
      return await clientOf(model.profile).explain(database.dialect, model, id, { ...about, peer: asked })
    },
    peers: ({ profile = first.name } = {}) => clientOf(profile).peers(),
    status: () => readStatus(database.kysely, profiles),
    renewInstance: async () => {
      await engine.renew()
      const { id } = await currentInstance(database.kysely)
      return { id }
    },
    problems: createProblems(context, engine),
    conflicts: createConflicts(context),
    claims: createClaims(database),
    certificates: createCertificates({
      database,
      signer,
      client: clientOf(first.name),
      scopes: first.scopes,
      connect,
    }),
    service: (serve = {}) => ({
      ...createService({
        ...shared,
        ...serve,
        profiles: options.profiles.map(({ name }) => name),
        scopeDefinition: findScopeIn(options.profiles),
        instanceInfo,
        version: VERSION,
      }),
      maxRecordBytes: options.maxRecordBytes,
    }),
    cleanup: async ({ olderThan, settledBefore, sessionsBefore } = {}) => {
      const monthAgo = new Date(clock.now().getTime() - KEPT_CONFLICTS_MS)
      const before = settledBefore ?? monthAgo
      await purgeDoubts(database.kysely, monthAgo.toISOString())
      return {
        closedSessions: await closeIdleSessions(shared, olderThan),
        forgottenConflicts: await purgeConflicts(database.kysely, before.toISOString()),
        forgottenSessions: await forgetAll(database, sessionsBefore ?? monthAgo),
      }
    },
    close: () => database.close(),
  }
}

/** Forgets piece by piece: others may write in between. */
async function forgetAll({ kysely }: Database, before: Date): Promise<number> {
  let all = 0
  for (;;) {
    const forgotten = await forgetSessions(kysely, { before: before.toISOString(), limit: 500 })
    all += forgotten
    if (forgotten < 500) return all
  }
}

function ownCapabilities({ allowCertificatePushing, withoutCapabilities = [] }: MorangoOptions): string[] {
  const all = [
    'ASYNC_OPERATIONS',
    'FSIC_V2_FORMAT',
    'GZIP_BUFFER_POST',
    'TRANSFER_PREVIEW',
    'JOINED_STAGES',
    'SET_SUMS',
  ]
  if (allowCertificatePushing === true) all.push('ALLOW_CERTIFICATE_PUSHING')
  return all.filter((name) => !withoutCapabilities.includes(name))
}

async function describeInstance(database: Database): Promise<InstanceInfo> {
  const instance = await currentInstance(database.kysely)
  return {
    id: instance.id,
    ...database.machine.about,
    node_id: instance.node_id,
    database: database.dialect.name,
    // Where the file lies is nobody's business.
    db_path: '',
    system_id: instance.system_id,
  }
}

function modelOf(profiles: ReadonlyMap<string, CompiledProfile>, name: string): CompiledModel {
  for (const profile of profiles.values()) {
    const model = profile.model(name) ?? profile.models.find(({ table }) => table === name)
    if (model !== undefined) return model
  }
  const known = [...profiles.values()].flatMap((profile) => profile.models.map((model) => model.name))
  throw new MorangoError('unknown-model', `There is no model "${name}".`, {
    hint: `Use one of: ${known.join(', ')}.`,
  })
}

function found<T>(value: T | undefined, profile: string): T {
  if (value !== undefined) return value
  throw new MorangoError('unknown-profile', `There is no profile "${profile}" here.`)
}
