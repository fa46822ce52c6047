import { once } from 'node:events'
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'

/** Spreads requests over servers, one after the other, as a balancer without any notion of sessions does. */
export interface Balancer {
  readonly url: string
  /** Servers join, and leave when they are gone. While there is none, requests wait for one. */
  add(server: string): void
  remove(server: string): void
  /** How many requests each server has been given. */
  readonly given: ReadonlyMap<string, number>
  close(): Promise<void>
}

/** Starts a balancer on a free port. */
export async function startBalancer(): Promise<Balancer> {
  const servers: string[] = []
  const given = new Map<string, number>()
  let joined = Promise.withResolvers<void>()
  let turn = 0

  async function next(): Promise<string> {
    for (;;) {
      const server = servers[turn++ % Math.max(1, servers.length)]
      if (server !== undefined) return server
      // oxlint-disable-next-line no-await-in-loop
      await joined.promise
    }
  }

  async function handle(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const server = await next()
    given.set(server, (given.get(server) ?? 0) + 1)
    forward(server, incoming, outgoing)
  }

  const front = createServer((incoming, outgoing) => {
    void handle(incoming, outgoing)
  })
  front.listen(0, '127.0.0.1')
  await once(front, 'listening')
  const address = front.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    url: `http://127.0.0.1:${port}/`,
    given,
    add(server) {
      servers.push(server)
      joined.resolve()
    },
    remove(server) {
      const index = servers.indexOf(server)
      if (index >= 0) servers.splice(index, 1)
      if (servers.length === 0) joined = Promise.withResolvers()
    },
    close: async () => {
      front.close()
      front.closeAllConnections()
      await once(front, 'close')
    },
  }
}

/** A server that dies over a request is answered for with 502. */
function forward(server: string, incoming: IncomingMessage, outgoing: ServerResponse): void {
  const { method, headers } = incoming
  const onward = request(
    new URL(incoming.url ?? '/', server),
    { method: method ?? 'GET', headers, agent: false },
    (reply) => {
      outgoing.writeHead(reply.statusCode ?? 502, reply.headers)
      reply.pipe(outgoing)
      reply.once('error', () => outgoing.destroy())
    },
  )
  onward.once('error', () => {
    if (outgoing.headersSent) outgoing.destroy()
    else outgoing.writeHead(502, { 'content-type': 'text/html' }).end('<h1>Bad gateway</h1>')
  })
  incoming.pipe(onward)
}
