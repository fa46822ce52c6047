import { Agent, request } from 'node:http'
import { gunzipSync } from 'node:zlib'

/** What an attacker sends: anything that HTTP can carry. */
export interface Sent {
  readonly method?: string
  /** Below `api/morango/v1/`, or from the root when it begins with a slash. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  /** A text or bytes go as they are, anything else as JSON. */
  readonly body?: unknown
}

/** What comes back. */
export interface Answer {
  readonly call: string
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** Unpacked, where it was packed. */
  readonly text: string
}

const agent = new Agent({ keepAlive: true, maxSockets: 8 })
const API = '/api/morango/v1/'

/** Sends one request, with no more help than a socket gives: any header, any body. */
export async function send(
  base: string,
  { method = 'GET', path, headers = {}, body }: Sent,
): Promise<Answer> {
  const { hostname, port } = new URL(base)
  const payload = payloadOf(body)
  const call = `${method} ${path.slice(0, 120)}`
  let answered: number | undefined
  return await new Promise<Answer>((resolve, reject) => {
    const sending = request(
      {
        agent,
        hostname,
        port,
        method,
        path: path.startsWith('/') ? path : API + path,
        headers: {
          ...(payload !== undefined && {
            'content-type': 'application/json',
            'content-length': payload.length,
          }),
          ...headers,
        },
      },
      (response) => {
        answered = response.statusCode
        const parts: Buffer[] = []
        response.on('data', (part: Buffer) => parts.push(part))
        response.on('error', reject)
        response.on('end', () => {
          const bytes = Buffer.concat(parts)
          resolve({ call, status: response.statusCode ?? 0, headers: response.headers, text: textOf(bytes) })
        })
      },
    )
    sending.on('error', (error) => {
      // A server may answer and hang up before it has read a long body, and that while the next request is on its way.
      if (sending.reusedSocket && answered === undefined) resolve(send(base, { method, path, headers, body }))
      else reject(new Error(`${call}: ${error.message}`, { cause: error }))
    })
    sending.end(payload)
  })
}

function payloadOf(body: unknown): Buffer | undefined {
  if (body === undefined) return undefined
  if (body instanceof Uint8Array) return Buffer.from(body)
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
}

function textOf(bytes: Buffer): string {
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b
  return (isGzip ? gunzipSync(bytes) : bytes).toString()
}
