import type { Server } from 'node:http'
import { serve as serveNode } from '@hono/node-server'
import { Hono } from 'hono'
import type { Morango, ServeOptions } from '../morango.ts'
import type { Hosts } from '../transport/http/browser-guard.ts'
import { createRoutes, type RoutesOptions } from '../transport/http/server.ts'
import { zlibCompressor } from './zlib-compressor.ts'

/** Where and how to serve. */
export interface ListenOptions extends ServeOptions {
  /** 0 for any free one. Default: 8080. */
  readonly port?: number | undefined
  /** The address to listen on. Default: 127.0.0.1. */
  readonly hostname?: string | undefined
  readonly routes?: RoutesOptions | undefined
  /**
   * The names by which clients call this server; see {@link RoutesOptions.hosts}. Behind a web server on the same machine
   * these are the names that it passes on. Default: on a loopback address `'loopback'`, else any.
   */
  readonly hosts?: Hosts | undefined
}

/** A server that listens. */
export interface Listening {
  readonly url: string
  /** Stops listening and waits for the answers under way. */
  close(): Promise<void>
}

/**
 * Serves an instance on a port of its own. To mount it in an application, use `createRoutes` of
 * `morango/server`.
 */
export async function listen(morango: Morango, options: ListenOptions = {}): Promise<Listening> {
  const { port = 8080, hostname = '127.0.0.1', routes, hosts: named, ...service } = options
  const hosts = named ?? (isLoopback(hostname) ? 'loopback' : undefined)
  const app = new Hono()
  let closing = false
  // A client in the midst of a sync would keep its connection, and with it the server, to the end of the sync.
  app.use(async (context, next) => {
    await next()
    if (closing) context.res.headers.set('connection', 'close')
  })
  app.route('/', createRoutes(morango.service(service), { compressor: zlibCompressor, hosts, ...routes }))
  const server = await new Promise<ReturnType<typeof serveNode>>((resolve, reject) => {
    const starting = serveNode({ fetch: app.fetch, port, hostname }, () => resolve(starting))
    starting.once('error', reject)
  })
  const address = server.address()
  const actual = typeof address === 'object' && address !== null ? address.port : port
  return {
    url: `http://${hostname.includes(':') ? `[${hostname}]` : hostname}:${actual}/`,
    close: () =>
      new Promise((resolve, reject) => {
        closing = true
        server.close((error) => (error === undefined ? resolve() : reject(error)))
        // Kept-alive connections without a request would hold the server open.
        if ('closeIdleConnections' in server)
          (server satisfies Pick<Server, 'closeIdleConnections'>).closeIdleConnections()
      }),
  }
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '::1' || hostname.startsWith('127.')
}
