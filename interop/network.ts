import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inject, test as base } from 'vitest'
import type { TestAPI } from 'vitest'
import { createOurPeer, type OurOptions } from './our-peer.ts'
import type { Peer } from './peer.ts'
import { type PythonOptions, startOurs, startPython } from './processes.ts'
import { type Proxy, startProxy } from './proxy.ts'
import type { RemotePeer } from './remote-peer.ts'

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

/** Vitest's `test` with a network, whose peers are put away after each test. */
export const test: TestAPI<{ network: Network }> = base.extend<{ network: Network }>({
  // oxlint-disable-next-line no-empty-pattern
  network: async ({}, use) => {
    const ending: (() => Promise<void>)[] = []
    try {
      await use(createNetwork(ending))
    } finally {
      await Promise.all(ending.map((end) => end()))
    }
  },
})

/** Whether there is no Python to test against. */
export const noPython: boolean = inject('python') === undefined

function createNetwork(ending: (() => Promise<void>)[]): Network {
  return {
    async python(options = {}) {
      const key = JSON.stringify([options.noAsync === true, options.noV2 === true, options.pushing === true])
      const pool = idle.get(key) ?? []
      idle.set(key, pool)
      const used = pool.pop()
      if (used !== undefined) await used.reset()
      const peer = used ?? (await startTestPython(newDatabase(), options))
      ending.push(async () => {
        pool.push(peer)
      })
      return peer
    },
    async ours(options) {
      const peer = await createOurPeer(options)
      ending.push(() => peer.close())
      return peer
    },
    async mortal(kind, again) {
      const path = again ?? (kind === 'python' ? newDatabase() : join(folder, `ours-${files++}.db`))
      const peer = kind === 'python' ? await startTestPython(path, {}) : await startOurs({ path })
      ending.push(() => peer.kill())
      return { peer, path }
    },
    async proxy(target) {
      const proxy = await startProxy(target)
      ending.push(() => proxy.close())
      return proxy
    },
  }
}

function newDatabase(): string {
  const path = join(folder, `python-${files++}.db`)
  copyFileSync(inject('python')?.database ?? '', path)
  return path
}

function startTestPython(path: string, options: PythonOptions): Promise<RemotePeer> {
  const python = inject('python')
  if (python === undefined) throw new Error('There is no Python here')
  return startPython(python, path, { sleeps: process.env['INTEROP_SLEEP'] !== undefined, ...options })
}
