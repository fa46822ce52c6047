import { MorangoError } from '../core/errors.ts'
import { parseUuid } from '../core/ids.ts'
import { decodeRequest } from './decode.ts'
import type { WireReply, WireRequest } from './exchange.ts'
import { uuid } from './fields.ts'
import {
  certificateChainSchema,
  certificateQuerySchema,
  decodeBufferRecords,
  encodeBufferPage,
  signingRequestSchema,
  syncSessionRequestSchema,
  transferSessionPatchSchema,
  transferSessionRequestSchema,
} from './messages.ts'
import { methodsOf } from './paths.ts'
import type { Method } from './paths.ts'
import type { Caller, Service } from './peer.ts'
import { NOT_FOUND, errorAnswer } from './status.ts'

/** What else there is to know of a request that is to be answered. */
export interface AnswerOptions {
  /** The absolute URL of the request, for the links of pages. */
  readonly url?: string | undefined
  /** Gets the errors of which the peer learns nothing (500 and up). */
  readonly onError?: ((error: unknown) => void) | undefined
}

const CHAIN_SAVED = 'Certificate chain has been saved'
const NO_TRANSFER = { detail: 'Authentication credentials were not provided.' }

/**
 * Answers a call of protocol §4 out of a service: reads its message, calls the service, and gives status and
 * body, those of an error too. All transports answer through this. Never rejects.
 */
export async function answerCall(
  service: Service,
  request: WireRequest,
  caller: Caller,
  options: AnswerOptions = {},
): Promise<WireReply> {
  try {
    const place = request.id === undefined ? 'collection' : 'item'
    const methods = methodsOf(request.resource, place)
    if (methods.length === 0) return notFound()
    if (!methods.includes(request.method)) return methodNotAllowed(request.method)
    return request.id === undefined
      ? await answerCollection(service, request, caller, options.url)
      : await answerItem(service, request, request.id, caller)
  } catch (error) {
    const answer = errorAnswer(error)
    if (answer.status >= 500) options.onError?.(error)
    return answer
  }
}

/** The answer to a method that a path does not know. */
export function methodNotAllowed(method: string): WireReply {
  return { status: 405, body: { detail: `Method "${method}" not allowed.` } }
}

async function answerCollection(
  service: Service,
  { method, resource, query = {}, body, records, credentials }: WireRequest,
  caller: Caller,
  url: string | undefined,
): Promise<WireReply> {
  switch (resource) {
    case 'nonces':
      return created(await service.createNonce(caller))
    case 'certificates':
      if (method === 'GET')
        return ok(await service.certificates(decodeRequest(certificateQuerySchema, query), caller))
      return created(
        await service.requestCertificate(decodeRequest(signingRequestSchema, body), credentials, caller),
      )
    case 'publickey':
      return ok([{ public_key: await service.publicKey(caller) }])
    case 'certificatechain':
      await service.pushCertificateChain(decodeRequest(certificateChainSchema, body), caller)
      return created(CHAIN_SAVED)
    case 'syncsessions':
      return created(await service.createSyncSession(decodeRequest(syncSessionRequestSchema, body), caller))
    case 'transfersessions':
      return created(
        await service.createTransferSession(decodeRequest(transferSessionRequestSchema, body), caller),
      )
    case 'buffers':
      if (method === 'GET') return ok(await answerBuffers(service, query, caller, url))
      await service.receiveBuffers(records ?? decodeBufferRecords(body), caller)
      return created(undefined)
    case 'morangoinfo':
      return notFound()
  }
}

async function answerItem(
  service: Service,
  { method, resource, body }: WireRequest,
  rawId: string,
  caller: Caller,
): Promise<WireReply> {
  if (resource === 'morangoinfo') return ok(await service.info(caller))
  if (resource === 'publickey')
    return rawId === '1' ? ok({ public_key: await service.publicKey(caller) }) : notFound()
  if (method === 'PUT') return { status: 405, body: 'Only PATCH updates allowed' }
  const id = parseUuid(rawId)
  if (id === undefined) return notFound()
  switch (resource) {
    case 'certificates':
      return found(await service.certificate(id, caller))
    case 'syncsessions':
      if (method === 'GET') return found(await service.syncSession(id, caller))
      return closed(await service.closeSyncSession(id, caller))
    case 'transfersessions':
      if (method === 'GET') return found(await service.transferSession(id, caller))
      if (method === 'DELETE') return closed(await service.closeTransferSession(id, caller))
      return found(
        await service.updateTransferSession(id, decodeRequest(transferSessionPatchSchema, body), caller),
      )
    default:
      return notFound()
  }
}

async function answerBuffers(
  service: Service,
  query: Readonly<Record<string, string>>,
  caller: Caller,
  url: string | undefined,
): Promise<unknown> {
  const { transfer_session_id: given = '' } = query
  if (given === '') {
    throw new MorangoError('forbidden', 'No transfer session was named.', { details: { body: NO_TRANSFER } })
  }
  const transferSessionId = decodeRequest(uuid, given, 'transfer_session_id')
  const limit = positiveInteger(query.limit)
  // Without a limit the original does not page, and looks at no offset.
  const offset = limit === undefined ? 0 : (positiveInteger(query.offset) ?? 0)
  const page = await service.buffers({ transferSessionId, offset, limit }, caller)
  return limit === undefined ? page.records : encodeBufferPage(page, { url, offset, limit })
}

/** A count in a query; what is none is ignored, as in the original. */
function positiveInteger(given: string | undefined): number | undefined {
  const value =
    given !== undefined && given.length <= 32 && /^\s*\+?\d{1,15}\s*$/.test(given) ? Number(given) : 0
  return value > 0 ? value : undefined
}

function ok(body: unknown): WireReply {
  return { status: 200, body }
}

function created(body: unknown): WireReply {
  return { status: 201, body }
}

function notFound(): WireReply {
  return { status: 404, body: NOT_FOUND }
}

function found(body: unknown): WireReply {
  return body === undefined ? notFound() : ok(body)
}

function closed(was: boolean): WireReply {
  return was ? { status: 204, body: undefined } : notFound()
}

/** Whether this method of this resource carries a message that is read. */
export function carriesMessage(method: Method, resource: WireRequest['resource']): boolean {
  return (method === 'POST' || method === 'PATCH') && resource !== 'nonces'
}
