import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inject, test as base } from 'vitest'
import type { TestAPI } from 'vitest'
import { createOurPeer, type OurOptions } from './our-peer.ts'
import { countPairings } from './pairings.ts'
import { type Peer, PASSWORD, USERNAME } from './peer.ts'
import { type Proxy, startProxy } from './proxy.ts'
import { type ForkServer, type RemotePeer, type Start, startForkServer, startPeer } from './remote-peer.ts'

/** How a peer of the original differs from the default. */
export interface PythonOptions {
  /** `MORANGO_DISALLOW_ASYNC_OPERATIONS` */
  readonly noAsync?: boolean
  /** `MORANGO_DISABLE_FSIC_V2_FORMAT` */
  readonly noV2?: boolean
  /** `ALLOW_CERTIFICATE_PUSHING` */
  readonly pushing?: boolean
  /** Nobody has made the key for certificates pushed to it. */
  readonly noSharedKey?: boolean
}

/** The peers of one test. */
export interface Network {
  python(options?: PythonOptions): Promise<Peer>
  ours(options?: OurOptions): Promise<Peer>
  /** A peer in a process of its own with a database of its own, to be killed. `again` starts it anew. */
  mortal(kind: 'python' | 'ours', again?: string): Promise<Mortal>
  proxy(target: string): Promise<Proxy>
}

/** A peer that may be killed. */
export interface Mortal {
  readonly peer: RemotePeer
  /** Where its database is. */
  readonly path: string
}

/** A client and a server with certificates, the client's below the server's. */
export interface Pair {
  readonly client: Peer
  readonly server: Peer
  /** The root certificate's id. */
  readonly dataset: string
}

const PROJECT = join(import.meta.dirname, 'python', 'peer.py')
const COMPILED = join(import.meta.dirname, '..', '.cache', 'node')
const CHILD = join(import.meta.dirname, 'child.ts')
export const SYSTEM_ID = 'interop'
export const NODE_ID = 'interop node'
const idle = new Map<string, RemotePeer[]>()
const folder = mkdtempSync(join(tmpdir(), 'morango-interop-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
let files = 0
let forkServer: ForkServer | undefined

/** Vitest's `test` with a network, whose peers are put away after each test. */
export const test: TestAPI<{ network: Network }> = base.extend<{ network: Network }>({
  network: async ({ task }, use) => {
    const ending: (() => Promise<void>)[] = []
    try {
      await use(createNetwork(ending, (pairing) => countPairings(task, [pairing])))
    } finally {
      await Promise.all(ending.map((end) => end()))
    }
  },
})

/** Whether there is no Python to test against. */
export const noPython: boolean = inject('python') === undefined

function createNetwork(ending: (() => Promise<void>)[], count: (pairing: string) => void): Network {
  const kinds = new Map<string, string>()
  const proxies = new Map<string, Proxy>()

  function counted<T extends Peer>(peer: T): T {
    kinds.set(peer.url, peer.kind)
    return {
      ...peer,
      sync(wanted: Parameters<Peer['sync']>[0]) {
        const server = kinds.get(proxies.get(wanted.url)?.target ?? wanted.url)
        count(`${peer.kind} to ${server ?? 'unknown'}`)
        return peer.sync(wanted)
      },
    }
  }

  return {
    async python(options = {}) {
      const { noAsync = false, noV2 = false, pushing = false, noSharedKey = false } = options
      const key = JSON.stringify([noAsync, noV2, pushing, noSharedKey])
      const pool = idle.get(key) ?? []
      idle.set(key, pool)
      const used = pool.pop()
      if (used !== undefined) await used.reset()
      const peer = used ?? (await startPython(newDatabase(), options))
      ending.push(async () => {
        pool.push(peer)
      })
      return counted(peer)
    },
    async ours(options) {
      const peer = await createOurPeer(options)
      ending.push(() => peer.close())
      return counted(peer)
    },
    async mortal(kind, again) {
      const path = again ?? (kind === 'python' ? newDatabase() : join(folder, `ours-${files++}.db`))
      const peer =
        kind === 'python'
          ? await (forkServer ??= startForkServer(pythonStart(newDatabase(), {}))).fork(path)
          : await startPeer({
              kind: 'ours',
              command: process.execPath,
              args: ['--disable-warning=ExperimentalWarning', CHILD, JSON.stringify({ path })],
              env: { NODE_COMPILE_CACHE: COMPILED },
            })
      ending.push(() => peer.kill())
      return { peer: counted(peer), path }
    },
    async proxy(target) {
      const proxy = await startProxy(target)
      proxies.set(proxy.url, proxy)
      ending.push(() => proxy.close())
      return proxy
    },
  }
}

/** A copy of the empty database. */
export function newDatabase(): string {
  const path = join(folder, `python-${files++}.db`)
  copyFileSync(inject('python')?.database ?? '', path)
  return path
}

/** Starts a peer of the original in a process of its own. */
export function startPython(path: string, options: PythonOptions): Promise<RemotePeer> {
  return startPeer(pythonStart(path, options))
}

function pythonStart(path: string, options: PythonOptions): Start {
  return {
    kind: 'python',
    command: inject('python')?.executable ?? '',
    args: [PROJECT],
    env: {
      PYTHONDONTWRITEBYTECODE: '1',
      // With its database id this makes the instance id; the machine shall not.
      MORANGO_SYSTEM_ID: SYSTEM_ID,
      MORANGO_NODE_ID: NODE_ID,
      INTEROP_DATABASE: path,
      INTEROP_PASSWORD: PASSWORD,
      INTEROP_NO_SLEEP: process.env['INTEROP_SLEEP'] === undefined ? '1' : '0',
      INTEROP_DISALLOW_ASYNC_OPERATIONS: options.noAsync === true ? '1' : '0',
      INTEROP_DISABLE_FSIC_V2_FORMAT: options.noV2 === true ? '1' : '0',
      INTEROP_NO_SHARED_KEY: options.noSharedKey === true ? '1' : '0',
      INTEROP_ALLOW_CERTIFICATE_PUSHING: options.pushing === true ? '1' : '0',
    },
  }
}

/** Gives the server a root certificate and the client one below it. */
export async function introduce(client: Peer, server: Peer): Promise<Pair> {
  const dataset = await server.root({ scope: 'full' })
  await certify(client, server, dataset)
  return { client, server, dataset }
}

/** Gives the client a certificate for the whole dataset below one of the server's. */
export async function certify(client: Peer, server: Peer, dataset: string): Promise<void> {
  await client.request({
    url: server.url,
    dataset,
    scope: 'full',
    params: { dataset_id: dataset },
    username: USERNAME,
    password: PASSWORD,
  })
}
