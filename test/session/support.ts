import { readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { Kysely, SqliteDialect } from 'kysely'
import { createRootCertificate } from '../../src/core/certificate-create.ts'
import type { OwnCertificate } from '../../src/core/certificate-create.ts'
import type { Clock, KeyPair, Random, Signer } from '../../src/core/ports.ts'
import type { ScopeDefinition } from '../../src/core/scope.ts'
import { createSigner } from '../../src/crypto/webcrypto-signer.ts'
import type { Peer, Service } from '../../src/protocol/peer.ts'
import { createSyncClient } from '../../src/session/client.ts'
import type { SyncClient, SyncClientOptions } from '../../src/session/client.ts'
import { createService } from '../../src/session/service.ts'
import type { ServiceOptions } from '../../src/session/service.ts'
import { saveCertificate } from '../../src/storage/certificates.ts'
import { migrateOwnTables } from '../../src/storage/migrations.ts'
import type { Schema } from '../../src/storage/schema.ts'
import { sqliteDialect } from '../../src/storage/sqlite/dialect.ts'
import { nodeSqliteDriver } from '../../src/storage/sqlite/node-sqlite.ts'
import { createMemoryPeer } from '../../src/transport/memory.ts'
import type { Intercept } from '../../src/transport/memory.ts'
import { createFakeEngine } from './fake-engine.ts'
import type { FakeEngine } from './fake-engine.ts'

export const ALL: readonly string[] = ['ASYNC_OPERATIONS', 'FSIC_V2_FORMAT', 'GZIP_BUFFER_POST']
/** The same, and what only our own servers can. */
export const JOINED: readonly string[] = [...ALL, 'JOINED_STAGES']
export const PROFILE = 'facilitydata'

const scope = (id: string, rest: Partial<ScopeDefinition>): ScopeDefinition => ({
  id,
  profile: PROFILE,
  version: 1,
  primaryScopeParamKey: '',
  description: '',
  readFilterTemplate: '',
  writeFilterTemplate: '',
  readWriteFilterTemplate: '',
  ...rest,
})

export const SCOPES: readonly ScopeDefinition[] = [
  scope('rootcert', { primaryScopeParamKey: 'main', readWriteFilterTemplate: '${main}' }),
  scope('fullsub', { readWriteFilterTemplate: '${main}' }),
  scope('subcert', {
    readFilterTemplate: '${main}:shared\n${main}:${sub}',
    writeFilterTemplate: '${main}:${sub}',
  }),
]

const keys: KeyPair[] = readKeys()
let nextKey = 1

/** The real signer, its keys out of a drawer: making one takes long. */
export const signer: Signer = {
  ...createSigner(),
  generateKeyPair: async () => keyPair(nextKey++),
}

export const root: OwnCertificate = await createRootCertificate({
  signer,
  definition: SCOPES[0] ?? scope('rootcert', {}),
  keyPair: keyPair(0),
})

/** The root's id: the partition that everything lies under. */
export const ROOT: string = root.certificate.id

/** A clock that goes on by a millisecond with every look. */
export function createClock(): Clock & { advance(ms: number): void } {
  let now = Date.UTC(2026, 0, 1)
  return {
    now: () => new Date(now++),
    advance(ms) {
      now += ms
    },
  }
}

let serial = 0

/** Random enough for ids, and the same every time. */
export const random: Random = {
  uuid: () => (serial++).toString(16).padStart(32, 'f'),
}

export function hex(letter: string): string {
  return letter.repeat(32)
}

export async function createDatabase(): Promise<Kysely<Schema>> {
  const kysely = new Kysely<Schema>({
    dialect: new SqliteDialect({ database: nodeSqliteDriver(new DatabaseSync(':memory:')) }),
  })
  await migrateOwnTables({
    kysely,
    dialect: sqliteDialect,
    fingerprint: () => Promise.resolve(''),
    machine: { systemId: '', nodeId: '', about: {} },
    description: '',
    close: () => kysely.destroy(),
  })
  return kysely
}

/** One instance: a database and an engine, which survive when client and service are made anew. */
export interface Instance {
  readonly db: Kysely<Schema>
  readonly engine: FakeEngine
  readonly clock: ReturnType<typeof createClock>
  readonly random: Random
  client(options?: Partial<SyncClientOptions>): SyncClient
  service(options?: Partial<ServiceOptions>): Service
}

export async function createInstance(
  letter: string,
  options: { root?: boolean; clock?: ReturnType<typeof createClock> } = {},
): Promise<Instance> {
  const db = await createDatabase()
  const engine = createFakeEngine(hex(letter))
  const clock = options.clock ?? createClock()
  if (options.root !== false) await saveCertificate(db, root.certificate, root.privateKeyPem)
  const common = {
    db,
    engine,
    signer,
    clock,
    random,
    capabilities: ALL,
    instanceInfo: () => ({ id: hex(letter), platform: 'Linux-test' }),
  }
  return {
    db,
    engine,
    clock,
    random,
    client: (more) =>
      createSyncClient({
        ...common,
        profile: PROFILE,
        scopeDefinitions: SCOPES,
        sleep: (ms) => {
          clock.advance(ms)
          return new Promise((resolve) => setImmediate(resolve))
        },
        ...more,
      }),
    service: (more) =>
      createService({
        ...common,
        profiles: [PROFILE],
        scopeDefinition: (id) => SCOPES.find((definition) => definition.id === id),
        version: '1.0.0',
        ...more,
      }),
  }
}

/** A way to a service in the same process that can be cut, and led to another service. */
export interface Line {
  readonly peer: Peer
  readonly log: string[]
  /** Replaces the service; calls in flight are lost. */
  restart(service: Service): void
  intercept: Intercept | undefined
}

export function createLine(first: Service, capabilities: readonly string[] = ALL): Line {
  let current = first
  let cut = Promise.withResolvers<never>()
  cut.promise.catch(() => {})
  const log: string[] = []
  const lead = new Proxy(first, {
    get: (_target, key) => Reflect.get(current, key),
  })
  const line: Line = {
    log,
    intercept: undefined,
    restart(service) {
      current = service
      cut.reject(lost())
      cut = Promise.withResolvers<never>()
      cut.promise.catch(() => {})
    },
    peer: createMemoryPeer(lead, {
      capabilities,
      name: 'memory:server/',
      intercept: (call, next) => {
        log.push(call.method)
        const reply = line.intercept === undefined ? next() : line.intercept(call, next)
        return Promise.race([reply, cut.promise])
      },
    }),
  }
  return line
}

export { lostInTransit as lost } from '../../src/transport/memory.ts'
import { lostInTransit as lost } from '../../src/transport/memory.ts'

export function keyPair(index: number): KeyPair {
  const pair = keys[index % keys.length]
  if (pair === undefined) throw new Error('no keys')
  return pair
}

function readKeys(): KeyPair[] {
  const path = new URL('../fixtures/golden/keys.json', import.meta.url)
  const { keys: list }: { keys: { private_key_pem: string; public_key_string: string }[] } = JSON.parse(
    readFileSync(path, 'utf8'),
  )
  return list.map((key) => ({ privateKeyPem: key.private_key_pem, publicKey: key.public_key_string }))
}

/** Fills an instance with records under the root. */
export function fill(instance: Instance, count: number, tag: string): void {
  for (let index = 0; index < count; index++) {
    const id = `${tag}${index.toString(16)}`.padStart(32, '0')
    instance.engine.write(id, `${ROOT}:thing:${index % 3}`, `${tag}${index}`)
  }
}
