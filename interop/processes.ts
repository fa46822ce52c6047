import { join } from 'node:path'
import type { OurOptions } from './our-peer.ts'
import { PASSWORD } from './peer.ts'
import type { PythonSetup } from './python-environment.ts'
import { type RemotePeer, startPeer } from './remote-peer.ts'

/** How a peer of the original differs from the default. */
export interface PythonOptions {
  /** `MORANGO_DISALLOW_ASYNC_OPERATIONS` */
  readonly noAsync?: boolean
  /** `MORANGO_DISABLE_FSIC_V2_FORMAT` */
  readonly noV2?: boolean
  /** `ALLOW_CERTIFICATE_PUSHING` */
  readonly pushing?: boolean
  /** Whether its `time.sleep` is left as it is. */
  readonly sleeps?: boolean
  /** SQLite's `synchronous`; off by default, as a test does not care for power cuts. */
  readonly synchronous?: 'off' | 'normal'
}

const PROJECT = join(import.meta.dirname, 'python', 'peer.py')
const CHILD = join(import.meta.dirname, 'child.ts')

/** Starts a peer of the original on a copy of the empty database, or on what became of one. */
export async function startPython(
  { executable }: PythonSetup,
  path: string,
  options: PythonOptions,
): Promise<RemotePeer> {
  return await startPeer({
    kind: 'python',
    command: executable,
    args: [PROJECT],
    env: {
      PYTHONDONTWRITEBYTECODE: '1',
      INTEROP_DATABASE: path,
      INTEROP_PASSWORD: PASSWORD,
      INTEROP_NO_SLEEP: options.sleeps === true ? '0' : '1',
      INTEROP_SYNCHRONOUS: options.synchronous ?? 'off',
      INTEROP_DISALLOW_ASYNC_OPERATIONS: options.noAsync === true ? '1' : '0',
      INTEROP_DISABLE_FSIC_V2_FORMAT: options.noV2 === true ? '1' : '0',
      INTEROP_ALLOW_CERTIFICATE_PUSHING: options.pushing === true ? '1' : '0',
    },
  })
}

/** Starts a peer of ours in a process of its own. */
export async function startOurs(options: OurOptions, execArgv: readonly string[] = []): Promise<RemotePeer> {
  return await startPeer({
    kind: 'ours',
    command: process.execPath,
    args: ['--disable-warning=ExperimentalWarning', ...execArgv, CHILD, JSON.stringify(options)],
  })
}
