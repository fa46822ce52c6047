import { MorangoError } from '../core/errors.ts'
import type { WireReply } from '../protocol/exchange.ts'
import type { SyncReport } from '../session/progress.ts'
import { createMemoryPeer, lostInTransit } from '../transport/memory.ts'
import { interceptWith } from './faults.ts'
import type { TestSyncOptions } from './network.ts'
import type { RunningPeer } from './peer.ts'

/** One sync between two peers of a network, with all that is to go wrong in it. */
export async function syncOnce(
  client: RunningPeer,
  server: RunningPeer,
  options: TestSyncOptions & { readonly filter: string; readonly direction: 'pull' | 'push' | 'both' },
): Promise<SyncReport> {
  const { faults = [], through, ...sync } = options
  const { life } = client
  const inFlight = new Set<Promise<unknown>>()
  const intercept = interceptWith(faults)
  // The server may be another process by the time a call comes.
  const service = new Proxy(server.service, { get: (_target, key) => Reflect.get(server.service, key) })
  const peer = createMemoryPeer(service, {
    capabilities: client.morango.capabilities,
    name: `memory:${server.name}/`,
    intercept: (call, next) => {
      const answer = life.through(intercept(call, () => track(servedBy(server, next))))
      return answer
    },
    onError: () => {},
  })
  for (const fault of faults) {
    if (fault.kind !== 'kill') continue
    const side = fault.side === 'client' ? client : server
    side.life.arm(fault)
  }

  function track(work: Promise<WireReply>): Promise<WireReply> {
    inFlight.add(work)
    const gone = (): boolean => inFlight.delete(work)
    work.then(gone, gone)
    return work
  }

  try {
    const report = await Promise.race([
      client.morango.sync(through?.(peer) ?? peer, sync),
      life.death.then(() => undefined),
    ])
    if (report !== undefined) return report
    throw new MorangoError('aborted', `${client.name} was killed, as the test asked`, {
      hint: 'Sync again to go on.',
    })
  } finally {
    while (inFlight.size > 0) await Promise.allSettled(inFlight)
    life.disarm()
    server.life.disarm()
    if (life.dead) await client.restart()
    if (server.life.dead) await server.restart()
  }
}

/** A call to a server that may die over it: then it is started again, and the answer is lost. */
async function servedBy(server: RunningPeer, next: () => Promise<WireReply>): Promise<WireReply> {
  const { life } = server
  const reply = await Promise.race([life.through(next()), life.death.then(() => undefined)])
  if (reply !== undefined) return reply
  if (server.life === life) await server.restart()
  throw lostInTransit()
}
