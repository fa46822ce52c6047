import { copyFile, stat } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { startOurs, startPython } from '../../interop/processes.ts'
import type { PythonSetup } from '../../interop/python-environment.ts'
import type { RemotePeer } from '../../interop/remote-peer.ts'
import { SMALL_YOUNG_GENERATION } from '../memory.ts'
import { dropMisleadingIndex, type Reading } from './readings.ts'

/** Two peers of one kind: how to start them, and how to get their databases ready. */
export interface PairKind {
  /** Makes an empty database in a file that is not there yet. */
  create(path: string): Promise<void>
  /** Changes a copy of a prepared database before a run. */
  adapt(path: string): void
  start(path: string): Promise<RemotePeer>
}

/** Two peers of ours. */
export const ours: PairKind = {
  // It makes its tables itself.
  create: async () => {},
  adapt: () => {},
  start: async (path) => await startOurs({ path }, [SMALL_YOUNG_GENERATION]),
}

/** Two peers of the original, in one reading of it. */
export function python(setup: PythonSetup, { sleeps, misleadingIndex }: Reading): PairKind {
  return {
    create: async (path) => await copyFile(setup.database, path),
    adapt: (path) => {
      if (!misleadingIndex) dropMisleadingIndex(path)
    },
    // The same journal and the same durability as `morango/sqlite` sets.
    start: async (path) => await startPython(setup, path, { sleeps, synchronous: 'normal' }),
  }
}

/** A client and a server in processes of their own. */
export interface RunningPair {
  readonly client: RemotePeer
  readonly server: RemotePeer
}

/** Where the databases of a pair are. */
export interface PairPaths {
  readonly client: string
  readonly server: string
}

/** Runs `work` with two new processes, which have ended when this is done, and nothing is left beside the files. */
export async function withPair<Result>(
  kind: PairKind,
  paths: PairPaths,
  work: (pair: RunningPair) => Promise<Result>,
): Promise<Result> {
  const started: RemotePeer[] = []
  try {
    const client = await kind.start(paths.client)
    started.push(client)
    const server = await kind.start(paths.server)
    started.push(server)
    const result = await work({ client, server })
    await Promise.all(started.map(async (peer) => await peer.close()))
    for (const path of [paths.client, paths.server]) checkpoint(path)
    return result
  } finally {
    await Promise.all(started.map(async (peer) => await peer.kill()))
  }
}

/** The size of a closed database, in megabytes. */
export async function megabytes(path: string): Promise<number> {
  return (await stat(path)).size / 1e6
}

// The processes end without closing their connections, which leaves the log.
function checkpoint(path: string): void {
  const database = new DatabaseSync(path)
  database.exec('pragma wal_checkpoint(truncate)')
  database.close()
}
