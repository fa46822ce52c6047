import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inject, test as base } from 'vitest'
import type { TestAPI } from 'vitest'
import { createOurPeer, type OurOptions } from './our-peer.ts'
import { countPairings } from './pairings.ts'
import type { Peer } from './peer.ts'
import type { PythonSetup } from './python-environment.ts'
import { type PythonOptions, pythonStart, startOurs, startPython } from './processes.ts'
import { type Proxy, startProxy } from './proxy.ts'
import { type ForkServer, type RemotePeer, startForkServer } from './remote-peer.ts'

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
      const peer = used ?? (await startTestPython(newDatabase(), options))
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
          ? await (forkServer ??= startForkServer(pythonStart(setup(), newDatabase(), settings({})))).fork(
              path,
            )
          : await startOurs({ path })
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
export function startTestPython(path: string, options: PythonOptions): Promise<RemotePeer> {
  return startPython(setup(), path, settings(options))
}

function setup(): PythonSetup {
  const python = inject('python')
  if (python === undefined) throw new Error('There is no Python here')
  return python
}

function settings(options: PythonOptions): PythonOptions {
  return { sleeps: process.env['INTEROP_SLEEP'] !== undefined, ...options }
}
