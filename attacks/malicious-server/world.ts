import { createChildCertificate, type OwnCertificate } from '../../src/core/certificate-create.ts'
import type { Certificate } from '../../src/core/certificate.ts'
import type { KeyPair } from '../../src/core/ports.ts'
import { pythonStringify } from '../../src/core/python-json.ts'
import { createSigner } from '../../src/crypto/webcrypto-signer.ts'
import { defineProfile, model, type Profile, scope } from '../../src/index.ts'
import type { Peer } from '../../src/protocol/peer.ts'
import { heldCertificates } from '../../src/storage/certificates.ts'
import { createTestAuthority, type TestAuthority } from '../../src/testing/certificates.ts'
import { TEST_KEY_PAIR } from '../../src/testing/keys.ts'
import { type RunningPeer, startPeer } from '../../src/testing/peer.ts'
import { createSeededRandom, library, librarySchema, type MakeTestDatabase } from '../../src/testing/index.ts'
import { memorySqlite } from '../../src/testing/sqlite.ts'
import { createVirtualTime, type VirtualTime } from '../../src/testing/virtual-time.ts'
import { createHttpPeer, type HttpPeerOptions } from '../../src/transport/http/client.ts'
import { createRoutes } from '../../src/transport/http/server.ts'
import { type HonestApp, honestly, type MaliciousServer, serveMalicious, type Tamper } from './layer.ts'

/** The library, and cards, whose ids anyone may take who knows them. */
export const profile: Profile = defineProfile({
  name: 'library',
  models: {
    ...library.models,
    card: model({ table: 'card', id: 'source-id', partition: '${root}:${owner}' }),
  },
  scopes: {
    all: scope({ root: 'root', readWrite: '${root}' }),
    owner: scope({ readWrite: '${root}:${owner}' }),
    reader: scope({ read: '${root}:${owner}' }),
  },
})

const schema: readonly string[] = [
  ...librarySchema,
  `create table card (id text primary key not null, root text not null, owner text not null, text text)`,
]

export const MODELS = ['shelf', 'book', 'note', 'setting', 'card'] as const
export const PASSWORD = 'correct-horse-battery-staple'

export const signer: ReturnType<typeof createSigner> = createSigner()

/** Keys of the client, of the malicious server, and of nobody that anybody trusts; made once. */
export const keys: { readonly client: KeyPair; readonly server: KeyPair; readonly foreign: KeyPair } = {
  client: await signer.generateKeyPair(),
  server: await signer.generateKeyPair(),
  foreign: await signer.generateKeyPair(),
}

const authority: TestAuthority = await createTestAuthority(profile, createSeededRandom('attacks'))
/** The root certificate of all honest ones, and its key. */
export const root: OwnCertificate = authority.root
/** What the malicious server may write, and is asked for. */
export const FILTER: string = `${root.certificate.id}:u1`

let serial = 0

/** The authority as it certifies a key of one's own. */
function certifying(keyPair: KeyPair): TestAuthority {
  return {
    ...authority,
    async issue({ scope: scopeDefinitionId, params }) {
      const certificate = await createChildCertificate({
        signer,
        parent: root.certificate,
        parentPrivateKeyPem: root.privateKeyPem,
        scopeDefinitionId,
        scopeVersion: 1,
        scopeParams: pythonStringify({ root: root.certificate.id, ...params }),
        publicKey: keyPair.publicKey,
        salt: String(++serial).padStart(32, '0'),
      })
      return { certificate, privateKeyPem: keyPair.privateKeyPem }
    },
  }
}

/** A client, an honest service with a narrow certificate that somebody alters the answers of, and an honest server. */
export interface World {
  readonly client: RunningPeer
  readonly server: RunningPeer
  readonly honest: RunningPeer
  /** The client's time; it passes when the client waits. */
  readonly time: VirtualTime
  /** Serves the narrow service behind the layer, on a port of its own. */
  attack(tamper: Tamper, withheld?: ReadonlySet<string>): Promise<MaliciousServer>
  /** A server that nobody has any business with. */
  elsewhere(): Promise<MaliciousServer>
  /** The server as the client talks to it. */
  connect(url: string, options?: Partial<HttpPeerOptions>): Peer
  /** A peer over HTTP that is honest, and may have everything. */
  honestPeer(): Promise<Peer>
  /** The malicious server's own certificate. */
  serverCertificate(): Promise<Certificate>
  close(): Promise<void>
}

/** Makes a world; the client's database is the one under attack. */
export async function createWorld(makeDatabase: MakeTestDatabase): Promise<World> {
  const time = createVirtualTime()
  const opened: MaliciousServer[] = []
  const passing = async (ms: number): Promise<void> => {
    time.advance(ms)
    await Promise.resolve()
  }
  const real = { now: () => new Date() }
  const client = await startPeer({
    ...common('client', certifying(keys.client)),
    store: await makeDatabase(),
    scope: { scope: 'all' },
    clock: time.clock,
    sleep: passing,
    pulse: time.wait,
    lapse: () => time.advance(20_000),
  })
  const server = await startPeer({
    ...common('server', certifying(keys.server)),
    store: memorySqlite(),
    scope: { scope: 'owner', params: { owner: 'u1' } },
    clock: real,
  })
  const honest = await startPeer({
    ...common('honest', certifying(TEST_KEY_PAIR)),
    store: memorySqlite(),
    scope: undefined,
    clock: real,
  })
  const routes = (peer: RunningPeer): HonestApp =>
    createRoutes(peer.morango.service({ authorize: ({ password }) => password === PASSWORD }), {
      onError: () => {},
    })
  const behind = routes(server)
  const open = async (serving: Promise<MaliciousServer>): Promise<MaliciousServer> => {
    const one = await serving
    opened.push(one)
    return one
  }
  const connect = (url: string, options: Partial<HttpPeerOptions> = {}): Peer =>
    createHttpPeer(url, {
      capabilities: client.morango.capabilities,
      sleep: passing,
      random: () => 0.5,
      ...options,
    })
  let honestUrl: string | undefined
  const world: World = {
    client,
    server,
    honest,
    time,
    attack: (tamper, withheld) => open(serveMalicious(tamper, behind, withheld)),
    elsewhere: () => open(serveMalicious(() => ({ status: 200, headers: {}, body: '{}' }))),
    connect,
    async honestPeer() {
      honestUrl ??= (await open(serveMalicious(honestly, routes(honest)))).url
      return connect(honestUrl)
    },
    async serverCertificate() {
      const [held] = await heldCertificates(server.database.kysely)
      if (held === undefined) throw new Error('The server has no certificate')
      return held.certificate
    },
    async close() {
      for (const one of opened) await one.close()
      for (const peer of [client, server, honest]) await peer.close()
    },
  }
  return world

  function common(
    name: string,
    own: TestAuthority,
  ): Omit<Parameters<typeof startPeer>[0], 'store' | 'scope' | 'clock'> {
    return {
      name,
      schema,
      profiles: [profile],
      authorities: [own],
      options: { chunkSize: 3 },
      serve: {},
      random: createSeededRandom(`${name} ${++serial}`),
      sleep: later,
      pulse: later,
      lapse: () => {},
    }
  }
}

/** Real time, for those who are not looked at. */
function later(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    timer.unref()
    signal?.addEventListener('abort', () => resolve(), { once: true })
  })
}
