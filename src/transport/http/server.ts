import { Hono } from 'hono'
import type { Context } from 'hono'
import { MorangoError } from '../../core/errors.ts'
import { parseUuid } from '../../core/ids.ts'
import { DEFAULT_MAX_CHUNK_BYTES, DEFAULT_MAX_RECORD_BYTES } from '../../core/limits.ts'
import { createKeyedQueue } from '../../core/keyed-queue.ts'
import { printable } from '../../core/printable.ts'
import { createReportLimit } from '../../core/report-limit.ts'
import { answerCall, carriesMessage, methodNotAllowed } from '../../protocol/answer.ts'
import { decodeBasicAuth } from '../../protocol/basic-auth.ts'
import { CAPABILITIES_HEADER, parseCapabilities } from '../../protocol/capabilities.ts'
import type { WireReply, WireRequest } from '../../protocol/exchange.ts'
import { API_PATH, allowHeader, isResource, methodsOf } from '../../protocol/paths.ts'
import type { Method, Resource } from '../../protocol/paths.ts'
import type { Caller, Service } from '../../protocol/peer.ts'
import { NOT_FOUND, errorAnswer } from '../../protocol/status.ts'
import { type Hosts, refuseCrossSite, refuseHost } from './browser-guard.ts'
import { defaultCompressor } from './compressor.ts'
import type { Compressor } from './compressor.ts'
import { packingsOf } from './packing.ts'
import { encodeReply } from './reply-body.ts'
import { UnsupportedMediaType, readMessage, readRecords } from './request-body.ts'
import { socketAddress } from './socket-address.ts'

const MIB = 1024 * 1024

/** How to serve. */
export interface RoutesOptions {
  /** The largest body as it comes, in bytes; 32 MiB. More is 413. */
  readonly maxBodyBytes?: number | undefined
  /** The most that a chunk of records may have, unpacked, in bytes; 48 MiB. More is 413. */
  readonly maxUnzippedBytes?: number | undefined
  /** How large a record may be: its texts in UTF-8 bytes; as the service says, or 8 MiB. A chunk with a larger one is 413. */
  readonly maxRecordBytes?: number | undefined
  /** A path in front of `api/morango/v1/`. */
  readonly basePath?: string | undefined
  /** The caller's address. By default the socket's, where the server is `@hono/node-server`, else `""`. */
  readonly clientIp?: ((context: Context) => string) | undefined
  /** The own address that was called; the default is like that of `clientIp`. */
  readonly serverIp?: ((context: Context) => string) | undefined
  readonly compressor?: Compressor | undefined
  /** Whether buffers may be packed in our own way, for peers that can unpack them; true. */
  readonly packedBuffers?: boolean | undefined
  /**
   * The names by which clients call this server, such as `sync.example` or `10.0.0.5:8080`; `'loopback'`: any IP address,
   * and `localhost`. A request that names another host is answered 421. Default: any name, and for `listen` on a loopback
   * address `'loopback'`.
   */
  readonly hosts?: Hosts | undefined
  /**
   * Gets the errors that clients are told nothing of (500 and up), ten of a kind in a minute; `leftOut` is how many of the
   * kind were not reported since the last. By default they go to the console.
   */
  readonly onError?: ((error: unknown, request: Request, leftOut: number) => void) | undefined
}

/**
 * The calls of protocol §4 over HTTP, as a Hono app to be mounted or served: a skin over the service. It answers
 * everything below `api/morango/v1/` and nothing else.
 */
export function createRoutes(service: Service, options: RoutesOptions = {}): Hono {
  const {
    maxBodyBytes = 32 * MIB,
    maxUnzippedBytes = DEFAULT_MAX_CHUNK_BYTES,
    maxRecordBytes = service.maxRecordBytes ?? DEFAULT_MAX_RECORD_BYTES,
    basePath = '',
    clientIp = (context: Context) => socketAddress(context, 'remoteAddress'),
    serverIp = (context: Context) => socketAddress(context, 'localAddress'),
    compressor = defaultCompressor(),
    packedBuffers = true,
    hosts,
    onError: report = reportToConsole,
  } = options
  const reports = createReportLimit({ now: () => new Date() })
  const onError = (error: unknown, request: Request): void => {
    const leftOut = reports.admit(kindOf(error))
    if (leftOut !== undefined) report(error, request, leftOut)
  }
  const limits = { maxBodyBytes, maxUnzippedBytes, maxRecordBytes }
  const packings = packedBuffers ? packingsOf(compressor) : []
  // A client asks for pages ahead. Done side by side they would all be there only when the last is, and the client
  // would rest meanwhile. One is sent before the next is begun: on SQLite that is work without a pause.
  const pages = createKeyedQueue<string>((begin) => setTimeout(begin))

  async function serve(context: Context, resource: Resource, id: string | undefined): Promise<Response> {
    const request = context.req.raw
    const methods = methodsOf(resource, id === undefined ? 'collection' : 'item')
    // Hono takes the body off what HEAD is answered with.
    const asked = context.req.method === 'HEAD' ? 'GET' : context.req.method
    const method = methods.find((known) => known === asked)
    const headers = new Headers({ allow: allowHeader(methods) })
    if (asked === 'OPTIONS') return new Response(null, { status: 204, headers })
    const refusal = method === undefined ? undefined : refuseCrossSite(request, method, resource)
    const reply =
      method === undefined
        ? methodNotAllowed(asked)
        : (refusal ?? (await answer(context, { method, resource, id })))
    if (reply.retryAfter !== undefined) headers.set('retry-after', String(Math.ceil(reply.retryAfter)))
    if (reply.status === 401) headers.set('www-authenticate', 'Basic realm="api"')
    const carriage = {
      acceptEncoding: request.headers.get('accept-encoding'),
      packing:
        resource === 'buffers' && reply.status < 300
          ? packings.find(({ capability }) => capabilitiesOf(request).has(capability))
          : undefined,
    }
    return await encodeReply(reply, carriage, compressor, headers)
  }

  async function answer(
    context: Context,
    target: { method: Method; resource: Resource; id: string | undefined },
  ): Promise<WireReply> {
    const request = context.req.raw
    try {
      const query = Object.fromEntries(new URL(request.url).searchParams)
      const caller = {
        ip: clientIp(context),
        serverIp: serverIp(context),
        capabilities: capabilitiesOf(request),
      }
      const message = await readRequest(request, target, query, caller)
      const reply = await answerCall(service, { ...target, ...message, query }, caller, {
        url: request.url,
        onError: (error) => {
          onError(error, request)
        },
      })
      return target.resource === 'morangoinfo' ? withPackings(reply) : reply
    } catch (error) {
      if (error instanceof UnsupportedMediaType) return { status: 415, body: { detail: error.message } }
      const reply = errorAnswer(error)
      if (reply.status >= 500) onError(error, request)
      return reply
    }
  }

  async function readRequest(
    request: Request,
    { method, resource }: { readonly method: Method; readonly resource: Resource },
    query: Readonly<Record<string, string>>,
    caller: Caller,
  ): Promise<Pick<WireRequest, 'body' | 'records' | 'credentials'>> {
    if (!carriesMessage(method, resource)) return {}
    if (resource !== 'buffers') {
      return {
        credentials: decodeBasicAuth(request.headers.get('authorization')),
        body: await readMessage(request, resource, limits),
      }
    }
    // Whoever has no transfer makes nothing read, let alone unpack.
    const admitted = parseUuid(query['transfer_session_id'])
    if (admitted !== undefined) await service.admitBuffers(admitted, caller)
    const admit = (transferSessionId: string): Promise<void> =>
      service.admitBuffers(transferSessionId, caller)
    const records = await readRecords(request, { ...limits, packings, compressor, admit, admitted })
    return records === undefined ? { body: {} } : { records }
  }

  /** Whether something can be unpacked is the transport's to say. */
  function withPackings(reply: WireReply): WireReply {
    const { body } = reply
    if (typeof body !== 'object' || body === null || !('capabilities' in body)) return reply
    if (!Array.isArray(body.capabilities)) return reply
    const capabilities = [...body.capabilities, ...packings.map(({ capability }) => capability)]
    return { ...reply, body: { ...body, capabilities } }
  }

  const app = new Hono()
  const root = `/${[...basePath.split('/'), ...API_PATH.split('/')].filter((part) => part !== '').join('/')}`

  // One segment names a resource, two an item of it; without the trailing slash either is sent on to the path
  // with it, whatever the method, as in the original.
  for (const [pattern, slashed] of [
    ['/:resource/', true],
    ['/:resource/:id/', true],
    ['/:resource', false],
    ['/:resource/:id', false],
  ] as const) {
    app.all(root + pattern, async (context) => {
      const resource: string | undefined = context.req.param('resource')
      const id: string | undefined = context.req.param('id')
      if (resource === undefined || !isResource(resource)) return unknownPath()
      if (methodsOf(resource, id === undefined ? 'collection' : 'item').length === 0) return unknownPath()
      const stranger = hosts === undefined ? undefined : refuseHost(context.req.raw, hosts)
      if (stranger !== undefined) return Response.json(stranger.body, { status: stranger.status })
      if (!slashed) return redirectToSlash(context.req.url)
      const isPage = resource === 'buffers' && context.req.method !== 'POST'
      const transfer = isPage ? context.req.query('transfer_session_id') : undefined
      const respond = (): Promise<Response> => serve(context, resource, id)
      return await (transfer === undefined ? respond() : pages([transfer], respond))
    })
  }
  app.all(`${root}/*`, unknownPath)
  return app
}

function capabilitiesOf(request: Request): ReadonlySet<string> {
  return parseCapabilities(request.headers.get(CAPABILITIES_HEADER))
}

function unknownPath(): Response {
  return Response.json(NOT_FOUND, { status: 404, headers: { 'content-type': 'application/json' } })
}

function redirectToSlash(requestUrl: string): Response {
  const { pathname, search } = new URL(requestUrl)
  return new Response(null, {
    status: 301,
    headers: { location: `${pathname}/${search}`, 'content-length': '0' },
  })
}

/** Of errors that differ in an id or a text of the peer's, most are one kind. */
function kindOf(error: unknown): string {
  if (error instanceof MorangoError) return error.code
  return error instanceof Error ? error.name : typeof error
}

function reportToConsole(error: unknown, _request: Request, leftOut: number): void {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  const more = leftOut === 0 ? '' : ` (${leftOut} more like it were not reported)`
  // It may quote a peer.
  console.error(`morango: ${text.split('\n').map(printable).join('\n')}${more}`)
}
