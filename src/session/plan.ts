import type { Stage } from '../core/stages.ts'

/** Who drives a transfer (client) and who answers (server). */
export type Role = 'client' | 'server'

/** Seen from the client: a push sends its records to the server, a pull fetches the server's. */
export type Direction = 'push' | 'pull'

/**
 * How the two share the work (protocol §5). `staged`: the server runs one stage for each call, both sides
 * have `ASYNC_OPERATIONS`. `bundled`: it runs initializing to queuing inside the POST of the transfer and
 * dequeuing to cleanup inside its DELETE. `joined`: staged, with fewer calls. The POST names the stage to go on to, and
 * a push of nothing is not announced.
 */
export type Mode = 'staged' | 'bundled' | 'joined'

/** What a side does itself in a stage. */
export type Work =
  | 'none'
  /** App rows to Store, then the own FSIC as producer. */
  | 'serialize'
  /** The own FSIC as receiver. */
  | 'fingerprint'
  /** What the other side lacks into the outgoing Buffer. */
  | 'queue'
  | 'send'
  | 'receive'
  /** Server: whether all records have come (push) or were fetched (pull). */
  | 'await-records'
  | 'dequeue'
  | 'deserialize'

/** What the client asks of the server in a stage, after its own part. */
export type Ask =
  | 'none'
  /** POST of the transfer session. */
  | 'create'
  /** POST of the transfer session, which goes on to the stage. */
  | 'begin'
  /** PATCH to the stage, with what belongs to it. */
  | 'advance'
  /** PATCH of `records_total` alone. */
  | 'announce'
  /** DELETE of the transfer session. */
  | 'close'

/** What happens in a stage. */
export interface Step {
  readonly work: Work
  readonly ask: Ask
  readonly whenEmpty: WhenEmpty
}

/** What is left out when there are no records to transfer: nothing, the stage, or only what is asked of the server. */
export type WhenEmpty = 'all-the-same' | 'skip' | 'do-not-ask'

type Row = Readonly<Record<Stage, Step>>

const idle = step('none')

const SERVER: Readonly<Record<Direction, Row>> = {
  push: {
    initializing: idle,
    serializing: step('fingerprint'),
    queuing: idle,
    transferring: step('await-records', 'none', 'skip'),
    dequeuing: step('dequeue', 'none', 'skip'),
    deserializing: step('deserialize', 'none', 'skip'),
    cleanup: idle,
  },
  pull: {
    initializing: idle,
    serializing: step('serialize'),
    queuing: step('queue'),
    transferring: step('await-records', 'none', 'skip'),
    dequeuing: idle,
    deserializing: idle,
    cleanup: idle,
  },
}

const PLAN: Readonly<Record<Mode, Readonly<Record<Role, Readonly<Record<Direction, Row>>>>>> = {
  staged: {
    server: SERVER,
    client: {
      push: {
        initializing: step('none', 'create'),
        serializing: step('serialize', 'advance'),
        queuing: step('queue', 'advance'),
        transferring: step('send', 'none', 'skip'),
        dequeuing: step('none', 'advance', 'skip'),
        deserializing: step('none', 'advance', 'skip'),
        cleanup: step('none', 'close'),
      },
      pull: {
        initializing: step('none', 'create'),
        serializing: step('fingerprint', 'advance'),
        queuing: step('none', 'advance'),
        transferring: step('receive', 'none', 'skip'),
        // The server has nothing to do in these two: its DELETE passes through them.
        dequeuing: step('dequeue', 'none', 'skip'),
        deserializing: step('deserialize', 'none', 'skip'),
        cleanup: step('none', 'close'),
      },
    },
  },
  joined: {
    server: SERVER,
    client: {
      push: {
        initializing: idle,
        serializing: step('serialize', 'begin'),
        queuing: step('queue', 'advance', 'do-not-ask'),
        transferring: step('send', 'none', 'skip'),
        dequeuing: step('none', 'advance', 'skip'),
        deserializing: step('none', 'advance', 'skip'),
        cleanup: step('none', 'close'),
      },
      pull: {
        initializing: idle,
        serializing: step('fingerprint'),
        queuing: step('none', 'begin'),
        transferring: step('receive', 'none', 'skip'),
        dequeuing: step('dequeue', 'none', 'skip'),
        deserializing: step('deserialize', 'none', 'skip'),
        cleanup: step('none', 'close'),
      },
    },
  },
  bundled: {
    server: SERVER,
    client: {
      push: {
        initializing: idle,
        // The POST waits for the FSIC, since the server queues with it at once.
        serializing: step('serialize', 'create'),
        queuing: step('queue', 'announce'),
        transferring: step('send', 'none', 'skip'),
        dequeuing: idle,
        deserializing: idle,
        cleanup: step('none', 'close'),
      },
      pull: {
        initializing: idle,
        serializing: step('fingerprint', 'create'),
        queuing: idle,
        transferring: step('receive', 'none', 'skip'),
        dequeuing: step('dequeue', 'none', 'skip'),
        deserializing: step('deserialize', 'none', 'skip'),
        cleanup: step('none', 'close'),
      },
    },
  },
}

/** The step of a stage. Total: there is one for every combination (protocol §5). */
export function planStep(mode: Mode, role: Role, direction: Direction, stage: Stage): Step {
  return PLAN[mode][role][direction][stage]
}

function step(work: Work, ask: Ask = 'none', whenEmpty: WhenEmpty = 'all-the-same'): Step {
  return { work, ask, whenEmpty }
}
