import { isMorangoError } from '../core/errors.ts'
import type { Peer, Service } from '../protocol/peer.ts'
import { type Behaviour, failure, holds, same, type TestFramework } from './behaviour.ts'
import { createTestNetwork, type TestNetwork, type TestNetworkOptions } from './network.ts'

/** A transport's peer, connected to a service. */
export interface ConnectedPeer {
  readonly peer: Peer
  /** Gives up what carries it. */
  close?(): void | Promise<void>
}

/** Connects to a service over the transport under test, telling it these capabilities. */
export type ConnectPeer = (
  service: Service,
  options: { readonly capabilities: readonly string[] },
) => ConnectedPeer | Promise<ConnectedPeer>

/** A client `a` and a server `b`, and the way from one to the other. */
interface Line {
  readonly network: TestNetwork
  readonly peer: Peer
  readonly pull: (maxChunk?: number) => ReturnType<TestNetwork['sync']>
  readonly push: (maxChunk?: number) => ReturnType<TestNetwork['sync']>
}

type MakeLine = (options?: TestNetworkOptions) => Promise<Line>

const UNKNOWN = '0'.repeat(32)
const BOOKS = 7
const TEXTS = ['plain', 'Grüße, 世界 🐘', 'quotes " and \\ and \n', '\u0001\u007f\u2028', 'x'.repeat(300_000)]

async function fill(network: TestNetwork, peer: string): Promise<void> {
  for (let book = 0; book < BOOKS; book++) {
    const title = TEXTS[book % TEXTS.length] ?? ''
    await network.peer(peer).insert('book', { root: network.root, owner: 'u1', title })
  }
}

const BEHAVIOURS: readonly Behaviour<MakeLine>[] = [
  {
    name: 'carries transfers both ways, whatever the texts and the size of the chunks',
    async run(make) {
      for (const maxChunk of [1, 3, 500]) {
        const { network, pull, push } = await make()
        await fill(network, 'a')
        await fill(network, 'b')
        same((await pull(maxChunk)).pulled, BOOKS, 'what came')
        same((await push(maxChunk)).pushed, BOOKS, 'what went')
        same(await network.peer('b').rows('book'), await network.peer('a').rows('book'), 'the rows')
        same([(await pull()).pulled, (await push()).pushed], [0, 0], 'what moves again')
      }
    },
  },
  {
    name: 'tells both sides of the same capabilities, none among them',
    async run(make) {
      for (const withoutCapabilities of [['ASYNC_OPERATIONS'], ['FSIC_V2_FORMAT'], ['GZIP_BUFFER_POST']]) {
        const { network, peer, push } = await make({ withoutCapabilities })
        const { capabilities } = await peer.info()
        same(
          capabilities.filter((name) => withoutCapabilities.includes(name)),
          [],
          'what the server says',
        )
        await fill(network, 'a')
        same((await push()).pushed, BOOKS, 'what went')
      }
    },
  },
  {
    name: 'tells what is not there from what is refused',
    async run(make) {
      const { peer } = await make()
      same(await peer.syncSession(UNKNOWN), undefined, 'an unknown sync session')
      same(await peer.transferSession(UNKNOWN), undefined, 'an unknown transfer session')
      same(await peer.certificates({ primaryPartition: UNKNOWN }), [], 'certificates of an unknown root')
      const closing = await failure(peer.closeTransferSession(UNKNOWN), 'closing what is not there')
      holds(isMorangoError(closing, 'peer-error') && closing.details['status'] === 404, 'it is answered 404')
      const pushing = await failure(peer.publicKey(), 'the shared key where pushing is off')
      holds(isMorangoError(pushing, 'peer-error') && pushing.details['status'] === 403, 'it is answered 403')
      const request = { id: UNKNOWN, filter: 'x', push: true, sync_session_id: UNKNOWN, client_fsic: '{}' }
      const opening = await failure(peer.createTransferSession(request), 'a transfer in no session')
      holds(isMorangoError(opening, 'peer-error') && opening.details['status'] === 400, 'it is answered 400')
      holds(typeof opening.details['body'] === 'string', 'the server’s sentence is passed on')
    },
  },
  {
    name: 'carries credentials to the application, and its verdict back',
    async run(make) {
      const seen: unknown[] = []
      const serve = {
        authorize: (applicant: { username: string; password: string; fields: object }): boolean => {
          seen.push([applicant.username, applicant.password, applicant.fields])
          return applicant.password === 'schlüssel:ü'
        },
      }
      const { network, peer } = await make({ peers: { a: {}, b: { serve } } })
      const wish = {
        scopeDefinition: 'owner',
        scopeParams: { root: network.root, owner: 'u1' },
        parentId: network.root,
      }
      const ask = (password: string): Promise<unknown> =>
        network.peer('a').morango.certificates.request(peer, {
          ...wish,
          credentials: { username: 'user=jürgen&class=1', password },
        })
      await ask('schlüssel:ü')
      const refused = await failure(ask('wrong'), 'a wrong password')
      holds(isMorangoError(refused, 'peer-error') && refused.details['status'] === 403, 'it is answered 403')
      same(
        seen[0],
        ['user=jürgen&class=1', 'schlüssel:ü', { user: 'jürgen', class: '1' }],
        'what the application sees',
      )
    },
  },
  {
    name: 'counts what crosses',
    async run(make) {
      const { network, peer, push } = await make()
      await fill(network, 'a')
      const report = await push()
      holds(report.bytes.sent > 500, `${report.bytes.sent} bytes were sent`)
      holds(report.bytes.received > 500, `${report.bytes.received} bytes were received`)
      holds(report.roundTrips > 5, `${report.roundTrips} round trips`)
      same(peer.traffic.roundTrips, report.roundTrips, 'round trips of the peer')
    },
  },
  {
    name: 'can be aborted, and a sync then goes on where it stopped',
    async run(make) {
      const { network, peer } = await make({ chunkSize: 2 })
      const refused = await failure(peer.info({ signal: AbortSignal.abort() }), 'a call that was aborted')
      holds(isMorangoError(refused, 'aborted'), 'it says so')
      await fill(network, 'a')
      const stop = new AbortController()
      const { morango } = network.peer('a')
      const sync = morango.sync(peer, {
        filter: network.root,
        direction: 'push',
        signal: stop.signal,
        onProgress: (progress) => {
          if (progress.kind === 'stage-progress' && progress.stage === 'transferring' && progress.done > 0)
            stop.abort()
        },
      })
      holds(isMorangoError(await failure(sync, 'a sync that was aborted'), 'aborted'), 'it says so too')
      const report = await morango.sync(peer, { filter: network.root, direction: 'push' })
      same(
        report.transfers.map(({ resumed }) => resumed),
        [true],
        'whether it went on',
      )
      same((await network.peer('b').rows('book')).length, BOOKS, 'rows')
    },
  },
  {
    name: 'lets several calls be under way at once',
    async run(make) {
      const { peer } = await make()
      const nonces = await Promise.all(Array.from({ length: 8 }, () => peer.createNonce()))
      same(new Set(nonces.map(({ id }) => id)).size, 8, 'different nonces')
    },
  },
]

/**
 * Everything that a transport must do, as tests on peers that you connect to services.
 *
 * @param defaults what the networks of the tests are made of besides, such as their databases.
 *
 * @example
 * import { describe, test } from 'vitest'
 * const connect = (service, options) => ({ peer: createMemoryPeer(service, options) })
 * describePeer('memory', connect, { describe, test })
 */
export function describePeer(
  name: string,
  connect: ConnectPeer,
  framework: TestFramework,
  defaults: TestNetworkOptions = {},
): void {
  framework.describe(name, () => {
    for (const { name: what, run } of BEHAVIOURS) {
      framework.test(what, async () => {
        const opened: { close?(): void | Promise<void> }[] = []
        try {
          await run(async (options) => {
            const network = await createTestNetwork({ peers: ['a', 'b'], ...defaults, ...options })
            const client = network.peer('a').morango
            const { service } = network.peer('b')
            const connected = await connect(service, { capabilities: client.capabilities })
            opened.unshift(connected, network)
            const { peer } = connected
            const sync = (direction: 'pull' | 'push') => (maxChunk?: number) =>
              client.sync(peer, {
                filter: network.root,
                direction,
                ...(maxChunk !== undefined && { maxChunk }),
              })
            return { network, peer, pull: sync('pull'), push: sync('push') }
          })
        } finally {
          for (const one of opened) await one.close?.()
        }
      })
    }
  })
}
