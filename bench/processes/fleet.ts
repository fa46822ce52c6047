import { type Balancer, startBalancer } from './balancer.ts'
import type { RemoteProcess } from './calls.ts'

/** A server process that has been started. */
export interface FleetServer<Api> {
  readonly url: string
  readonly remote: RemoteProcess<Api>
}

/** Server processes on one database behind a balancer. One that dies is started again. */
export interface Fleet<Api> {
  readonly url: string
  readonly balancer: Balancer
  /** Those that run now. */
  readonly servers: readonly FleetServer<Api>[]
  /** How many have died and been replaced. */
  readonly deaths: number
  /** Resolves when as many run as should. */
  complete(): Promise<void>
  close(): Promise<void>
}

/** Starts a fleet of `size` processes; `start` starts one, whatever database it is to serve. */
export async function startFleet<Api>(
  size: number,
  start: () => Promise<FleetServer<Api>>,
): Promise<Fleet<Api>> {
  const balancer = await startBalancer()
  const servers: FleetServer<Api>[] = []
  let starting: Promise<void>[] = []
  let closing = false
  let deaths = 0

  async function launch(): Promise<void> {
    const server = await start()
    servers.push(server)
    balancer.add(server.url)
    void server.remote.ended.then(() => {
      balancer.remove(server.url)
      servers.splice(servers.indexOf(server), 1)
      if (closing) return
      deaths++
      const again = launch()
      // Whoever waits for the fleet to be complete learns of a failure.
      again.catch(() => {})
      starting.push(again)
    })
  }

  async function complete(): Promise<void> {
    while (starting.length > 0) {
      const waitedFor = starting
      starting = []
      // oxlint-disable-next-line no-await-in-loop
      await Promise.all(waitedFor)
    }
  }

  async function close(): Promise<void> {
    await complete()
    closing = true
    await balancer.close()
    await Promise.all(servers.map(async ({ remote }) => await remote.kill()))
  }

  starting = Array.from({ length: size }, launch)
  try {
    await complete()
  } catch (error) {
    await close()
    throw error
  }
  return {
    url: balancer.url,
    balancer,
    servers,
    get deaths() {
      return deaths
    },
    complete,
    close,
  }
}
