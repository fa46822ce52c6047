import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'

/** One request through the proxy. */
export interface Passage {
  readonly method: string
  /** Below `api/morango/v1/`, without the query. */
  readonly path: string
  /** How many of this method and kind came before. */
  readonly nth: number
  readonly body: Buffer
}

/** What a {@link Proxy} may do with a request. */
export interface Interference {
  /** Called before it is passed on; `drop` cuts the connection instead. */
  readonly before?: (passage: Passage) => Promise<'drop' | undefined>
  /** Called when the answer is there; `drop` loses it. */
  readonly after?: (passage: Passage, status: number, body: Buffer) => Promise<'drop' | undefined>
}

/** One exchange that was passed on. */
export interface Logged {
  readonly method: string
  readonly path: string
  /** 0 when there was no answer. */
  readonly status: number
  /** The answer's body when it was an error. */
  readonly error?: string
}

/** Stands between a client and a server that may come back on another port. */
export interface Proxy {
  readonly url: string
  /** The server's base URL. */
  target: string
  interference: Interference
  readonly log: Logged[]
  close(): Promise<void>
}

/** Starts a proxy on a port of its own. */
export async function startProxy(target: string): Promise<Proxy> {
  const seen = new Map<string, number>()

  async function serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk)
    const body = Buffer.concat(chunks)
    const { method = 'GET', url = '/' } = incoming
    const [path = ''] = url.replace(/^\/api\/morango\/v1\//, '').split('?')
    const kind = `${method} ${path.split('/')[0] ?? ''}`
    const nth = seen.get(kind) ?? 0
    seen.set(kind, nth + 1)
    const passage = { method, path, nth, body }
    if ((await proxy.interference.before?.(passage)) === 'drop') {
      outgoing.destroy()
      return
    }
    try {
      const answer = await passOn(new URL(url, proxy.target), incoming, body)
      const { status } = answer
      proxy.log.push({ method, path, status, ...(status >= 400 && { error: answer.body.toString() }) })
      if ((await proxy.interference.after?.(passage, answer.status, answer.body)) === 'drop') {
        outgoing.destroy()
        return
      }
      outgoing.writeHead(answer.status, answer.headers)
      outgoing.end(answer.body)
    } catch {
      proxy.log.push({ method, path, status: 0 })
      outgoing.destroy()
    }
  }

  const server = createServer((incoming, outgoing) => {
    serve(incoming, outgoing).catch(() => outgoing.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('no port')
  const proxy: Proxy = {
    url: `http://127.0.0.1:${address.port}/`,
    target,
    interference: {},
    log: [],
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return proxy
}

interface Answer {
  readonly status: number
  readonly headers: string[]
  readonly body: Buffer
}

function passOn(url: URL, incoming: IncomingMessage, body: Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const onward = request(
      url,
      // A connection each: the server may have been killed since the last.
      {
        method: incoming.method,
        headers: { ...incoming.headers, host: url.host, connection: 'close' },
        agent: false,
      },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 502,
            headers: withoutHopByHop(response.rawHeaders),
            body: Buffer.concat(chunks),
          }),
        )
      },
    )
    onward.on('error', reject)
    onward.end(body)
  })
}

function withoutHopByHop(headers: readonly string[]): string[] {
  const kept: string[] = []
  for (let index = 0; index < headers.length; index += 2) {
    const [name = '', value = ''] = headers.slice(index, index + 2)
    if (!/^(connection|transfer-encoding|keep-alive|content-length)$/i.test(name)) kept.push(name, value)
  }
  return kept
}
