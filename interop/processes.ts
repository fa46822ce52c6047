import { join } from 'node:path'
import type { OurOptions } from './our-peer.ts'
import { PASSWORD } from './peer.ts'
import type { PythonSetup } from './python-environment.ts'
import { type RemotePeer, type Start, startPeer } from './remote-peer.ts'

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
  /** Whether its `time.sleep` is left as it is. */
  readonly sleeps?: boolean
  /** SQLite's `synchronous`; off by default, as a test does not care for power cuts. */
  readonly synchronous?: 'off' | 'normal'
}

/** With its database id these make a peer's instance id; the machine shall not. */
export const SYSTEM_ID = 'interop'
export const NODE_ID = 'interop node'

const PROJECT = join(import.meta.dirname, 'python', 'peer.py')
const COMPILED = join(import.meta.dirname, '..', '.cache', 'node')
const CHILD = join(import.meta.dirname, 'child.ts')

/** Starts a peer of the original on a copy of the empty database, or on what became of one. */
export async function startPython(...how: Parameters<typeof pythonStart>): Promise<RemotePeer> {
  return await startPeer(pythonStart(...how))
}

/** How a peer of the original is started. */
export function pythonStart({ executable }: PythonSetup, path: string, options: PythonOptions): Start {
  return {
    kind: 'python',
    command: executable,
    args: [PROJECT],
    env: {
      PYTHONDONTWRITEBYTECODE: '1',
      MORANGO_SYSTEM_ID: SYSTEM_ID,
      MORANGO_NODE_ID: NODE_ID,
      INTEROP_DATABASE: path,
      INTEROP_PASSWORD: PASSWORD,
      INTEROP_NO_SLEEP: options.sleeps === true ? '0' : '1',
      INTEROP_SYNCHRONOUS: options.synchronous ?? 'off',
      INTEROP_DISALLOW_ASYNC_OPERATIONS: options.noAsync === true ? '1' : '0',
      INTEROP_DISABLE_FSIC_V2_FORMAT: options.noV2 === true ? '1' : '0',
      INTEROP_NO_SHARED_KEY: options.noSharedKey === true ? '1' : '0',
      INTEROP_ALLOW_CERTIFICATE_PUSHING: options.pushing === true ? '1' : '0',
    },
  }
}

/** Starts a peer of ours in a process of its own. */
export async function startOurs(options: OurOptions, execArgv: readonly string[] = []): Promise<RemotePeer> {
  return await startPeer({
    kind: 'ours',
    command: process.execPath,
    args: ['--disable-warning=ExperimentalWarning', ...execArgv, CHILD, JSON.stringify(options)],
    env: { NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? COMPILED },
  })
}
