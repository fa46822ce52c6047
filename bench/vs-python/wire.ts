import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { z } from 'zod'

/** A request and its answer, as they passed. Times are of `performance.now()`. */
export interface Exchange {
  readonly method: string
  /** Below `api/morango/v1/`, without the query. */
  readonly path: string
  /** The stage that a PATCH of a transfer session asks for. */
  readonly stage: string | undefined
  readonly start: number
  /** When the last of the answer passed. */
  readonly end: number
}

/** What passed over a {@link Wire} in a while. */
export interface Traffic {
  /** In the order of their beginnings. */
  readonly exchanges: readonly Exchange[]
  /** Of TCP's payload, so with all headers of HTTP. */
  readonly bytes: { readonly toServer: number; readonly toClient: number }
}

/** Stands between client and server, passes on every byte as it is, and counts. */
export interface Wire {
  /** The base URL by which a client reaches the server. */
  readonly url: string
  /** What has passed since this was last asked. */
  take(): Traffic
  close(): Promise<void>
}

/** Longer requests than this are not looked into: only those of PATCH matter, which are short. */
const READ_BYTES = 1 << 20

interface Passing {
  readonly request: Buffer[]
  length: number
  readonly start: number
  end: number
  answered: boolean
}

/** Starts a proxy on a port of its own. `target` is the server's base URL. */
export async function startWire(target: string): Promise<Wire> {
  const { hostname, port } = new URL(target)
  const sockets = new Set<Socket>()
  let passed: Passing[] = []
  let bytes = { toServer: 0, toClient: 0 }

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const onward = connect({ host: hostname, port: Number(port), allowHalfOpen: true, noDelay: true })
    for (const socket of [client, onward]) {
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
      // The other side sees a broken connection, as it would without a proxy.
      socket.on('error', () => {
        client.destroy()
        onward.destroy()
      })
    }
    // Neither side sends a request before the last one is answered, so who speaks tells where one begins.
    let passing: Passing | undefined
    client.on('data', (data: Buffer) => {
      bytes.toServer += data.length
      if (passing === undefined || passing.answered) {
        const now = performance.now()
        passing = { request: [], length: 0, start: now, end: now, answered: false }
        passed.push(passing)
      }
      if (passing.length < READ_BYTES) passing.request.push(data)
      passing.length += data.length
    })
    onward.on('data', (data: Buffer) => {
      bytes.toClient += data.length
      if (passing === undefined) return
      passing.answered = true
      passing.end = performance.now()
    })
    client.pipe(onward)
    onward.pipe(client)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('No port')

  return {
    url: `http://127.0.0.1:${address.port}/`,
    take: () => {
      const traffic = { exchanges: passed.map(toExchange), bytes }
      passed = []
      bytes = { toServer: 0, toClient: 0 }
      return traffic
    },
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

const patchSchema = z.object({ transfer_stage: z.string().optional() })

function toExchange({ request, start, end }: Passing): Exchange {
  const text = Buffer.concat(request).toString('latin1')
  const [, method = '', path = ''] = /^([A-Z]+) \/(?:api\/morango\/v1\/)?([^ ?]*)/.exec(text) ?? []
  if (method === '') throw new Error(`This is no request: ${text.slice(0, 80)}`)
  const stage =
    method === 'PATCH'
      ? patchSchema.parse(JSON.parse(text.slice(text.indexOf('\r\n\r\n')))).transfer_stage
      : undefined
  return { method, path, stage, start, end }
}
