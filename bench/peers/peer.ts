import type { Place } from '../databases/kinds.ts'

/** A server that runs in a process of its own. */
export interface RunningPeer {
  readonly url: string
  /** The most memory that it has had, in MB. */
  peakMemoryMb(): Promise<number>
  /** Closes its database and ends. */
  stop(): Promise<void>
}

/** A kind of server to sync with. */
export interface BenchPeer {
  /** Serves a database that has been prepared. */
  start(place: Place, execArgv: readonly string[]): Promise<RunningPeer>
}
